/**
 * The demo's and the tests' own mail server, on loopback: SMTP by smtp-server, IMAP by our stand-in. Mail to one of its users
 * is delivered (plus addresses too), all other recipients are refused: nothing leaves the machine.
 */
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { type ParsedMail, simpleParser } from 'mailparser'
import { SMTPServer, type SMTPServerSession } from 'smtp-server'
import { type ImapServer, startImap } from './sandbox-imap.ts'
import { headerOf } from './sandbox-imap-fetch.ts'
import { Account, accountFor, type Folder, type StoredMail } from './sandbox-mailboxes.ts'

/** The server's name in the headers that it writes; whose `Authentication-Results` a connection may trust. */
export const sandboxHost = 'mail.sandbox.example'

export interface MailSandbox {
  readonly imap: { readonly host: string; readonly port: number }
  readonly smtp: { readonly host: string; readonly port: number }
  readonly faults: SmtpFaults
  /** SMTP: how often mail was handed over completely, refused ones included. */
  readonly handedOver: number
  /** As another server would hand it in: bytes into a mailbox, unchanged. @param recipient may be a plus address */
  deliver(recipient: string, raw: Buffer | string, options?: { readonly receivedAt?: Date }): void
  mailbox(user: string): readonly SandboxMail[]
  sent(user: string): readonly SandboxMail[]
  /** All connections are cut, and for a moment nobody listens. @throws when the port stays taken for seconds */
  restart(): Promise<void>
  changeUidValidity(user: string): void
  close(): Promise<void>
}

export interface SandboxMail {
  readonly raw: Buffer
  readonly receivedAt: Date
  parsed(): Promise<ParsedMail>
}

/** What happens to the next mails, until it is set back. */
export interface SmtpFaults {
  /** The server's words for recipients that it refuses, by address: `450 4.2.0 come again`. */
  readonly refuse: Map<string, string>
  /** The connection ends when a mail has been handed over: it is stored (`after`), or not (`before`). */
  drop: 'after' | 'before' | 'no'
  /** The server's words for the mail itself: `552 5.3.4 too big`. */
  refuseMail: string | undefined
}

export interface SandboxUser {
  readonly address: string
  readonly password: string
}

export async function createMailSandbox(options: {
  readonly users: readonly SandboxUser[]
  readonly now?: () => Date
}): Promise<MailSandbox> {
  const { users, now = () => new Date() } = options
  const accounts = users.map(({ address, password }) => new Account(address, password))
  const faults: SmtpFaults = { refuse: new Map(), drop: 'no', refuseMail: undefined }
  const counters = { handedOver: 0 }
  let imap = await startImap(accounts, { port: 0, now })
  let smtp = await startSmtp(accounts, faults, counters, { port: 0, now })

  function account(user: string): Account {
    const found = accountFor(accounts, user)
    if (found) return found
    throw new Error(`the mail sandbox has no user ${user}; it has ${accounts.map(({ address }) => address).join(', ')}`)
  }

  return {
    imap: { host: '127.0.0.1', port: imap.port },
    smtp: { host: '127.0.0.1', port: smtp.port },
    faults,
    get handedOver() {
      return counters.handedOver
    },
    deliver(recipient, raw, { receivedAt = now() } = {}) {
      account(recipient).inbox.add(typeof raw === 'string' ? Buffer.from(raw) : raw, receivedAt)
    },
    mailbox: (user) => account(user).inbox.mails.map(shown),
    sent: (user) => account(user).sent.mails.map(shown),
    async restart() {
      const ports = { imap: imap.port, smtp: smtp.port }
      await Promise.all([imap.close(), smtp.close()])
      imap = await onceFree(() => startImap(accounts, { port: ports.imap, now }))
      smtp = await onceFree(() => startSmtp(accounts, faults, counters, { port: ports.smtp, now }))
    },
    changeUidValidity(user) {
      const { inbox } = account(user)
      inbox.changeUidValidity()
      imap.drop(inbox)
    },
    async close() {
      await Promise.all([imap.close(), smtp.close()])
    },
  }
}

/** In the moment in which nobody listens, the system may give the port to somebody's outgoing connection. */
async function onceFree<Server>(start: () => Promise<Server>): Promise<Server> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start()
    } catch (error) {
      if (attempt === 50 || !(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
      await setTimeout(100)
    }
  }
}

