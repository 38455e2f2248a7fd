/** Each file remembers which connection told of it, as only that one can read it later. Pure. */
import type { ChatHappening } from '#hub/connector/chat.ts'
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
  const { what } = happening
  if (!('message' in what) || !what.message) return happening
  const message = { ...what.message, files: marked(what.message.files, connectionId) }
  return { ...happening, what: { ...what, message } as ChatHappening['what'] }
}

function marked(files: readonly Attachment[], connectionId: string): readonly Attachment[] {
  return files.map((file) => ({ ...file, source: connectionId }))
}
