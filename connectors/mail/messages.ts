/** Messages of one folder. In: their UIDs. Out: what they say, and those that nobody can read, for a person to look at. */
import type { FetchMessageObject, ImapFlow } from 'imapflow'
import type { Page } from '#hub/connector/contract.ts'
import type { Observation } from '#hub/connector/facts.ts'
import { type Mailbox, maxMessageBytes } from './imap.ts'
import { readMail } from './parse.ts'

export interface Folder {
  readonly role: 'inbox' | 'sent'
  readonly path: string
  readonly uidvalidity: string
}

export interface Listed {
  readonly uid: number
  readonly bytes: number
  readonly receivedAt: Date
}

type Unreadable = NonNullable<Page['unreadable']>[number]
type Read = readonly Observation[] | Unreadable

/** What a person needs to see of a message that cannot be read. */
const shownBytes = 64 * 1024
const megabyte = 1024 * 1024

/** Those that are still there. */
export async function listMessages(client: ImapFlow, uids: readonly number[]): Promise<readonly Listed[]> {
  const listed = new Map<number, Listed>()
  const query = { uid: true, size: true, internalDate: true }
  for await (const { uid, size, internalDate } of client.fetch(uids.join(','), query, { uid: true })) {
    // News of a flag may come in between, without a size.
    if (size !== undefined) listed.set(uid, { uid, bytes: size, receivedAt: new Date(internalDate ?? Number.NaN) })
  }
  return uids.flatMap((uid) => listed.get(uid) ?? [])
}

/** All of them are in memory at once: they are no more than a page. */
export async function readMessages(
  ctx: Mailbox,
  client: ImapFlow,
  folder: Folder,
  listed: readonly Listed[],
): Promise<Required<Pick<Page, 'observations' | 'unreadable'>>> {
  const read = new Map<number, Promise<Read>>()
  const wanted = new Map(listed.map((message) => [message.uid, message]))
  const inSize = listed.filter(({ bytes }) => bytes <= maxMessageBytes).map(({ uid }) => uid)
  if (inSize.length > 0) {
    try {
      for await (const { uid, source } of client.fetch(inSize.join(','), { uid: true, source: true }, { uid: true })) {
        const message = wanted.get(uid)
        if (!message || !source || read.has(uid)) continue
        const reading = readOne(ctx, folder, message, source)
        // Awaited below; until then a failure must not end the process.
        reading.catch(() => {})
        read.set(uid, reading)
      }
    } catch (error) {
      // One message that the server cannot give stops the others of its page; they are taken one by one below.
      if (!isRefusal(error)) throw error
    }
  }
  const results: Read[] = []
  for (const message of listed) {
    results.push(await (read.get(message.uid) ?? readAlone(ctx, client, folder, message)))
  }
  return {
    observations: results.flatMap((result) => ('reason' in result ? [] : result)),
    unreadable: results.flatMap((result) => ('reason' in result ? [result] : [])),
  }
}

async function readAlone(ctx: Mailbox, client: ImapFlow, folder: Folder, message: Listed): Promise<Read> {
  const { uid, bytes } = message
  if (bytes > maxMessageBytes) {
    const size = `${Math.ceil(bytes / megabyte)} MB, and ${maxMessageBytes / megabyte} MB is the most that is read`
    const headers = await fetchAlone(client, uid, { headers: true })
    if (headers === 'gone') return []
    const shown = headers === 'refused' ? undefined : headers.headers
    return unreadable(ctx, folder, uid, shown, `the message has ${size}`)
  }
  const found = await fetchAlone(client, uid, { source: true })
  if (found === 'gone') return []
  if (found === 'refused' || !found.source) {
    return unreadable(ctx, folder, uid, undefined, 'the server does not give this message')
  }
  return readOne(ctx, folder, message, found.source)
}

async function fetchAlone(
  client: ImapFlow,
  uid: number,
  query: { readonly headers: true } | { readonly source: true },
): Promise<FetchMessageObject | 'gone' | 'refused'> {
  try {
    return (await client.fetchOne(String(uid), { uid: true, ...query }, { uid: true })) || 'gone'
  } catch (error) {
    if (isRefusal(error)) return 'refused'
    throw error
  }
}

async function readOne(ctx: Mailbox, folder: Folder, message: Listed, source: Buffer): Promise<Read> {
  const { config, signal } = ctx
  const now = ctx.now().getTime()
  // Whoever puts a message into a folder sets this time at will.
  const receivedAt = new Date(Math.min(message.receivedAt.getTime() || now, now)).toISOString()
  const key = keyOf(ctx, folder, message.uid)
  try {
    const result = await readMail(source, { config, folder: folder.role, receivedAt, key }, signal)
    return 'unreadable' in result ? unreadable(ctx, folder, message.uid, source, result.unreadable) : result
  } catch (error) {
    if (signal.aborted) throw error
    // One message must not keep all later ones from being read.
    const words = error instanceof Error ? error.message : String(error)
    return unreadable(ctx, folder, message.uid, source, `reading it failed: ${words}`)
  }
}

function unreadable(ctx: Mailbox, folder: Folder, uid: number, shown: Buffer | undefined, why: string): Unreadable {
  const body = shown?.subarray(0, shownBytes).toString() ?? ''
  return { key: keyOf(ctx, folder, uid), body, reason: `${why}; it stays in "${folder.path}" (UID ${uid})` }
}

function keyOf({ config }: Mailbox, { path, uidvalidity }: Folder, uid: number): string {
  return [config.address, path, uidvalidity, uid].join('|')
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'responseStatus' in error && error.responseStatus === 'NO'
}
