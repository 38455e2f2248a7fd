/** What an action still lacks when it leaves: the conversation it goes into, its author's name there, its files. */
import type { LoadedConnection } from '#hub/connections/index.ts'
import { threadOfCaseId } from '#hub/connector/chat.ts'
import type { OutAuthor } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { Attachment, Author } from '#hub/connector/facts.ts'
import type { Hub } from '#hub/hub.ts'
import type { Action } from '#hub/outbox/action.ts'
import type { Db } from '#hub/platform/db/database.ts'
import { type ReadFile, withItsFiles } from './files.ts'
import { accountOf, channelReference, linkOf, type OutboxRow } from './store.ts'
import { inItsThread } from './thread.ts'

/** @param row its attempts so far, from 0, and the hub's case. @throws ConnectorError not_found, rejected, unavailable */
export async function complete<A extends Action>(
  hub: Pick<Hub, 'db' | 'connections'>,
  target: LoadedConnection,
  given: A,
  row: Pick<OutboxRow, 'attempts' | 'case_id'>,
  signal: AbortSignal,
): Promise<A> {
  const { writeCase } = target.connector.can
  const action = await inItsCase(hub.db, target.id, given, row.case_id)
  const threaded = await inItsThread(hub.db, writeCase, target.id, action)
  if (threaded.type !== 'case.message') return threaded
  const author = await authorOf(hub.db, target.id, threaded.author)
  const signed = { ...threaded.message, ...(author ? { author } : {}) }
  const message = await withItsFiles(signed, writeCase?.takesFiles, readerOf(hub, signal), row.attempts)
  const reference = await referenceFor(hub.db, target, threaded.externalId)
  return { ...threaded, message: { ...message, ...(reference === undefined ? {} : { reference }) } }
}

/** Its case was being opened there when it was wanted. @throws ConnectorError not_found */
async function inItsCase<A extends Action>(db: Db, connectionId: string, action: A, caseId: string | null): Promise<A> {
  if (action.type !== 'case.message' || action.externalId !== null) return action
  const externalId = caseId === null ? undefined : await linkOf(db, connectionId, caseId)
  if (externalId === undefined) throw new ConnectorError('not_found', 'the case it belongs to was not opened there')
  return { ...action, externalId }
}

/** How a chat tool finds the channel again in which the case's thread stands. */
async function referenceFor(db: Db, { id, connector }: LoadedConnection, externalId: string | null) {
  if (!connector.can.chat || externalId === null) return undefined
  return await channelReference(db, id, threadOfCaseId(externalId).channel)
}

/** Rules and surveys speak in the hub's own name. */
async function authorOf(db: Db, connectionId: string, author: Author): Promise<OutAuthor | undefined> {
  const { kind, name, email } = author
  if (kind !== 'agent' || (name === undefined && email === undefined)) return undefined
  const accountId = email === undefined ? undefined : await accountOf(db, connectionId, email)
  return {
    ...(name === undefined ? {} : { name }),
    ...(email === undefined ? {} : { email }),
    ...(accountId === undefined ? {} : { accountId }),
  }
}

/** By the connection that told of the file, with its own credentials. */
export function readerOf(hub: Pick<Hub, 'connections'>, signal: AbortSignal): ReadFile {
  return async (file: Attachment, maxBytes) => {
    const source = hub.connections.all().find(({ id }) => id === file.source)
    const { readFile } = source?.connector.can ?? {}
    if (!source || !readFile) {
      throw new ConnectorError('not_found', `no connection can read the file "${file.name}"`)
    }
    const context = hub.connections.contextFor(source, signal)
    try {
      return await readFile(context, file, maxBytes)
    } catch (error) {
      if (!(error instanceof ConnectorError)) throw error
      // A connector's words are kept and shown.
      const wait = error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }
      const told = new ConnectorError(error.code, source.door.redact(error.message), wait)
      context.log.warn({ err: told }, 'a file could not be read')
      throw told
    }
  }
}
