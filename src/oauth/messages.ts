/** What the pages of an installation say. {name}: the vendor, or the place where the app was installed. */
import type { Language } from '#hub/surveys/messages/index.ts'

export type OutcomeKind = 'done' | 'declined' | 'refused' | 'used' | 'badLink' | 'badState'

export interface Outcome {
  readonly kind: OutcomeKind
  readonly status: number
}

export interface OutcomeText {
  readonly title: string
  readonly text: string
}

export const outcomes: Readonly<Record<Language, Readonly<Record<OutcomeKind, OutcomeText>>>> = {
  en: {
    done: { title: 'The app is installed', text: '{name} is connected. You can close this page.' },
    declined: {
      title: 'Nothing was installed',
      text: 'You did not allow the app in {name}. Open the link again if you change your mind.',
    },
    refused: {
      title: 'That did not work',
      text: '{name} did not complete the installation. Ask for a new link and try again; the hub’s log says why.',
    },
    used: {
      title: 'This link was used already',
      text: 'Each link installs the app once. Ask for a new one to install it in another place.',
    },
    badLink: {
      title: 'This link is not good any more',
      text: 'It has expired, or a part of it is missing. Ask the administrator of the hub for a new one.',
    },
    badState: {
      title: 'Please begin again',
      text: 'This installation was begun in another browser, or more than ten minutes ago. Open the link you were given again.',
    },
  },
  es: {
    done: { title: 'La aplicación está instalada', text: '{name} está conectado. Puede cerrar esta página.' },
    declined: {
      title: 'No se ha instalado nada',
      text: 'No ha permitido la aplicación en {name}. Abra el enlace otra vez si cambia de idea.',
    },
    refused: {
      title: 'No ha funcionado',
      text: '{name} no ha completado la instalación. Pida un enlace nuevo e inténtelo otra vez; el registro del hub dice por qué.',
    },
    used: {
      title: 'Este enlace ya se ha usado',
      text: 'Cada enlace instala la aplicación una vez. Pida uno nuevo para instalarla en otro sitio.',
    },
    badLink: {
      title: 'Este enlace ya no sirve',
      text: 'Ha caducado o le falta algo. Pida uno nuevo a quien administra el hub.',
    },
    badState: {
      title: 'Empiece otra vez, por favor',
      text: 'Esta instalación empezó en otro navegador o hace más de diez minutos. Abra otra vez el enlace que recibió.',
    },
  },
}
