import { createServer, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Context, OutMessage, OutThread } from '#hub/connector/contract.ts'
import { conformance } from '#kit/conformance.ts'
import { memoryInstallations } from '#kit/installations.ts'
import { type MailConfig, config as schema } from './config.ts'
import { mail } from './connector.ts'
import { createMailSandbox, type MailSandbox, sandboxHost } from './sandbox.ts'
import { checkSmtp } from './send.ts'
import { provenBounce, provenCase, provenMessageId } from './signed-address.ts'
import { create, find, message, update } from './write.ts'

const support = { address: 'support@acme.example', password: 'sandbox-password-1' }
const ana = { address: 'ana@home.example', password: 'sandbox-password-2' }
const caseId = 'abcdefghij234567'
const key = 'dw_7c1e0a64f2b94d0e8a35d1c2b3a49586'
const now = new Date('2026-11-20T10:15:30Z')

/** As an admin would enter them. */
function settingsFor({ imap, smtp }: Pick<MailSandbox, 'imap' | 'smtp'>) {
  return {
    address: support.address,
    name: 'Acme Support',
    password: support.password,
    signing_secret: 'mail_test_secret_000000000001',
    imap: { host: imap.host, port: imap.port, tls: 'none' },
    smtp: { host: smtp.host, port: smtp.port, tls: 'none' },
    trusted_authserv_ids: [sandboxHost],
  }
}

const nowhere = { host: '127.0.0.1', port: 9 }
conformance(mail, new URL('.', import.meta.url), settingsFor({ imap: nowhere, smtp: nowhere }), {
  async sockets() {
    const sandbox = await createMailSandbox({ users: [support, ana], now: () => now })
    const write = (subject: string) => {
      const lines = [
        'From: =?utf-8?Q?Ana_Garc=C3=ADa?= <ana@home.example>',
        'To: support@acme.example',
        `Subject: =?utf-8?B?${Buffer.from(subject).toString('base64')}?=`,
        `Message-ID: <m${sandbox.mailbox(support.address).length}@home.example>`,
        `Date: ${now.toUTCString()}`,
      ]
      sandbox.deliver(support.address, `${lines.join('\r\n')}\r\n\r\nI only received three.\r\n`)
    }
    write('Written before the hub came')
    return {
      config: settingsFor(sandbox),
      async play() {
        for (const subject of ['Where are my boxes?', 'Grüße', 'Nothing special']) write(subject)
      },
      close: () => sandbox.close(),
    }
  },
})

async function openSandbox(): Promise<MailSandbox> {
  const sandbox = await createMailSandbox({ users: [support, ana], now: () => now })
  onTestFinished(() => sandbox.close())
  return sandbox
}

interface Desk {
  readonly ctx: Context<MailConfig>
  /** Sends that spent the account's budget. */
  readonly spent: () => number
  readonly warnings: readonly string[]
}

function deskAt(sandbox: Pick<MailSandbox, 'imap' | 'smtp'>, settings: Record<string, unknown> = {}): Desk {
  const config = schema.parse({ ...settingsFor(sandbox), ...settings })
  let spent = 0
  const warnings: string[] = []
  const quiet = () => {}
  const unused = () => Promise.reject(new Error('mail does not speak HTTP'))
  const ctx: Context<MailConfig> = {
    config,
    now: () => now,
    signal: new AbortController().signal,
    log: { debug: quiet, info: quiet, error: quiet, warn: (_data, text) => void warnings.push(text) },
    http: { fetch: unused, json: unused },
    installations: memoryInstallations(),
    net: {
      resolve: async (host) => ({ address: host, servername: host }),
      spend: (exchange) =>
        exchange(() => {
          spent += 1
        }),
    },
  }
  return { ctx, spent: () => spent, warnings }
}

const thread: OutThread = {
  subject: 'Where are my boxes?',
  to: { email: ana.address, name: 'Ana García' },
  earlier: ['<first@home.example>', '<second@acme.example>', '<third@home.example>'],
  answers: '<third@home.example>',
}
const reply = (more: Partial<OutMessage> = {}): OutMessage => ({
  visibility: 'public',
  text: 'They left today.',
  thread,
  ...more,
})

async function only(sandbox: MailSandbox) {
  const [mail, ...others] = sandbox.mailbox(ana.address)
  if (!mail || others.length > 0) throw new Error(`expected one mail, there are ${others.length + (mail ? 1 : 0)}`)
  const parsed = await mail.parsed()
  const header = (name: string) => parsed.headerLines.find((line) => line.key === name)?.line
  return { ...parsed, header, text: parsed.text ?? '', raw: mail.raw.toString('latin1') }
}

