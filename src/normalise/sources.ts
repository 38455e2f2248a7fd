/** Each file remembers which connection told of it, as only that one can read it later. Pure. */
import type { ChatHappening, ChatMessage } from '#hub/connector/chat.ts'
import type { Attachment, Observation } from '#hub/connector/facts.ts'

export function withSource<O extends Observation>(observation: O, connectionId: string): O {
  if (observation.type === 'chat')
    return { ...observation, happening: ofHappening(observation.happening, connectionId) }
  if (observation.type === 'file') return { ...observation, file: { ...observation.file, source: connectionId } }
  if (observation.type !== 'message' && observation.type !== 'threaded') return observation
  const { attachments } = observation.message
  if (!attachments) return observation
  return { ...observation, message: { ...observation.message, attachments: marked(attachments, connectionId) } }
}

function ofHappening(happening: ChatHappening, connectionId: string): ChatHappening {
  return withMessage(happening, (message) => ({ ...message, files: marked(message.files, connectionId) }))
}

/** The same happening about a changed message; itself where it is about none. */
export function withMessage(happening: ChatHappening, change: <M extends ChatMessage>(message: M) => M): ChatHappening {
  const { what } = happening
  switch (what.kind) {
    case 'message':
    case 'edited':
      return { ...happening, what: { ...what, message: change(what.message) } }
    case 'shortcut':
      return what.message ? { ...happening, what: { ...what, message: change(what.message) } } : happening
    default:
      return happening
  }
}

function marked(files: readonly Attachment[], connectionId: string): readonly Attachment[] {
  return files.map((file) => ({ ...file, source: connectionId }))
}