function shown({ raw, receivedAt }: StoredMail): SandboxMail {
  return { raw, receivedAt, parsed: () => simpleParser(raw) }
}

async function startSmtp(
  accounts: readonly Account[],
  faults: SmtpFaults,
  counters: { handedOver: number },
  options: { readonly port: number; readonly now: () => Date },
): Promise<Pick<ImapServer, 'port' | 'close'>> {
  const server = new SMTPServer({
    name: sandboxHost,
    banner: 'sandbox',
    size: 30 * 1024 * 1024,
    authOptional: true,
    authMethods: ['PLAIN', 'LOGIN'],
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    closeTimeout: 100,
    onAuth({ username = '', password = '' }, _session, done) {
      const account = accountFor(accounts, username)
      if (account?.password === password) return done(null, { user: account.address })
      done(answer('535 5.7.8 wrong user or password'))
    },
    onRcptTo({ address }, _session, done) {
      const refused = faults.refuse.get(address.toLowerCase())
      if (refused !== undefined) return done(answer(refused))
      done(accountFor(accounts, address) ? null : answer('550 5.1.1 there is no such user here'))
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        counters.handedOver += 1
        if (faults.refuseMail !== undefined) return done(answer(faults.refuseMail))
        if (faults.drop !== 'before') store(accounts, session, Buffer.concat(chunks), options.now())
        if (faults.drop === 'no') return done(null, 'taken')
        cut(server, session)
      })
    },
  })
  server.on('error', () => {})
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject)
    server.listen(options.port, '127.0.0.1', resolve)
  })
  const { port } = server.server.address() as AddressInfo
  return { port, close: () => new Promise((resolve) => server.close(resolve)) }
}

function cut(server: SMTPServer, session: SMTPServerSession): void {
  for (const connection of server.connections) if (connection.id === session.id) connection.close()
}

/** What a receiving server adds: where it came from, who it is for, and what it knows about the sender. */
function store(accounts: readonly Account[], session: SMTPServerSession, raw: Buffer, now: Date): void {
  const { mailFrom, rcptTo } = session.envelope
  const from = mailFrom ? mailFrom.address : ''
  for (const { address } of rcptTo) {
    const folder: Folder | undefined = accountFor(accounts, address)?.inbox
    const added = [
      `Return-Path: <${from}>`,
      `Delivered-To: ${address}`,
      `Received: by ${sandboxHost} for <${address}>; ${now.toUTCString().replace('GMT', '+0000')}`,
      `Authentication-Results: ${sandboxHost}; ${verdict(session, raw)}`,
    ]
    folder?.add(Buffer.concat([Buffer.from(`${added.join('\r\n')}\r\n`), withoutOurClaims(raw)]), now)
  }
}

/** This server is the sender's own too: who signed in as the sender is the sender. */
function verdict({ user }: SMTPServerSession, raw: Buffer): string {
  const from = /<?([^<>\s]+@[^<>\s]+?)>?$/.exec(headerOf(raw, 'from')[0] ?? '')?.[1]?.toLowerCase()
  const domain = from?.split('@').at(-1) ?? 'unknown'
  const isOwn = from !== undefined && user === from
  return `dmarc=${isOwn ? 'pass' : 'none'} header.from=${domain}`
}

/** Only this server may speak in its own name (RFC 8601 section 5). */
function withoutOurClaims(raw: Buffer): Buffer {
  const claim = new RegExp(`^Authentication-Results:\\s*${sandboxHost.replaceAll('.', '\\.')}`, 'i')
  const end = raw.indexOf('\r\n\r\n')
  const header = raw.toString('latin1', 0, end < 0 ? raw.length : end)
  const kept = header.split(/\r\n(?![ \t])/).filter((line) => !claim.test(line))
  return Buffer.concat([Buffer.from(kept.join('\r\n'), 'latin1'), end < 0 ? Buffer.alloc(0) : raw.subarray(end)])
}

/** `550 5.1.1 words`, as smtp-server wants it. */
function answer(words: string): Error {
  const error = new Error(words.slice(4))
  return Object.assign(error, { responseCode: Number(words.slice(0, 3)) })
}
