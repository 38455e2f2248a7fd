/** What is needed to answer one person in private: travels beside the happening as text, and is good for a short time. */
import { z } from 'zod'

const Handle = z.object({
  /** Opens a dialog, once, within three seconds. */
  trigger: z.string().exactOptional(),
  /** Takes up to five answers within half an hour. */
  response: z.string().exactOptional(),
  /** The dialog that it was pressed in. */
  view: z.object({ id: z.string(), hash: z.string().exactOptional() }).exactOptional(),
  /** The message that it was pressed on is seen by this person alone. */
  isEphemeral: z.literal(true).exactOptional(),
})
export type Handle = z.output<typeof Handle>

export function packHandle(handle: Handle): string {
  return JSON.stringify(handle)
}

export function unpackHandle(text: string | undefined): Handle {
  try {
    return Handle.parse(JSON.parse(text ?? '{}'))
  } catch {
    return {}
  }
}
