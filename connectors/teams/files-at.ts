/** Where Microsoft Graph has a message whose files are wanted. */
import { z } from 'zod'

export const FilesAt = z.object({
  service: z.url(),
  /** Without a thread. */
  conversation: z.string().min(1),
  message: z.string().min(1),
  /** Absent outside of channels. `group`: what Graph calls the team, where Teams has told it; `opener`: of the thread. */
  channel: z
    .object({ team: z.string().min(1), group: z.string().min(1).optional(), opener: z.string().min(1).optional() })
    .optional(),
})
export type FilesAt = z.output<typeof FilesAt>
