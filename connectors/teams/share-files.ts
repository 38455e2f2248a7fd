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

/**
 * Repeated with the same key, each file takes its own place again.
 * @returns the links; where the app may put nothing there, the files' own.
 * @throws ConnectorError when it is worth trying again
 */
export async function shareFiles(
  ctx: Teams,
  reference: Reference,
  files: readonly OutFile[],
  key: string,
): Promise<readonly SharedFile[]> {
  if (files.length === 0) return []
  try {
    if (reference.kind !== 'channel') throw new ConnectorError('rejected', 'only channels have a folder for files')
    const { driveId, id } = await folderOf(ctx, reference)
    const shared: SharedFile[] = []
    for (const [index, file] of files.entries()) {
      const place = createHash('sha256').update(`${key}|${index}`).digest('hex').slice(0, 8)
      const path = `Deskweave/${place}/${inPath(nameThere(file.name))}`
      const to = `/drives/${inPath(driveId)}/items/${inPath(id)}:/${path}:/content`
      const { webUrl } = await askGraph(ctx, to, WireItem, { body: file.content, contentType: file.contentType })
      shared.push({ name: file.name, url: webUrl })
    }
    return shared
  } catch (error) {
    if (!(error instanceof ConnectorError)) throw error
    // What lies there twice lies there once: nothing was done that could be done double.
    if (error.code === 'outcome_unknown') throw new ConnectorError('unavailable', error.message, { cause: error })
    if (reaction[error.code] === 'retry') throw error
    ctx.log.warn({ err: error }, 'files cannot be put into the folder of a channel: they are named instead')
    return files.map(({ name, url }) => ({ name, ...(url === undefined ? {} : { url }) }))
  }
}

const longestName = 120

/** SharePoint takes no name with these signs, none that begins like a lock, and none that ends in a dot or a space. */
function nameThere(name: string): string {
  const clean = name
    .toWellFormed()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced.
    .replaceAll(/["*:<>?/\\|\u0000-\u001f\u007f]/g, '_')
    .replace(/^[~.\s]+|[.\s]+$/g, '')
  if (clean.length <= longestName) return clean || 'file'
  const [extension = ''] = /\.\w{1,10}$/.exec(clean) ?? []
  return `${clean.slice(0, longestName - extension.length).toWellFormed()}${extension}`
}
