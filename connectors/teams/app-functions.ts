/** What the Teams app does, and what it needs for that: nothing is asked for without a function here. */
export type Language = 'en' | 'es'
export type Wording = Readonly<Record<Language, string>>

type Scope = 'personal' | 'team' | 'groupChat'

/** A word that the bot understands. It is what is sent to the bot, so it is the same in each language. */
interface BotCommand {
  readonly word: string
  readonly description: Wording
}

/** An entry of the message extension. */
interface ExtensionCommand {
  readonly id: string
  readonly type: 'query' | 'action'
  readonly context: readonly ('compose' | 'commandBox' | 'message')[]
  readonly title: Wording
  readonly description: Wording
  /** Teams asks for at least one parameter of a search; an action opens a dialog of the bot's instead. */
  readonly parameter?: { readonly name: string; readonly title: Wording; readonly description: Wording }
}

interface TeamsFunction {
  /** As an administrator reads it who has to approve the permissions. */
  readonly does: string
  readonly scopes?: readonly Scope[]
  readonly permissions?: readonly string[]
  readonly commands?: readonly BotCommand[]
  readonly extension?: readonly ExtensionCommand[]
  readonly needs?: 'files' | 'links'
}

export const teamsFunctions: readonly TeamsFunction[] = [
  { does: 'post case cards, keep them up to date, and answer in threads', scopes: ['team', 'groupChat'] },
  {
    does: "keep what is written in a case's thread, or in a customer's channel, with the case",
    permissions: ['ChannelMessage.Read.Group', 'ChatMessage.Read.Chat'],
  },
  {
    does: 'notify an agent in private, and show their own queue and figures',
    scopes: ['personal'],
    commands: [
      {
        word: 'queue',
        description: { en: 'My open cases, the most urgent first', es: 'Mis casos abiertos, primero los más urgentes' },
      },
      { word: 'figures', description: { en: 'My figures of this week', es: 'Mis cifras de esta semana' } },
    ],
  },
  {
    does: 'answer when somebody asks the app',
    scopes: ['personal', 'team', 'groupChat'],
    commands: [
      {
        word: 'find',
        description: {
          en: 'Find a case or a customer by number, e-mail or words',
          es: 'Buscar un caso o un cliente por número, correo o palabras',
        },
      },
      { word: 'help', description: { en: 'What the app can do', es: 'Qué puede hacer la aplicación' } },
    ],
  },
  {
    does: 'take a case from a message, and reply in public after a preview',
    extension: [
      {
        id: 'createCase',
        type: 'action',
        context: ['message'],
        title: { en: 'Create a case', es: 'Crear un caso' },
        description: {
          en: 'Make a case of this message, with its files',
          es: 'Convertir este mensaje, con sus archivos, en un caso',
        },
      },
      {
        id: 'publicReply',
        type: 'action',
        context: ['message'],
        title: { en: 'Send as public reply', es: 'Enviar como respuesta pública' },
        description: {
          en: 'Show this message to the customer, after a preview',
          es: 'Mostrar este mensaje al cliente, tras una vista previa',
        },
      },
    ],
  },
  {
    does: 'find a case and put it into a conversation',
    extension: [
      {
        id: 'searchCases',
        type: 'query',
        context: ['compose', 'commandBox'],
        title: { en: 'Find a case', es: 'Buscar un caso' },
        description: { en: 'Search cases in all tools', es: 'Buscar casos en todas las herramientas' },
        parameter: {
          name: 'words',
          title: { en: 'Words', es: 'Palabras' },
          description: { en: 'A number, an e-mail address or words', es: 'Un número, un correo o palabras' },
        },
      },
    ],
  },
  { does: 'show the case behind a link to it', needs: 'links' },
  { does: 'carry files between a conversation and the desk', needs: 'files' },
  { does: 'make cases of what customers write in channels shared with them' },
]

/** The personal tab. */
export const homeTab: Wording = { en: 'My queue', es: 'Mi cola' }

export const appDescription: { readonly short: Wording; readonly full: Wording } = {
  short: {
    en: 'See and work on the cases of all your help desks without leaving Teams',
    es: 'Vea y atienda los casos de todas sus mesas de ayuda sin salir de Teams',
  },
  full: {
    en: [
      'Cases of every help desk, mailbox and CRM that your company has connected appear as cards in the channels you choose.',
      'A thread is the conversation of its case: what you write there is an internal note, and only a reply that you preview and confirm reaches the customer.',
      'Assign, prioritise, snooze, merge, escalate and resolve; find similar cases; see the whole customer. Your help desk stays the system of record.',
    ].join('\n\n'),
    es: [
      'Los casos de cada mesa de ayuda, buzón y CRM que su empresa ha conectado aparecen como tarjetas en los canales que elija.',
      'Un hilo es la conversación de su caso: lo que escribe ahí es una nota interna, y al cliente solo le llega una respuesta que usted ha visto antes y ha confirmado.',
      'Asigne, priorice, posponga, combine, escale y resuelva; encuentre casos parecidos; vea al cliente entero. Su mesa de ayuda sigue siendo el sistema de registro.',
    ].join('\n\n'),
  },
}
