/** Files as Slack tells of them: whole, held back until the app asks for them, or gone. Pure. */
import { z } from 'zod'
import type { Attachment } from '#hub/connector/facts.ts'
import type { WireFile } from './wire-event.ts'

/** What it takes to ask for files that were held back. */
export const FilesAt = z.object({
  reference: z.string(),
  channel: z.string().min(1),
  files: z.array(z.string().min(1)),
})
export type FilesAt = z.output<typeof FilesAt>

interface Access {
  readonly mode?: string | null | undefined
  readonly file_access?: string | null | undefined
}

/** Of a file in a shared channel (Slack Connect) an app is told the id alone: https://docs.slack.dev/apis/slack-connect */
export const isHeldBack = ({ file_access: access }: Access) => access === 'check_file_info'

/** Deleted, too old for the workspace's plan, or kept by the other company to itself. */
export const isGone = ({ mode, file_access: access }: Access) => goneModes.has(mode) || access === 'access_denied'
const goneModes = new Set<unknown>(['tombstone', 'hidden_by_limit'])

/** @returns `heldBack`: ids, to be asked for by `files.info` */
export function toldFiles(files: readonly (WireFile | null | undefined)[] | null | undefined): {
  readonly named: readonly Attachment[]
  readonly heldBack: readonly string[]
} {
  const there = (files ?? []).flatMap((file) => (file && !isGone(file) ? [file] : []))
  return {
    named: there.flatMap((file) => named(file) ?? []),
    heldBack: there.flatMap((file) => (isHeldBack(file) && !named(file) ? [file.id] : [])),
  }
}

/** How files are spoken of that nobody has named yet; what is in them can be had by the id. */
export function seenFiles(ids: readonly string[], word: string): readonly (Attachment & { readonly id: string })[] {
  return ids.map((id, index) => ({ id, name: ids.length === 1 ? word : `${word} ${index + 1}` }))
}

function named(file: WireFile): Attachment | undefined {
  const url = file.url_private_download ?? file.url_private
  if (!url && !file.name && !file.mimetype) return undefined
  return {
    id: file.id,
    name: file.name || file.title || file.id,
    ...(file.mimetype ? { contentType: file.mimetype } : {}),
    ...(Number.isSafeInteger(file.size) && Number(file.size) >= 0 ? { sizeBytes: Number(file.size) } : {}),
    ...(url ? { url } : {}),
  }
}
