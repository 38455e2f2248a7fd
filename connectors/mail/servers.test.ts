/**
 * Our half of IMAP against real servers, dovecot and postfix, and against the demo's own, which must pass the same. Where the
 * real ones cannot run, the first line says why and only the demo's are used.
 */
import { Session } from 'node:inspector/promises'
import { ImapFlow } from 'imapflow'
import { createTransport } from 'nodemailer'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Context, Page } from '#hub/connector/contract.ts'
import { type MailServers, memoryInstallations, middleman, startMailServers, whyNoMailServers } from '#kit'
import { since } from './changes.ts'
import { check } from './check.ts'
import { config, type MailConfig } from './config.ts'
import { createMailSandbox, type MailSandbox } from './sandbox.ts'
import { appendSent, findSent } from './sent.ts'
import { bounceAddress, caseIdOf, messageIdFor } from './signed-address.ts'
import { type Pace, run as watch } from './watch.ts'

const mailboxes = ['ana@customer.test', ...Array.from({ length: 40 }, (_, number) => `s${number}@acme.test`)]
const password = 'made-up-mail-password-0001'

const missing = whyNoMailServers()
const kinds = missing ? (['demo'] as const) : (['dovecot and postfix', 'demo'] as const)
console.info(
  missing ? `mail servers: only the demo's own (${missing})` : "mail servers: dovecot, postfix, the demo's own",
)