describe('a reply by mail', () => {
  it('stands in its thread, comes from us, and its answers find their case', async () => {
    const sandbox = await openSandbox()
    const { ctx, spent } = deskAt(sandbox)
    const receipt = await message(ctx, caseId, reply(), key)
    const mail = await only(sandbox)
    expect(mail.subject).toBe('Re: Where are my boxes?')
    expect(mail.from?.value).toEqual([{ name: 'Acme Support', address: support.address }])
    expect([mail.to].flat()[0]?.value).toEqual([{ name: 'Ana García', address: ana.address }])
    expect(mail.inReplyTo).toBe('<third@home.example>')
    expect(mail.references).toEqual(thread.earlier)
    expect(mail.messageId).toBe(receipt.externalId)
    expect(mail.text.trim()).toBe('They left today.')
    expect(mail.html).toBe(false)
    expect(provenMessageId(ctx.config, mail.messageId ?? '')).toBe(caseId)
    expect(provenCase(ctx.config, mail.replyTo?.value[0]?.address ?? '')).toBe(caseId)
    const returnPath = /<(.*)>/.exec(mail.header('return-path') ?? '')?.[1] ?? ''
    expect(provenBounce(ctx.config, returnPath)).toMatchObject({ caseId })
    expect(mail.date).toEqual(now)
    expect(spent()).toBe(1)
  })

  it('of a person says nothing of being automatic; that of a rule tells machines not to answer', async () => {
    const sandbox = await openSandbox()
    const { ctx } = deskAt(sandbox)
    await message(ctx, caseId, reply(), 'key-person-0001')
    await message(ctx, caseId, reply({ automatic: true }), 'key-rule-000001')
    const [byPerson, byRule] = sandbox.mailbox(ana.address).map(({ raw }) => raw.toString('latin1'))
    expect(byPerson).not.toMatch(/^(auto-submitted|x-auto-response-suppress|x-loop):/im)
    expect(byRule).toMatch(/^Auto-Submitted: auto-replied\r$/m)
    expect(byRule).toMatch(/^X-Auto-Response-Suppress: All\r$/m)
    expect(byRule).toMatch(/^X-Loop: \S+@acme\.example\r$/m)
  })

  it('offers to stop with one request, and gives HTML a plain-text twin', async () => {
    const sandbox = await openSandbox()
    const { ctx } = deskAt(sandbox)
    const unsubscribeUrl = `https://desk.acme.example/s/${'x'.repeat(120)}/stop?a=1`
    await message(ctx, caseId, reply({ html: '<p>They left <b>today</b>.</p>', automatic: true, unsubscribeUrl }), key)
    const mail = await only(sandbox)
    expect(mail.header('list-unsubscribe')).toBe(`List-Unsubscribe: <${unsubscribeUrl}>`)
    expect(mail.header('list-unsubscribe-post')).toBe('List-Unsubscribe-Post: List-Unsubscribe=One-Click')
    expect(mail.html).toBe('<p>They left <b>today</b>.</p>')
    expect(mail.text.trim()).toBe('They left today.')
    expect(mail.header('content-type')).toContain('multipart/alternative')
  })

  it('keeps the first and the last 19 references of a long thread', async () => {
    const sandbox = await openSandbox()
    const { ctx } = deskAt(sandbox)
    const earlier = Array.from({ length: 45 }, (_, index) => `<m${index}@home.example>`)
    await message(ctx, caseId, reply({ thread: { ...thread, earlier, answers: '<m44@home.example>' } }), key)
    const mail = await only(sandbox)
    expect(mail.references).toEqual([earlier[0], ...earlier.slice(-19)])
    expect(mail.inReplyTo).toBe('<m44@home.example>')
  })

  it('leaves a subject that is an answer already as it is', async () => {
    const sandbox = await openSandbox()
    const { ctx } = deskAt(sandbox)
    await message(ctx, caseId, reply({ thread: { ...thread, subject: 'RE: Grüße aus Köln 📦' } }), key)
    expect((await only(sandbox)).subject).toBe('RE: Grüße aus Köln 📦')
  })

  it('says no address of a case where the server knows no plus addresses', async () => {
    const sandbox = await openSandbox()
    const { ctx } = deskAt(sandbox, { plus_addressing: false })
    await message(ctx, caseId, reply(), key)
    const mail = await only(sandbox)
    expect(mail.replyTo).toBeUndefined()
    expect(mail.header('return-path')).toBe(`Return-Path: <${support.address}>`)
  })

  it('is kept in the Sent folder once, and a folder that cannot be reached does not make it unsent', async () => {
    const sandbox = await openSandbox()
    const desk = deskAt(sandbox)
    const { externalId } = await message(desk.ctx, caseId, reply(), key)
    const sent = await Promise.all(sandbox.sent(support.address).map((mail) => mail.parsed()))
    expect(sent.map(({ messageId }) => messageId)).toEqual([externalId])
    const noImap = deskAt({ smtp: sandbox.smtp, imap: { host: '127.0.0.1', port: await closedPort() } })
    await expect(message(noImap.ctx, caseId, reply(), 'key-other-00001')).resolves.toHaveProperty('externalId')
    expect(noImap.warnings).toHaveLength(1)
  })
})

