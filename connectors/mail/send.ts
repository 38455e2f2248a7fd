/**
 * Mail by SMTP, one connection for each. In: a composed mail. Out: the server has taken it, or a `ConnectorError`. Nothing is
 * repeated here: the hub does that, with the same Message-ID.
 */
import { isIP } from 'node:net'
import { Readable } from 'node:stream'
import type SMTPConnection from 'nodemailer/lib/smtp-connection'
import PQueue from 'p-queue'
import type { Context } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { Mail } from './compose.ts'
import type { MailConfig } from './config.ts'
import { refusePlainText } from './plain-text.ts'
import { ConnectionClosed, NotSent, smtpError } from './smtp-error.ts'

/** Base64 adds a third, and the big providers stop at 25 MB. */
const maxBytes = 20 * 1024 * 1024
/** With its line ends base64 takes 78 bytes for 57; the rest is for text. */
export const takesFiles = { maxBytes: 14 * 1024 * 1024 }
/** A server that does not answer QUIT. */
const farewellMs = 5_000
const timeouts = { connectionTimeout: 15_000, greetingTimeout: 15_000, socketTimeout: 120_000 }

/** Providers close accounts that open more than a few connections at once. */
const connectionsAtOnce = 2
const restMs = 60_000

interface Line {
  readonly queue: PQueue
  /** When the server last refused our password. */
  refusedAtMs: number
}
const lines = new WeakMap<MailConfig, Line>()

/** The mail as it goes over the wire. @throws ConnectorError rejected when it is too big */
export async function rawOf(mail: Mail): Promise<Buffer> {
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer')
  const raw = await new MailComposer(mail.options).compile().build()
  if (raw.length <= maxBytes) return raw
  const size = `${Math.ceil(raw.length / 1024 / 1024)} MB`
  throw new ConnectorError('rejected', `the mail is ${size}, and 20 MB is the most that most servers take; shorten it`)
}

/** @throws ConnectorError auth_failed, unavailable, rejected, outcome_unknown */
export async function sendMail(ctx: Context<MailConfig>, mail: Mail, raw: Buffer): Promise<void> {
  await ctx.net.spend((leaving) =>
    inLine(ctx.config, () => withServer(ctx, (server) => transmit(server, mail, raw, leaving))),
  )
}

/** Connects and signs in, and sends nothing. @throws ConnectorError auth_failed, unavailable */
export async function checkSmtp(ctx: Context<MailConfig>): Promise<void> {
  await inLine(ctx.config, () => withServer(ctx, async () => {}))
}

/** Who waited while the password was refused does not try it, too: servers lock accounts for that. */
async function inLine<T>(config: MailConfig, work: () => Promise<T>): Promise<T> {
  const line = lines.get(config) ?? {
    queue: new PQueue({ concurrency: connectionsAtOnce }),
    refusedAtMs: Number.NEGATIVE_INFINITY,
  }
  lines.set(config, line)
  const cameAtMs = performance.now()
  return await line.queue.add(async () => {
    if (line.refusedAtMs > cameAtMs) {
      const why = `SMTP ${config.smtp.host}:${config.smtp.port} has just refused the sign-in; the next attempt is a minute away`
      throw new ConnectorError('rate_limited', why, { retryAfterMs: restMs })
    }
    try {
      return await work()
    } catch (error) {
      if (error instanceof ConnectorError && error.code === 'auth_failed') line.refusedAtMs = performance.now()
      throw error
    }
  })
}

async function withServer(ctx: Context<MailConfig>, use: (server: SMTPConnection) => Promise<void>): Promise<void> {
  const { config, signal, net } = ctx
  const { host, port } = config.smtp
  const place = `SMTP ${host}:${port}`
  const { address, servername } = await net.resolve(host, port)
  refusePlainText(config.smtp.tls, address, place)
  const { default: Connection } = await import('nodemailer/lib/smtp-connection')
  const server = new Connection({
    host: address,
    port,
    name: config.address.split('@').at(-1),
    logger: false,
    ...timeouts,
    ...securityOf(config, servername),
  })
  // What goes wrong while nobody waits for it (after QUIT) concerns nobody.
  server.on('error', () => {})
  const close = () => server.close()
  signal.addEventListener('abort', close, { once: true })
  try {
    if (signal.aborted) throw new ConnectionClosed()
    await step(server, (done) => server.connect(done))
    await step(server, (done) => server.login({ user: config.user ?? config.address, pass: config.password }, done))
    await use(server)
    server.quit()
    setTimeout(close, farewellMs).unref()
  } catch (error) {
    close()
    throw smtpError(error, place)
  } finally {
    signal.removeEventListener('abort', close)
  }
}

function securityOf({ smtp }: MailConfig, servername: string) {
  // TLS has no server name for an address in digits; the certificate is checked against the address then.
  const name = isIP(servername) === 0 ? { servername } : {}
  return {
    secure: smtp.tls === 'implicit',
    requireTLS: smtp.tls === 'starttls',
    ignoreTLS: smtp.tls === 'none',
    tls: { ...name, minVersion: 'TLSv1.2' as const, ...(smtp.ca === undefined ? {} : { ca: smtp.ca }) },
  }
}

/** Until the last piece is handed over, the server cannot have taken the mail; from then on only its answer can tell. */
async function transmit(server: SMTPConnection, mail: Mail, raw: Buffer, leaving: () => void): Promise<void> {
  const { from, to } = mail.envelope
  const body = Readable.from(piecesOf(raw), { objectMode: false })
  let isOut = false
  body.once('end', () => {
    isOut = true
  })
  leaving()
  try {
    await step(server, (done) => server.send({ from, to: [to], size: raw.length }, body, done))
  } catch (cause) {
    throw new NotSent(isOut, cause)
  }
}

function* piecesOf(raw: Buffer): Generator<Buffer> {
  const size = 64 * 1024
  for (let start = 0; start < raw.length; start += size) yield raw.subarray(start, start + size)
}

/** A server that goes away does not always answer what was asked of it: its end ends the step. */
async function step(server: SMTPConnection, run: (done: (error?: Error | null) => void) => void): Promise<void> {
  const ended = Promise.withResolvers<void>()
  const fail = (error?: Error | null) => ended.reject(error ?? new ConnectionClosed())
  const close = () => fail()
  server.once('error', fail)
  server.once('end', close)
  try {
    run((error) => (error ? fail(error) : ended.resolve()))
    await ended.promise
  } finally {
    server.off('error', fail)
    server.off('end', close)
  }
}
