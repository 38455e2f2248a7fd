/** By which of its own means a tool offers a function, where the tools differ; the rest is a button or a menu on the card. */
import type { FunctionId } from './functions.ts'
import type { Tool } from './worlds.ts'

export interface Way {
  readonly en: string
  readonly es: string
}

const consent: Way = { en: 'with consent to read messages', es: 'con permiso para leer mensajes' }
const files: Way = { en: 'with permission for files', es: 'con permiso para archivos' }

export const ways: Readonly<Record<Tool, Readonly<Partial<Record<FunctionId, Way>>>>> = {
  Slack: {
    'reply-from-message': { en: 'message shortcut', es: 'acción del mensaje' },
    create: { en: 'message shortcut', es: 'acción del mensaje' },
    search: { en: 'shortcut, `/deskweave find …`', es: 'atajo, `/deskweave find …`' },
    command: { en: '`/deskweave …`', es: '`/deskweave …`' },
    home: { en: 'App Home', es: 'pestaña Inicio de la aplicación' },
    'customer-case': { en: 'Slack Connect channel', es: 'canal de Slack Connect' },
    escalate: { en: 'confirmation dialog', es: 'cuadro de confirmación' },
  },
  Teams: {
    note: consent,
    edits: consent,
    'files-to-desk': files,
    'files-from-desk': files,
    'customer-files': files,
    'reply-from-message': { en: 'message action', es: 'acción del mensaje' },
    create: { en: 'message action', es: 'acción del mensaje' },
    search: { en: 'search box, `find …`', es: 'cuadro de búsqueda, `find …`' },
    command: { en: 'chat with the app', es: 'chat con la aplicación' },
    home: { en: 'tab *My queue* of the app', es: 'pestaña *Mi cola* de la aplicación' },
    'customer-case': {
      en: 'shared channel, with consent to read messages',
      es: 'canal compartido, con permiso para leer mensajes',
    },
    escalate: { en: 'question on the card', es: 'pregunta en la tarjeta' },
  },
}