describe('what must not be mailed', () => {
  it('is an internal note: not a byte leaves', async () => {
    const server = await silentServer()
    const { ctx, spent } = deskAt({ smtp: server, imap: server })
    const note: OutMessage = { visibility: 'internal', text: 'She is right, refund her.', thread }
    expect(await message(ctx, caseId, note, key)).toEqual({})
    await expect(
      create(ctx, { subject: 'Note', text: 'x', visibility: 'internal', requester: { emails: [ana.address] } }, key),
    ).rejects.toMatchObject({ code: 'rejected' })
    expect(server.connections()).toBe(0)
    expect(spent()).toBe(0)
  })

  it.each([
    ['a second header in the address', 'ana@home.example\r\nBcc: all@home.example'],
    ['a list of addresses', 'ana@home.example, eve@home.example'],
    ['a NUL', 'ana\u0000@home.example'],
    ['an address with a name', 'Ana <ana@home.example>'],
    ['an SMTP parameter', 'ana@home.example> NOTIFY=SUCCESS'],
  ])('is %s', async (_what, email) => {
    const server = await silentServer()
    const { ctx } = deskAt({ smtp: server, imap: server })
    const out = reply({ thread: { ...thread, to: { email } } })
    await expect(message(ctx, caseId, out, key)).rejects.toMatchObject({ code: 'rejected' })
    expect(server.connections()).toBe(0)
  })

  it('is a header that hides in a subject, a name, an id or a link', async () => {
    const sandbox = await openSandbox()
    const { ctx } = deskAt(sandbox)
    const evil = '\r\nBcc: eve@home.example\r\n\r\nmore\u0000'
    const hidden: OutThread = {
      subject: `Boxes${evil}`,
      to: { email: ana.address, name: `Ana${evil}` },
      earlier: [`<a@b>${evil}`, '<good@home.example>', '<a@b> <c@d>'],
      answers: `<x@y>${evil}`,
    }
    await message(ctx, caseId, reply({ thread: hidden }), key)
    const mail = await only(sandbox)
    expect(mail.bcc).toBeUndefined()
    expect(mail.headerLines.map((line) => line.key)).not.toContain('bcc')
    expect(mail.subject).toBe('Re: Boxes Bcc: eve@home.example more')
    expect(mail.references).toBe('<good@home.example>')
    expect(mail.inReplyTo).toBe('<good@home.example>')
    for (const unsubscribeUrl of [
      `https://x.example/${evil}`,
      'javascript:alert(1)',
      'https://x.example/> <mailto:a@b>',
    ]) {
      await expect(message(ctx, caseId, reply({ unsubscribeUrl }), key)).rejects.toMatchObject({ code: 'rejected' })
    }
  })

  it('is a line end or a NUL in the text that would make two mails of one', async () => {
    const sandbox = await openSandbox()
    const { ctx } = deskAt(sandbox)
    const text = 'Hello\n.\nMAIL FROM:<eve@home.example>\r.\rRCPT\r\n.\r\n\u0000end'
    await message(ctx, caseId, reply({ text }), key)
    await message(ctx, caseId, reply({ text, html: `<p>${text}</p>` }), 'another')
    const kept = sandbox.sent(support.address).map(({ raw }) => raw.toString('latin1'))
    expect(kept).toHaveLength(2)
    for (const raw of kept) expect(raw).not.toMatch(/\r(?!\n)|(?<!\r)\n|\0|=00/)
    expect(sandbox.mailbox(ana.address)).toHaveLength(2)
    expect((await sandbox.mailbox(ana.address)[0]?.parsed())?.text).toContain(
      '\n.\nMAIL FROM:<eve@home.example>\n.\nRCPT',
    )
  })

  it('is a mail over 20 MB', async () => {
    const server = await silentServer()
    const { ctx } = deskAt({ smtp: server, imap: server })
    const text = 'A line of text that is long enough to be one.\n'.repeat(470_000)
    await expect(message(ctx, caseId, reply({ text }), key)).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringContaining('20 MB'),
    })
    expect(server.connections()).toBe(0)
  })

  it('is a change of fields', async () => {
    await expect(update()).rejects.toMatchObject({ code: 'rejected' })
  })
})

