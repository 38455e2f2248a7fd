import type { Messages } from './messages.ts'

export const es: Messages = {
  language: 'Español',
  kinds: {
    csat: {
      question: '¿Qué grado de satisfacción tiene con la ayuda recibida?',
      comment: '¿Qué fue bien y qué podríamos mejorar?',
      scores: ['Nada satisfecho', 'Poco satisfecho', 'Neutral', 'Satisfecho', 'Muy satisfecho'],
      lowest: 'Nada satisfecho',
      highest: 'Muy satisfecho',
    },
    nps: {
      question: '¿Qué probabilidad hay de que nos recomiende a otra persona?',
      comment: '¿Cuál es el motivo principal de su puntuación?',
      scores: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10'],
      lowest: 'Nada probable',
      highest: 'Muy probable',
    },
    ces: {
      question: '¿Hasta qué punto está de acuerdo: fue fácil resolver mi consulta?',
      comment: '¿Qué lo habría hecho más fácil?',
      scores: [
        'Muy en desacuerdo',
        'En desacuerdo',
        'Algo en desacuerdo',
        'Neutral',
        'Algo de acuerdo',
        'De acuerdo',
        'Muy de acuerdo',
      ],
      lowest: 'Muy en desacuerdo',
      highest: 'Muy de acuerdo',
    },
  },
  page: {
    title: 'Su opinión',
    about: 'Sobre su consulta «{subject}»',
    send: 'Enviar mi respuesta',
    commentHint: 'Hasta {max} caracteres. No incluya contraseñas ni números de tarjeta.',
    optional: 'opcional',
    oneAnswer: 'No se registra nada hasta que pulse el botón. Cada enlace admite una respuesta.',
    optOut: 'No quiero recibir más encuestas',
    chooseScore: 'Elija una puntuación y envíe su respuesta.',
    again: 'Su respuesta aún no se ha registrado. Revísela y envíela otra vez.',
    switchLanguage: 'Idioma',
  },
  thanks: {
    title: '¡Gracias!',
    text: 'Hemos registrado su respuesta; llegará a las personas que le ayudaron.',
    score: 'Su puntuación: {score} de {max}',
    comment: 'Su comentario',
  },
  answered: {
    title: 'Ya ha respondido, gracias',
    text: 'Este enlace admite una sola respuesta y ya la hemos recibido. No tiene que hacer nada más.',
  },
  optedOut: { title: 'Entendido', text: 'No le enviaremos más encuestas.' },
  stop: { title: '¿No más encuestas?', text: 'Pulse el botón y no le enviaremos más encuestas.' },
  expired: {
    title: 'Este enlace ha caducado',
    text: 'El plazo para responder ha terminado. Si quiere decirnos algo, responda a nuestro último mensaje.',
  },
  notFound: {
    title: 'Este enlace no funciona',
    text: 'Compruebe que copió la dirección completa o abra de nuevo el enlace del mensaje.',
  },
  tooMany: {
    title: 'Un momento, por favor',
    text: 'Hemos recibido muchas peticiones desde su red. Inténtelo dentro de un minuto. No se ha registrado nada.',
  },
  tooLarge: {
    title: 'El texto es demasiado largo',
    text: 'Su respuesta no se ha registrado. Vuelva atrás, acorte el comentario y envíela de nuevo.',
  },
  unavailable: {
    title: 'No ha funcionado',
    text: 'No hemos podido registrar su respuesta. Inténtelo dentro de un minuto.',
  },
  message: {
    greeting: 'Su consulta está resuelta. Una sola pregunta:',
    howTo: 'Elija una respuesta; en la página que se abre puede añadir un comentario y confirmarla.',
    until: 'Puede responder hasta el {date}.',
    stop: '¿No desea recibir estas preguntas?',
  },
}
