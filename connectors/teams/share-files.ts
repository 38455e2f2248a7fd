/**
 * Files that the app shows in a channel. A bot can put none into a message there: they go into the folder that the channel
 * has in SharePoint, where everybody in it may open them, and the message links to them.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { OutFile } from '#hub/connector/contract.ts'
import { ConnectorError, reaction } from '#hub/connector/errors.ts'
import type { Teams } from './client.ts'
import { askGraph } from './graph.ts'
import { inPath } from './in-path.ts'
import type { Reference } from './reference.ts'
import { folderOf } from './team.ts'

/** Without an address where there is none for those who read it: then it is named. */
export interface SharedFile {
  readonly name: string
  readonly url?: string
}

/** `chat` and `writeCase` take as much: the hub fetches up to 20 MB for one file, and Microsoft Graph takes 250 at once. */
export const takesFiles = { maxBytes: 25 * 1024 * 1024 } as const

const WireItem = z.object({ webUrl: z.url() })

/** @param mayWait the message may be held back while Microsoft cannot be reached. */
interface Sharing {
  readonly files: readonly OutFile[]
  readonly mayWait: boolean
  readonly key: string
}

/**
 * Repeated with the same key, each file takes its own place again.
 * @returns the links; for what cannot lie there, the file's own.
 * @throws ConnectorError when it is worth trying again
 */
export async function shareFiles(ctx: Teams, reference: Reference, sharing: Sharing): Promise<readonly SharedFile[]> {
  const { files, mayWait } = sharing
  if (files.length === 0) return []
  const unless = (error: unknown): void => {
    if (!(error instanceof ConnectorError)) throw error
    if (mayWait && isPassing(error)) throw withoutEffect(error)
    ctx.log.warn({ err: error }, 'a file cannot be put into the folder of a channel: it is named instead')
  }
  let folder: Awaited<ReturnType<typeof folderOf>> | undefined
  try {
    if (reference.kind !== 'channel') throw new ConnectorError('rejected', 'only channels have a folder for files')
    folder = await folderOf(ctx, reference)
  } catch (error) {
    unless(error)
  }
  const shared: SharedFile[] = []
  for (const [index, file] of files.entries()) {
    const { name, url } = file
    const same = files.slice(0, index).filter((other) => other.name === name).length
    try {
      shared.push({
        name,
        ...(folder ? { url: await put(ctx, folder, file, `${sharing.key}|${name}|${same}`) } : named(url)),
      })
    } catch (error) {
      unless(error)
      shared.push({ name, ...named(url) })
    }
  }
  return shared
}

const named = (url: string | undefined) => (url === undefined ? {} : { url })

const isPassing = ({ code }: ConnectorError) => reaction[code] === 'retry' || reaction[code] === 'resolve_unknown'

/** What is put there twice lies there once: nothing was done that could be done double. */
function withoutEffect(error: ConnectorError): ConnectorError {
  if (error.code !== 'outcome_unknown') return error
  return new ConnectorError('unavailable', error.message, { cause: error })
}

async function put(
  ctx: Teams,
  { driveId, id }: { readonly driveId: string; readonly id: string },
  { name, content, contentType }: OutFile,
  key: string,
): Promise<string> {
  const place = createHash('sha256').update(key).digest('hex').slice(0, 8)
  const path = `Deskweave/${place}/${inPath(nameThere(name))}`
  const to = `/drives/${inPath(driveId)}/items/${inPath(id)}:/${path}:/content`
  const { webUrl } = await askGraph(ctx, to, WireItem, { body: content, contentType })
  return webUrl
}

const longestName = 120

/**
 * SharePoint takes no name with these signs, none that begins like a lock or ends in a dot or a space, and none of its own.
 * https://support.microsoft.com/office/restrictions-and-limitations-in-onedrive-and-sharepoint-64883a5d-228e-48f5-b3d2-eb39e07630fa
 */
function nameThere(name: string): string {
  const clean = name
    .toWellFormed()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced.
    .replaceAll(/["*:<>?/\\|\u0000-\u001f\u007f]/g, '_')
    .replaceAll(/_vti_/gi, '_')
    .replace(/^[~.\s]+|[.\s]+$/g, '')
  if (clean === '') return 'file'
  if (/^(?:(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)|desktop\.ini$)/i.test(clean)) return `_${clean}`
  if (clean.length <= longestName) return clean
  const [extension = ''] = /\.\w{1,10}$/.exec(clean) ?? []
  return `${clean.slice(0, longestName - extension.length).toWellFormed()}${extension}`
}