describe.each(kinds)('mail over the servers: %s', (kind) => {
  const isReal = kind !== 'demo'
  let servers: Tested
  let real: MailServers
  let demo: MailSandbox
  const unused = mailboxes.slice(1).values()
  /** Aborted after each test, so that no line stays open. */
  let ending = new AbortController()
  const silent = { debug() {}, info() {}, warn() {}, error() {} }

  beforeAll(async () => {
    if (isReal) {
      real = await startMailServers(mailboxes, password)
      servers = { ...real, host: real.hostname }
      return
    }
    demo = await createMailSandbox({ users: mailboxes.map((address) => ({ address, password })) })
    servers = asTested(demo)
  })
  afterEach(() => {
    ending.abort()
    ending = new AbortController()
  })
  afterAll(() => servers?.end())

  /** A mailbox of its own for a test, and the context of a connection to it. */
  function connection(changes: object = {}, signal = ending.signal): Context<MailConfig> {
    const { value: address } = unused.next()
    return context({ address, ...changes }, signal)
  }

  function context(settings: object, signal = ending.signal): Context<MailConfig> {
    const { host, ports } = servers
    const plain = { host, tls: 'none' } as const
    const parsed = config.parse({
      password,
      imap: { ...plain, port: ports.imap },
      smtp: { ...plain, port: ports.smtp },
      signing_secret: 'made-up-signing-secret-0001',
      ...settings,
    })
    const http = { fetch: refuse, json: refuse }
    const net = {
      resolve: async (host: string) => ({ address: '127.0.0.1', servername: host }),
      spend: <T>(exchange: (leaving: () => void) => Promise<T>) => exchange(() => {}),
    }
    return {
      config: parsed,
      now: () => new Date(),
      http,
      net,
      log: silent,
      signal,
      installations: memoryInstallations(),
    }
  }

  const refuse = () => Promise.reject(new Error('mail needs no HTTP'))

  async function send(to: string, subject: string, envelopeFrom = 'ana@customer.test', headers = {}): Promise<void> {
    const { ports } = servers
    const auth = { user: 'ana@customer.test', pass: password }
    const transport = createTransport({ host: '127.0.0.1', port: ports.smtp, ignoreTLS: true, auth })
    const from = 'Ana <ana@customer.test>'
    await transport.sendMail({ from, to, subject, text: 'Hello', envelope: { from: envelopeFrom, to }, ...headers })
    transport.close()
  }

  async function asUser<T>(ctx: Context<MailConfig>, use: (client: ImapFlow) => Promise<T>): Promise<T> {
    const { address, password } = ctx.config
    const auth = { user: address, pass: password }
    const client = new ImapFlow({ host: '127.0.0.1', port: servers.ports.imap, doSTARTTLS: false, auth, logger: false })
    await client.connect()
    try {
      return await use(client)
    } finally {
      await client.logout()
    }
  }

  it('hears of new mail within two seconds', async () => {
    const ctx = connection()
    const news = listen(ctx)
    await news.next()
    await Promise.all([send(ctx.config.address, 'Where is my order?'), news.next(2_000)])
  })

  if (isReal) {
    it('says that the line is lost when the server restarts, and hears again over the next one', async () => {
      const ctx = connection()
      const before = listen(ctx)
      await before.next()
      await real.stopImap()
      await expect(before.ended).rejects.toMatchObject({ code: 'unavailable' })
      await expect(listen(ctx).ended).rejects.toMatchObject({ code: 'unavailable' })
      await real.startImap()
      const after = listen(ctx)
      await after.next()
      await Promise.all([send(ctx.config.address, 'After the restart'), after.next(2_000)])
    })
  } else {
    it('says that the line is lost when the server restarts, and hears again over the next one', async () => {
      const ctx = connection()
      const before = listen(ctx)
      await before.next()
      await Promise.all([demo.restart(), expect(before.ended).rejects.toMatchObject({ code: 'unavailable' })])
      const after = listen(ctx)
      await after.next()
      await Promise.all([send(ctx.config.address, 'After the restart'), after.next(2_000)])
    })
  }

  it('notices a line that died without a word', async () => {
    const { port, goSilent, close } = await middleman(servers.ports.imap)
    const ctx = connection({ imap: { host: servers.host, port, tls: 'none' } })
    const news = listen(ctx, { renewEveryMs: 50, answerWithinMs: 300, pollEveryMs: 50 })
    await news.next()
    goSilent()
    await expect(news.ended).rejects.toMatchObject({ code: 'unavailable' })
    close()
  })

  it('asks now and then where the server has no IDLE', async () => {
    const { port, close } = await middleman(servers.ports.imap, (said) => said.replaceAll(' IDLE', ' ELDI'))
    const ctx = connection({ imap: { host: servers.host, port, tls: 'none' } })
    const news = listen(ctx, { renewEveryMs: 60_000, answerWithinMs: 5_000, pollEveryMs: 50 })
    await news.next()
    await Promise.all([send(ctx.config.address, 'No push'), news.next(5_000)])
    close()
  })

  it('ends its watch when the hub stops', async () => {
    const ctx = connection()
    const news = listen(ctx)
    await news.next()
    ending.abort()
    await news.ended
  })

  it('reads from now on, and then what has come since', async () => {
    const ctx = connection()
    servers.put(ctx.config.address, mailTexts(3))
    const first = await readAll(ctx, undefined)
    expect(first.observations).toEqual([])
    servers.put(ctx.config.address, mailTexts(2, 'Hello', 3))
    const second = await readAll(ctx, first.cursor)
    expect(subjects(second)).toEqual(['Message 3', 'Message 4'])
    const third = await readAll(ctx, second.cursor)
    expect(third).toMatchObject({ observations: [], unreadable: [] })
    expect(foldersIn(third)).toEqual(foldersIn(second))
  })

  if (kind === kinds[0])
    it('reads a mailbox of 10,000 messages in little memory', async () => {
      const ctx = connection()
      const { cursor } = await readAll(ctx, undefined)
      // 47 MB: far more than may be in use at any time.
      servers.put(
        ctx.config.address,
        mailTexts(10_000, 'A line that fills the message with something.\r\n'.repeat(100)),
      )
      const before = await bytesInUse()
      let [read, pages, highest] = [0, 0, 0]
      for await (const page of since(ctx, cursor)) {
        read += page.observations.length
        pages += 1
        if (pages % 20 === 0) highest = Math.max(highest, await bytesInUse())
      }
      expect(read).toBe(10_000)
      expect(highest - before).toBeLessThan(16 * 1024 * 1024)
      expect((await readAll(ctx, undefined)).observations).toEqual([])
    }, 60_000)

  it('goes on where it was stopped in the middle of a backlog', async () => {
    const ctx = connection()
    const start = await readAll(ctx, undefined)
    servers.put(ctx.config.address, mailTexts(300))
    const stopping = new AbortController()
    const stored: Page[] = []
    const reading = async () => {
      for await (const page of since({ ...ctx, signal: stopping.signal }, start.cursor)) {
        stored.push(page)
        if (stored.length === 3) stopping.abort()
      }
    }
    await expect(reading()).rejects.toMatchObject({ code: 'unavailable' })
    const rest = await readAll(ctx, stored.at(-1)?.cursor)
    const all = [...stored.flatMap(subjects), ...subjects(rest)]
    expect(all).toEqual(Array.from({ length: 300 }, (_, number) => `Message ${number}`))
    expect(stored.map((page) => page.observations.length)).toEqual([50, 50, 50])
  })

  if (isReal) {
    it('goes on in the folder that the settings name now, with what came since', async () => {
      const ctx = connection()
      const moved = { ...ctx, config: { ...ctx.config, folder: 'Support' } }
      const start = await readAll(ctx, undefined)
      const longAgo = new Date(Date.now() - 5 * 3_600_000)
      await asUser(ctx, async (client) => {
        await client.mailboxCreate('Support')
        await client.append('Support', mailText(1), [], longAgo)
        await client.append('Support', mailText(2))
      })
      await expect(readAll(context({ ...ctx.config, folder: 'Elsewhere' }), start.cursor)).rejects.toMatchObject({
        code: 'not_found',
      })
      const after = await readAll(moved, start.cursor)
      expect(subjects(after)).toEqual(['Message 2'])
      expect(subjects(await readAll(moved, after.cursor))).toEqual([])
    })

    it('reads a folder again that was made anew, with the same ids, and loses nothing', async () => {
      const ctx = connection({ folder: 'Support' })
      await asUser(ctx, (client) => client.mailboxCreate('Support'))
      const start = await readAll(ctx, undefined)
      const put = (numbers: readonly number[]) =>
        asUser(ctx, async (client) => {
          for (const number of numbers) await client.append('Support', mailText(number))
        })
      await put([1, 2, 3])
      const before = await readAll(ctx, start.cursor)
      await asUser(ctx, async (client) => {
        await client.mailboxDelete('Support')
        await client.mailboxCreate('Support')
      })
      await put([2, 3, 4])
      const after = await readAll(ctx, before.cursor)
      expect(subjects(after)).toEqual(['Message 2', 'Message 3', 'Message 4'])
      expect(messageIds(after).slice(0, 2)).toEqual(messageIds(before).slice(1))
      expect(subjects(await readAll(ctx, after.cursor))).toEqual([])
    })
  } else {
    it('reads a folder again whose validity has changed, with the same ids, and loses nothing', async () => {
      const ctx = connection()
      const start = await readAll(ctx, undefined)
      servers.put(ctx.config.address, mailTexts(2))
      const before = await readAll(ctx, start.cursor)
      demo.changeUidValidity(ctx.config.address)
      servers.put(ctx.config.address, mailTexts(1, 'Hello', 2))
      const after = await readAll(ctx, before.cursor)
      expect(subjects(after)).toEqual(['Message 0', 'Message 1', 'Message 2'])
      expect(messageIds(after).slice(0, 2)).toEqual(messageIds(before))
      expect(subjects(await readAll(ctx, after.cursor))).toEqual([])
    })
  }

  it('leaves mail unread that it reads', async () => {
    const ctx = connection()
    const start = await readAll(ctx, undefined)
    servers.put(ctx.config.address, mailTexts(1))
    await readAll(ctx, start.cursor)
    const inbox = await asUser(ctx, (client) => client.status('INBOX', { unseen: true }))
    expect(inbox).toMatchObject({ unseen: 1 })
  })

  it('sets a message aside that is too big, and reads the next', async () => {
    const ctx = connection()
    const start = await readAll(ctx, undefined)
    servers.put(ctx.config.address, mailTexts(1, `${'x'.repeat(1022)}\r\n`.repeat(51 * 1024)))
    servers.put(ctx.config.address, mailTexts(1, 'Hello', 1))
    const { observations, unreadable } = await readAll(ctx, start.cursor)
    expect(subjects({ observations })).toEqual(['Message 1'])
    expect(unreadable).toHaveLength(1)
    expect(unreadable?.[0]).toMatchObject({
      key: expect.stringMatching(new RegExp(`^${ctx.config.address}\\|INBOX\\|\\d+\\|1$`)),
      body: expect.stringContaining('Subject: Message 0'),
      reason: expect.stringContaining('50 MB is the most'),
    })
  })

  it('reads what agents send from their own mail program', async () => {
    const ctx = connection()
    const start = await readAll(ctx, undefined)
    const { address } = ctx.config
    const text = mailText(7).replace('From: ana@customer.test', `From: ${address}`)
    await asUser(ctx, (client) => client.append('Sent', text, ['\\Seen']))
    const { observations } = await readAll(ctx, start.cursor)
    expect(observations).toHaveLength(1)
    expect(observations[0]).toMatchObject({ message: { author: { kind: 'agent' } } })
  })

  it('keeps one copy of a sent mail, and finds it by its Message-ID', async () => {
    const ctx = connection()
    const id = '<message-8@customer.test>'
    expect(await findSent(ctx, id)).toBe(false)
    expect(await appendSent(ctx, Buffer.from(mailText(8)))).toBe(true)
    expect(await appendSent(ctx, Buffer.from(mailText(8)))).toBe(false)
    expect(await findSent(ctx, id)).toBe(true)
    expect(await findSent(ctx, '<message-8@customer.te>')).toBe(false)
    const sent = await asUser(ctx, (client) => client.status('Sent', { messages: true, unseen: true }))
    expect(sent).toMatchObject({ messages: 1, unseen: 0 })
  })

  if (isReal) {
    it("reads postfix's own report of a mail that did not arrive", async () => {
      const ctx = connection()
      const start = await readAll(ctx, undefined)
      const caseId = caseIdOf(ctx.config, 'a first message')
      const messageId = messageIdFor(ctx.config, caseId, 'key-1')
      const news = listen(ctx)
      await news.next()
      const from = bounceAddress(ctx.config, caseId, messageId)
      await Promise.all([send('nobody@customer.test', 'Your order', from, { messageId }), news.next(10_000)])
      const { observations } = await readAll(ctx, start.cursor)
      expect(observations).toMatchObject([
        { type: 'bounce', bounce: { caseId, messageId, address: 'nobody@customer.test', permanent: true } },
      ])
    })
  }

  describe('checking the settings', () => {
    it('signs in to both servers', async () => {
      const ctx = connection()
      expect(await check(ctx)).toEqual({ account: ctx.config.address })
    })

    it('says that the password is wrong', async () => {
      await expect(check(connection({ password: 'not-the-password' }))).rejects.toMatchObject({
        code: 'auth_failed',
        message: expect.stringContaining('check user and password'),
      })
    })

    it('names the folders where the one that is set is missing', async () => {
      await expect(check(connection({ folder: 'Suport' }))).rejects.toMatchObject({
        code: 'not_found',
        message: expect.stringMatching(/no folder "Suport"; there are: .*INBOX/),
      })
    })

    if (isReal) {
      it('speaks TLS from the first byte or after STARTTLS, with an authority of ours', async () => {
        const { hostname: host, ports, ca } = real
        const implicit = { imap: { host, port: ports.imaps, ca }, smtp: { host, port: ports.smtps, ca } }
        await check(connection(implicit))
        const tls = 'starttls'
        await check(
          connection({ imap: { host, port: ports.imap, tls, ca }, smtp: { host, port: ports.smtp, tls, ca } }),
        )
      })

      it.each([
        ['no authority', { ca: undefined }, 'give its authority'],
        [
          'a name that is not the certificate’s',
          { host: 'imap.acme.test' },
          'use the name that the certificate is for',
        ],
        ['a port without TLS', { port: 'imap' }, 'it speaks no TLS there'],
      ] as const)('trusts no server with %s', async (_, changes, words) => {
        const { hostname: host, ports, ca } = real
        const port = 'port' in changes ? ports[changes.port] : ports.imaps
        const imap = { host, ca, ...changes, port }
        await expect(check(connection({ imap }))).rejects.toMatchObject({
          code: 'unavailable',
          message: expect.stringContaining(words),
        })
      })
    }

    it('sends no password in clear beyond the house', async () => {
      const ctx = connection()
      const net = { ...ctx.net, resolve: async (host: string) => ({ address: '203.0.113.7', servername: host }) }
      await expect(check({ ...ctx, net })).rejects.toMatchObject({ code: 'host_refused' })
    })
  })
})

