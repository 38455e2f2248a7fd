/** What an agent has typed and not yet sent, as it waits in the database. */
import { z } from 'zod'
import type { Attachment } from '#hub/connector/facts.ts'

const files = z.array(
  z.strictObject({
    id: z.string().exactOptional(),
    name: z.string(),
    contentType: z.string().exactOptional(),
    sizeBytes: z.number().exactOptional(),
    url: z.string().exactOptional(),
    isInternal: z.literal(true).exactOptional(),
    source: z.string().exactOptional(),
  }),
)

export const ReplyDraft = z.strictObject({
  kind: z.literal('reply'),
  text: z.string(),
  /** Absent in what was typed before replies had any. */
  files: files.default([]),
  /** Where the preview said that it goes. */
  connectionId: z.string().nullable(),
})
export type ReplyDraft = z.output<typeof ReplyDraft>

/** A message of the chat that is to become a case. */
export const MessageDraft = z.strictObject({
  kind: z.literal('message'),
  text: z.string(),
  author: z.string().nullable(),
  files,
})
export type MessageDraft = z.output<typeof MessageDraft>

/** Files of a chat that colleagues work in, as they go on to others. @param source the chat's connection */
export function fromColleagues(files: readonly Attachment[], source: string): Attachment[] {
  return files.map((file) => ({ ...file, source, isInternal: true as const }))
}
