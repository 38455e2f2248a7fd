/**
 * One signed-in IMAP connection. In: a context. Out: imapflow's client on the address that the hub has checked, or a
 * `ConnectorError`. Folders are opened read-only (EXAMINE) and messages are fetched by PEEK: what people have read stays theirs
 * to say.
 */
import { isIP } from 'node:net'
import type { ImapFlow, ListResponse, MailboxObject } from 'imapflow'
import type { Context } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { MailConfig } from './config.ts'
import { imapError } from './imap-error.ts'
import { refusePlainText } from './plain-text.ts'

export type Mailbox = Context<MailConfig>

export interface Session {
  readonly client: ImapFlow
  /** Why the line is down, once it is. */
  lost(): unknown
  close(): Promise<void>
}

/** Messages over this are not read; a part of a mail that is encoded in base64 grows by a third. */
export const maxMessageBytes = 50 * 1024 * 1024
const connectWithinMs = 15_000
const goodbyeWithinMs = 2_000

/** The server, in words for messages. */
export function placeOf({ imap }: MailConfig): string {
  return `IMAP ${imap.host}:${imap.port}`
}

/**
 * @param silenceMs how long the server may leave a command without an answer.
 * @throws ConnectorError host_refused, auth_failed, rate_limited, unavailable
 */
export async function openImap(ctx: Mailbox, silenceMs = 60_000): Promise<Session> {
  const { config, net, signal } = ctx
  const { host, port, tls, ca } = config.imap
  const { address, servername } = await net.resolve(host, port)
  refusePlainText(tls, address, placeOf(config))
  // Loaded by the first call, so that a hub without mail never loads it.
  const { ImapFlow } = await import('imapflow')
  const client = new ImapFlow({
    host: address,
    port,
    secure: tls === 'implicit',
    doSTARTTLS: tls === 'starttls',
    ...(isIP(servername) === 0 ? { servername } : {}),
    tls: { minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) },
    auth: { user: config.user ?? config.address, pass: config.password },
    logger: false,
    disableAutoIdle: true,
    disableCompression: true,
    connectionTimeout: connectWithinMs,
    greetingTimeout: connectWithinMs,
    socketTimeout: silenceMs,
    maxLiteralSize: maxMessageBytes + 1024,
    maxResponseSize: maxMessageBytes * 2,
    maxLineLength: maxMessageBytes,
  })
  let lost: unknown
  client.on('error', (error) => {
    lost ??= error
  })
  const abort = () => client.close()
  signal.addEventListener('abort', abort, { once: true })
  try {
    if (signal.aborted) throw new ConnectorError('unavailable', `${placeOf(config)}: given up`)
    await client.connect()
  } catch (error) {
    signal.removeEventListener('abort', abort)
    client.close()
    throw imapError(error, placeOf(config))
  }
  return {
    client,
    lost: () => lost,
    async close() {
      signal.removeEventListener('abort', abort)
      if (client.usable) {
        const late = setTimeout(() => client.close(), goodbyeWithinMs)
        // A line that breaks now has done its work.
        await client.logout().catch(() => {})
        clearTimeout(late)
      }
      client.close()
    },
  }
}

/** @throws ConnectorError as `openImap`, and what the server's answers mean. */
export async function withImap<T>(ctx: Mailbox, use: (client: ImapFlow) => Promise<T>): Promise<T> {
  const session = await openImap(ctx)
  try {
    return await use(session.client)
  } catch (error) {
    session.client.close()
    throw imapError(error, placeOf(ctx.config))
  } finally {
    await session.close()
  }
}

/** @throws ConnectorError not_found naming the folders that are there. */
export async function openFolder(ctx: Mailbox, client: ImapFlow, path: string): Promise<MailboxObject> {
  try {
    return await client.mailboxOpen(path, { readOnly: true })
  } catch (error) {
    if (!(error instanceof Error && 'mailboxMissing' in error)) throw error
    const names = (await client.list()).map((folder) => folder.path)
    const shown = names.slice(0, 20).join(', ') + (names.length > 20 ? ', …' : '')
    throw new ConnectorError('not_found', `${placeOf(ctx.config)} has no folder "${path}"; there are: ${shown}`)
  }
}

/** Where sent mail is kept. Undefined where the server says no such folder and none is set. */
export async function sentFolder({ config }: Mailbox, client: ImapFlow): Promise<string | undefined> {
  if (config.sent_folder !== undefined) return config.sent_folder
  const folders = await client.list()
  return folders.find(isSent)?.path
}

/** By what the server says; imapflow also knows the usual names in many languages. */
function isSent({ specialUse, flags }: ListResponse): boolean {
  return specialUse === '\\Sent' && !flags.has('\\Noselect')
}