function mailText(number: number, text = 'Hello'): string {
  return [
    `Message-ID: <message-${number}@customer.test>`,
    'From: ana@customer.test',
    'To: support@acme.test',
    `Subject: Message ${number}`,
    'Date: Fri, 20 Nov 2026 10:00:00 +0000',
    '',
    text,
  ].join('\r\n')
}

/** `count` mails from number `first` on. */
function* mailTexts(count: number, text = 'Hello', first = 0): Generator<string> {
  for (let number = first; number < first + count; number += 1) yield mailText(number, text)
}

interface Tested {
  readonly host: string
  readonly ports: { readonly imap: number; readonly smtp: number }
  put(address: string, mails: Iterable<string>): void
  end(): Promise<void>
}

function asTested(demo: MailSandbox): Tested {
  return {
    host: demo.imap.host,
    ports: { imap: demo.imap.port, smtp: demo.smtp.port },
    put(address, mails) {
      for (const mail of mails) demo.deliver(address, mail)
    },
    end: () => demo.close(),
  }
}

function listen(ctx: Context<MailConfig>, pace?: Pace) {
  let heard = 0
  let waiting: (() => void) | undefined
  const ended = watch(
    ctx,
    () => {
      heard += 1
      waiting?.()
    },
    pace,
  )
  ended.catch(() => {})
  return {
    ended,
    /** Fulfilled by the next call that was not waited for yet. */
    async next(withinMs = 10_000): Promise<void> {
      if (heard === 0) {
        const limit = AbortSignal.timeout(withinMs)
        await new Promise<void>((resolve, reject) => {
          waiting = resolve
          limit.addEventListener('abort', () => reject(new Error(`no news within ${withinMs} ms`)))
          ended.catch(reject)
        })
        waiting = undefined
      }
      heard -= 1
    },
  }
}

type Read = Required<Pick<Page, 'observations' | 'unreadable' | 'cursor'>>

async function readAll(ctx: Context<MailConfig>, cursor: string | undefined): Promise<Read> {
  const pages: Page[] = []
  for await (const page of since(ctx, cursor)) pages.push(page)
  return {
    observations: pages.flatMap((page) => page.observations),
    unreadable: pages.flatMap((page) => page.unreadable ?? []),
    cursor: pages.at(-1)?.cursor ?? '',
  }
}

const foldersIn = ({ cursor }: Read): unknown => JSON.parse(cursor).folders

function subjects({ observations }: Pick<Page, 'observations'>): readonly (string | undefined)[] {
  return observations.flatMap((seen) => (seen.type === 'threaded' ? [seen.thread.opens.subject] : []))
}

function messageIds({ observations }: Pick<Page, 'observations'>): readonly string[] {
  return observations.flatMap((seen) => (seen.type === 'threaded' ? [seen.message.id] : []))
}

/** Without garbage. */
async function bytesInUse(): Promise<number> {
  const session = new Session()
  session.connect()
  await session.post('HeapProfiler.collectGarbage')
  session.disconnect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
