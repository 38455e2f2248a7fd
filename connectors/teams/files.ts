/** Files that people put into Teams: which a message has, and what is in them. */
import { z } from 'zod'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { Attachment } from '#hub/connector/facts.ts'
import { fetchFile } from '#hub/connector/file.ts'
import type { Teams } from './client.ts'
import { isEmulator, isService, isSharePoint } from './config.ts'
import { FilesAt } from './files-at.ts'
import { askGraph, filesBudget } from './graph.ts'
import { inPath } from './in-path.ts'
import { namedFile } from './named-file.ts'
import { parsed } from './parsed.ts'
import { channelPath, folderOf } from './team.ts'
import { tokenOf } from './token.ts'
import { WireReference } from './wire.ts'

const maybe = <T extends z.ZodType>(schema: T) => schema.nullish().catch(undefined)
const WireBy = maybe(z.object({ user: maybe(z.object({ id: z.string() })) }))
const WireMessage = z.object({ from: WireBy, attachments: z.array(z.unknown()).catch([]) })
const WireItem = z.object({
  createdBy: WireBy,
  lastModifiedBy: WireBy,
  parentReference: z.object({ driveId: z.string(), id: z.string() }),
  size: z.number(),
  '@microsoft.graph.downloadUrl': z.url(),
})

/** As Microsoft Graph tells it, where the team or chat has consented to its messages being read (RSC). */
export async function filesOf(ctx: Teams, at: string): Promise<readonly Attachment[]> {
  const { files } = await messageAt(ctx, at)
  return files.map((file) => ({ ...file, id: at }))
}

async function messageAt(ctx: Teams, at: string) {
  const where = FilesAt.safeParse(parsed(at)).data
  if (!where) throw new ConnectorError('rejected', 'teams: a message whose files are wanted is named in an unknown way')
  const { from, attachments } = await askGraph(ctx, await pathOf(ctx, where), WireMessage)
  const files = attachments.flatMap((one) => {
    const reference = WireReference.safeParse(one).data
    return reference ? [namedFile(reference)] : []
  })
  return { where, author: from?.user?.id, files }
}

async function pathOf(ctx: Teams, at: FilesAt): Promise<string> {
  const { kind, conversation, message, opener = message } = at
  if (kind !== 'channel') return `/chats/${inPath(conversation)}/messages/${inPath(message)}`
  const thread = `${await channelPath(ctx, at)}/messages/${inPath(opener)}`
  return opener === message ? thread : `${thread}/replies/${inPath(message)}`
}

/**
 * A picture pasted into a message lies at Teams and is shown to the bot; a file lies in SharePoint, and is read through
 * Microsoft Graph where an administrator lets the app. No other address is called.
 */
export async function readFile(ctx: Teams, file: Attachment, maxBytes: number): Promise<Uint8Array> {
  const url = URL.parse(file.url ?? '')
  if (url && isPicture(ctx, url)) {
    const headers = { authorization: `Bearer ${await tokenOf(ctx, 'bot')}` }
    return await fetchFile(ctx, url, { headers, maxBytes, ...filesBudget(url) })
  }
  if (file.url === undefined || file.id === undefined || !url || !isSharePoint(url, ctx.config)) {
    throw refused(file, `it lies at ${url?.host ?? 'no address'}, where the app reads no files`)
  }
  const item = await askGraph(ctx, `/shares/u!${Buffer.from(file.url).toString('base64url')}/driveItem`, WireItem)
  await mayBeCarried(ctx, file, file.id, item)
  if (item.size > maxBytes) throw refused(file, `it has ${item.size} bytes; ${maxBytes} may be carried`)
  const download = new URL(item['@microsoft.graph.downloadUrl'])
  if (!isSharePoint(download, ctx.config)) throw refused(file, `it is given out at ${download.host}`)
  return await fetchFile(ctx, download, { maxBytes, ...filesBudget(download) })
}

/**
 * The app may read more than the person who wrote the message, who could attach any address: so a file goes on only when the
 * message is there and has it, and when it lies in the channel's own folder or was made by whoever attached it.
 * @throws ConnectorError rejected
 */
async function mayBeCarried(ctx: Teams, file: Attachment, at: string, item: z.output<typeof WireItem>): Promise<void> {
  const { where, author, files } = await messageAt(ctx, at)
  const sameUrl = hrefOf(file.url)
  if (!files.some(({ url }) => hrefOf(url) === sameUrl)) throw refused(file, 'the message does not have it (any more)')
  const makers = [item.createdBy?.user?.id, item.lastModifiedBy?.user?.id]
  if (author !== undefined && makers.includes(author)) return
  if (where.kind === 'channel') {
    const folder = await folderOf(ctx, where)
    if (folder.id === item.parentReference.id && folder.driveId === item.parentReference.driveId) return
  }
  throw refused(file, 'it is neither in the folder of its channel nor of the person who attached it')
}

function isPicture({ config }: Teams, url: URL): boolean {
  return isService(url.origin, config) && !isEmulator(url.origin, config) && url.pathname.includes('/v3/attachments/')
}

/** Of two that lead to the same place one may be written with `%20`, the other with a space. */
const hrefOf = (url: string | undefined) => URL.parse(url ?? '')?.href

const refused = ({ name }: Attachment, why: string) => new ConnectorError('rejected', `teams file "${name}": ${why}`)
