/**
 * New mail since a cursor, from the inbox and the folder for sent mail, in pages of a bounded size: no more than one page of
 * messages is in memory, and the mailbox may hold any number. A page's cursor is stored after the page, so that a kill in the
 * middle reads it again. https://www.rfc-editor.org/rfc/rfc3501#section-2.3.1.1
 */
import type { ImapFlow, MailboxObject } from 'imapflow'
import type { Page } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { type Cursor, isDue, proceed, type Reading, readCursor, readUpTo, searches } from './cursor.ts'
import { type Mailbox, openFolder, openImap, placeOf, sentFolder } from './imap.ts'
import { imapError } from './imap-error.ts'
import { type Folder, type Listed, listMessages, readMessages } from './messages.ts'

const messagesPerPage = 50
const bytesPerPage = 20 * 1024 * 1024

/** @throws ConnectorError as `openImap`, not_found for a folder that is missing, malformed for the cursor. */
export async function* since(ctx: Mailbox, stored: string | undefined): AsyncGenerator<Page> {
  let cursor = readCursor(stored)
  const readAt = ctx.now().toISOString()
  const session = await openImap(ctx)
  const { client } = session
  try {
    for (const role of ['inbox', 'sent'] as const) {
      const path = role === 'inbox' ? ctx.config.folder : await sentFolder(ctx, client)
      if (path === undefined) {
        cursor = { noSentSince: ctx.now().toISOString(), ...cursor }
        continue
      }
      for await (const page of readFolder(ctx, client, { role, path }, cursor)) {
        cursor = page.cursor
        if (page.observations.length + page.unreadable.length > 0) yield { ...page, cursor: JSON.stringify(cursor) }
      }
    }
    yield { observations: [], cursor: JSON.stringify({ ...cursor, readAt }) }
  } catch (error) {
    client.close()
    if (ctx.signal.aborted) throw new ConnectorError('unavailable', `${placeOf(ctx.config)}: given up`)
    throw imapError(error, placeOf(ctx.config))
  } finally {
    await session.close()
  }
}

type FolderPage = Omit<Page, 'cursor'> & Required<Pick<Page, 'unreadable'>> & { readonly cursor: Cursor }

async function* readFolder(
  ctx: Mailbox,
  client: ImapFlow,
  { role, path }: { readonly role: 'inbox' | 'sent'; readonly path: string },
  before: Cursor,
): AsyncGenerator<FolderPage> {
  const opened = await openFolder(ctx, client, path)
  const look = { uidvalidity: String(opened.uidValidity), highestUid: await highestUidOf(client, opened) }
  const { noSentSince, ...known } = before
  const newsSince = (role === 'sent' ? noSentSince : undefined) ?? before.readAt
  let reading = proceed(before.folders[path], look, ctx.now(), newsSince)
  const cursorAt = (now: Reading): Cursor => ({
    ...(role === 'sent' ? known : before),
    folders: { ...before.folders, [path]: now },
  })
  const folder: Folder = { role, path, uidvalidity: look.uidvalidity }
  for await (const part of parts(client, await waitingUids(client, reading))) {
    const due = part.filter((message) => isDue(reading, message))
    const page = await readMessages(ctx, client, folder, due)
    reading = readUpTo(reading, part.at(-1)?.uid ?? 0)
    yield { ...page, cursor: cursorAt(reading) }
  }
  yield { observations: [], unreadable: [], cursor: cursorAt(readUpTo(reading, reading.rescan?.upTo ?? 0)) }
}

async function highestUidOf(client: ImapFlow, opened: MailboxObject): Promise<number> {
  if (opened.uidNext > 0) return opened.uidNext - 1
  // UIDNEXT is recommended, not required.
  const last = opened.exists > 0 ? await client.fetchOne('*', { uid: true }) : false
  return last ? last.uid : 0
}

/** Ascending. 8 bytes a message: the only thing here that grows with the backlog. */
async function waitingUids(client: ImapFlow, reading: Reading): Promise<readonly number[]> {
  const found: number[] = []
  for (const search of searches(reading)) {
    const uids = await client.search(search, { uid: true })
    if (!uids) throw new ConnectorError('unavailable', 'the IMAP server broke off a search')
    // `n:*` also finds the last message when its UID is below n.
    for (const uid of uids) if (uid > reading.lastUid && uid > (found.at(-1) ?? 0)) found.push(uid)
  }
  return found
}

/** As many messages as one page may hold; one that is bigger than that has a page of its own. */
async function* parts(client: ImapFlow, uids: readonly number[]): AsyncGenerator<readonly Listed[]> {
  for (let start = 0; start < uids.length; start += messagesPerPage) {
    const listed = await listMessages(client, uids.slice(start, start + messagesPerPage))
    let part: Listed[] = []
    let bytes = 0
    for (const message of listed) {
      if (part.length > 0 && bytes + message.bytes > bytesPerPage) {
        yield part
        part = []
        bytes = 0
      }
      part.push(message)
      bytes += message.bytes
    }
    if (part.length > 0) yield part
  }
}