describe('a mail whose sending fails', () => {
  it.each([
    ['is grey-listed', '450 4.2.0 come again', { code: 'unavailable', retryAfterMs: 60_000 }],
    ['names nobody', '550 5.1.1 no such user', { code: 'rejected' }],
    ['finds a full mailbox', '452 4.2.2 full', { code: 'unavailable' }],
    ['is too big for the mailbox', '552 5.3.4 too big', { code: 'rejected' }],
    ['may not come from us', '550 5.7.60 not allowed to send as this sender', { code: 'rejected' }],
    ['needs a sign-in', '530 5.7.0 sign in first', { code: 'auth_failed' }],
  ])('because its recipient %s has the right code and the server’s words', async (_what, words, expected) => {
    const sandbox = await openSandbox()
    const { ctx } = deskAt(sandbox)
    sandbox.faults.refuse.set(ana.address, words)
    const error = await message(ctx, caseId, reply(), key).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ ...expected, message: expect.stringContaining(words) })
    expect(sandbox.mailbox(ana.address)).toEqual([])
    expect(sandbox.sent(support.address)).toEqual([])
  })

  it('is refused by its recipient alone: the next one gets hers', async () => {
    const sandbox = await openSandbox()
    const { ctx } = deskAt(sandbox)
    const gone = reply({ thread: { ...thread, to: { email: 'nobody@home.example' } } })
    await expect(message(ctx, caseId, gone, 'key-gone-000001')).rejects.toMatchObject({ code: 'rejected' })
    await message(ctx, caseId, reply(), key)
    expect(sandbox.mailbox(ana.address)).toHaveLength(1)
  })

  it.each([
    ['554 5.7.1 policy', 'rejected'],
    ['452 4.3.1 no room now', 'unavailable'],
  ])('after it was handed over (%s) is %s, as the server has answered', async (words, code) => {
    const sandbox = await openSandbox()
    const { ctx } = deskAt(sandbox)
    sandbox.faults.refuseMail = words
    await expect(message(ctx, caseId, reply(), key)).rejects.toMatchObject({ code })
  })

  it('without an answer is unknown, and repeated with the same Message-ID', async () => {
    const sandbox = await openSandbox()
    const { ctx } = deskAt(sandbox)
    for (const drop of ['after', 'before'] as const) {
      sandbox.faults.drop = drop
      await expect(message(ctx, caseId, reply(), key)).rejects.toMatchObject({ code: 'outcome_unknown' })
    }
    expect(sandbox.handedOver).toBe(2)
    sandbox.faults.drop = 'no'
    expect(await find(ctx, 'message', caseId, key)).toBe('unknown')
    const { externalId } = await message(ctx, caseId, reply(), key)
    const both = await Promise.all(sandbox.mailbox(ana.address).map((mail) => mail.parsed()))
    expect(both.map(({ messageId }) => messageId)).toEqual([externalId, externalId])
    expect(await find(ctx, 'message', caseId, key)).toEqual({ externalId })
    expect(await find(ctx, 'message', caseId, 'another-key-0001')).toBe('unknown')
  })

  it('before all of it was handed over certainly was not sent', async () => {
    const server = await smtpThat((socket, received) => {
      if (received > 100_000) socket.destroy()
    })
    const { ctx } = deskAt({ smtp: server, imap: server })
    const text = 'A line of text that is long enough to be one.\n'.repeat(200_000)
    await expect(message(ctx, caseId, reply({ text }), key)).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('is given up when the hub stops', async () => {
    const server = await silentServer()
    const stopping = new AbortController()
    const { ctx } = deskAt({ smtp: server, imap: server })
    const sending = message({ ...ctx, signal: stopping.signal }, caseId, reply(), key)
    await server.called
    stopping.abort()
    await expect(sending).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('is not sent when the work went to another process', async () => {
    const sandbox = await openSandbox()
    const { ctx } = deskAt(sandbox)
    const lost = new Error('the lease ran out')
    const net: typeof ctx.net = {
      ...ctx.net,
      spend: (exchange) =>
        exchange(() => {
          throw lost
        }),
    }
    await expect(message({ ...ctx, net }, caseId, reply(), key)).rejects.toBe(lost)
    expect(sandbox.handedOver).toBe(0)
  })
})

describe('the first mail of a case', () => {
  it('opens a thread whose case is the same at every attempt', async () => {
    const sandbox = await openSandbox()
    const { ctx } = deskAt(sandbox)
    const draft = {
      subject: 'Your delivery',
      text: 'Two boxes are late.',
      visibility: 'public' as const,
      requester: { name: 'Ana García', emails: [ana.address, 'ana@work.example'] },
    }
    const first = await create(ctx, draft, key)
    const mail = await only(sandbox)
    expect(mail.subject).toBe('Your delivery')
    expect(mail.references).toBeUndefined()
    expect(mail.header('auto-submitted')).toBe('Auto-Submitted: auto-generated')
    expect(provenMessageId(ctx.config, mail.messageId ?? '')).toBe(first.externalId)
    expect(await find(ctx, 'create', 'case_of_the_hub', key)).toEqual(first)
    expect(await create(ctx, draft, key)).toEqual(first)
  })

  it('needs an address', async () => {
    const sandbox = await openSandbox()
    const draft = { subject: 'x', text: 'x', visibility: 'public' as const, requester: { name: 'Ana' } }
    await expect(create(deskAt(sandbox).ctx, draft, key)).rejects.toMatchObject({ code: 'rejected' })
  })
})

describe('a refused password', () => {
  it('is not tried by those who waited meanwhile: servers lock accounts for that', async () => {
    const { ctx } = deskAt(await openSandbox(), { password: 'wrong-password' })
    const codeOf = (n: number) => message(ctx, caseId, reply(), `key-${n}`).then(Object.keys, ({ code }) => code)
    const codes = await Promise.all([1, 2, 3, 4, 5, 6].map(codeOf))
    expect(codes.toSorted()).toEqual(['auth_failed', 'auth_failed', ...Array.from({ length: 4 }, () => 'rate_limited')])
    expect(await codeOf(7)).toBe('auth_failed')
  })
})

describe('the check of the SMTP server', () => {
  it('signs in', async () => {
    await expect(checkSmtp(deskAt(await openSandbox()).ctx)).resolves.toBeUndefined()
  })

  it('says that a password is wrong', async () => {
    const { ctx } = deskAt(await openSandbox(), { password: 'wrong-password' })
    await expect(checkSmtp(ctx)).rejects.toMatchObject({
      code: 'auth_failed',
      message: expect.not.stringContaining('wrong-password'),
    })
  })

  it('says that nobody listens, and that a server has no TLS', async () => {
    const closed = { host: '127.0.0.1', port: await closedPort() }
    await expect(checkSmtp(deskAt({ smtp: closed, imap: closed }).ctx)).rejects.toMatchObject({ code: 'unavailable' })
    const sandbox = await openSandbox()
    for (const tls of ['starttls', 'implicit']) {
      const { ctx } = deskAt(sandbox, { smtp: { ...sandbox.smtp, tls } })
      await expect(checkSmtp(ctx)).rejects.toMatchObject({ code: 'unavailable' })
    }
  })

  it('gives no password to a server elsewhere in clear', async () => {
    const { ctx } = deskAt(await openSandbox())
    const net = { ...ctx.net, resolve: async () => ({ address: '93.184.216.34', servername: 'smtp.acme.example' }) }
    await expect(checkSmtp({ ...ctx, net })).rejects.toMatchObject({ code: 'host_refused' })
  })
})

/** Takes connections and says nothing. */
async function silentServer() {
  const called = Promise.withResolvers<void>()
  let connections = 0
  const server = await listen(() => {
    connections += 1
    called.resolve()
  })
  return { ...server, connections: () => connections, called: called.promise }
}

/** Speaks enough SMTP to be given a mail. @param onData with the bytes of the mail so far */
async function smtpThat(onData: (socket: Socket, received: number) => void) {
  return await listen((socket) => {
    let received: number | undefined
    socket.on('error', () => {})
    socket.write('220 ready\r\n')
    socket.on('data', (chunk) => {
      if (received !== undefined) {
        received += chunk.length
        return onData(socket, received)
      }
      for (const line of chunk.toString('latin1').split('\r\n')) {
        if (line.startsWith('EHLO')) socket.write('250-here\r\n250 AUTH PLAIN\r\n')
        else if (line.startsWith('AUTH')) socket.write('235 welcome\r\n')
        else if (line === 'DATA') {
          received = 0
          socket.write('354 go on\r\n')
        } else if (line !== '') socket.write('250 fine\r\n')
      }
    })
  })
}

async function listen(onSocket: (socket: Socket) => void) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    onSocket(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { host: '127.0.0.1', port: address.port }
}

async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  await new Promise((resolve) => server.close(resolve))
  return address.port
}
