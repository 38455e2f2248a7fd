/** Where Microsoft Graph has a message whose files are wanted. */
import { z } from 'zod'
import { Reference } from './reference.ts'

/** `opener`: of the thread, in channels; the message itself where it opens one. */
export const FilesAt = Reference.extend({ message: z.string().min(1), opener: z.string().min(1).optional() })
export type FilesAt = z.output<typeof FilesAt>
