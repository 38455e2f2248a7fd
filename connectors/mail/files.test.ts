import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { Context } from '#hub/connector/contract.ts'
import type { Attachment } from '#hub/connector/facts.ts'
import { testContext } from '#kit/conformance/test-http.ts'
import { type MailConfig, config as schema } from './config.ts'
import { mail } from './connector.ts'
import { createMailSandbox, type MailSandbox } from './sandbox.ts'
import { takesFiles } from './send.ts'
import { provenCase } from './signed-address.ts'

const support = { address: 'support@acme.example', password: 'sandbox-password-1' }
const ana = { address: 'ana@home.example', password: 'sandbox-password-2' }
const now = new Date('2026-11-20T10:15:30Z')
const caseId = 'abcdefghij234567'
const { changes, readFile, writeCase } = mail.can

let sandbox: MailSandbox
let ctx: Context<MailConfig>

beforeEach(async () => {
  sandbox = await createMailSandbox({ users: [support, ana], now: () => now })
  onTestFinished(() => sandbox.close())
  const { imap, smtp } = sandbox
  const config = schema.parse({
    address: support.address,
    name: 'Acme Support',
    password: support.password,
    signing_secret: 'mail_test_secret_000000000001',
    imap: { ...imap, tls: 'none' },
    smtp: { ...smtp, tls: 'none' },
  })
  ctx = { ...testContext(mail, config, now, 'http://127.0.0.1:9').ctx, config }
})

const binary = Buffer.from(Array.from({ length: 300 }, (_, n) => n % 256))

function part(name: string, content: Buffer, type = 'application/octet-stream'): string {
  const head = `Content-Type: ${type}\r\nContent-Disposition: attachment; filename="${name}"\r\nContent-Transfer-Encoding: base64`
  return `${head}\r\n\r\n${content.toString('base64')}`
}

function multipart(parts: readonly string[], boundary: string): string {
  const inner = parts.map((one) => `--${boundary}\r\n${one}\r\n`).join('')
  return `Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n${inner}--${boundary}--\r\n`
}

/** What the hub is told of the files of a mail that arrives. */
async function arrives(body: string): Promise<readonly Attachment[]> {
  let cursor: string | undefined
  for await (const page of changes.since(ctx, undefined)) cursor = page.cursor
  sandbox.deliver(
    support.address,
    `From: ana@home.example\r\nSubject: Boxes\r\nMessage-ID: <m1@home.example>\r\n${body}`,
  )
  const files: Attachment[] = []
  for await (const { observations } of changes.since(ctx, cursor)) {
    for (const one of observations) if (one.type === 'threaded') files.push(...(one.message.attachments ?? []))
  }
  return files
}

describe('files that come by mail', () => {
  it('are read byte for byte where the mail lies, also from a message inside it', async () => {
    const inside = `From: leo@home.example\r\nSubject: Forwarded\r\n${multipart(
      ['Content-Type: text/plain\r\n\r\nSee there', part('inner.bin', binary.subarray(1))],
      'inner',
    )}`
    const [first, letter, second, inner] = await arrives(
      multipart(
        [
          'Content-Type: text/plain\r\n\r\nSee attached',
          part('a.bin', binary),
          `Content-Type: message/rfc822\r\nContent-Disposition: attachment; filename="letter.eml"\r\n\r\n${inside}`,
          part('b.txt', Buffer.from('paper jam'), 'text/plain'),
        ],
        'outer',
      ),
    ).then((files) => ['a.bin', 'letter.eml', 'b.txt', 'inner.bin'].map((name) => files.find((f) => f.name === name)))
    if (!first || !letter || !second || !inner) throw new Error('a file is missing')
    const read = async (file: Attachment) => Buffer.from(await readFile(ctx, file, 10_000))
    expect(await read(first)).toEqual(binary)
    expect(await read(second)).toEqual(Buffer.from('paper jam'))
    expect(await read(inner)).toEqual(binary.subarray(1))
    expect((await read(letter)).toString()).toContain('Subject: Forwarded')
    await expect(readFile(ctx, first, 299)).rejects.toMatchObject({ code: 'rejected' })
  })

  it('are not read from elsewhere, nor in place of a file that is gone', async () => {
    const [file] = await arrives(multipart([part('a.bin', binary)], 'outer'))
    if (!file) throw new Error('the file is missing')
    const id = file.id ?? ''
    const others = [
      id.replace('INBOX', 'Private'),
      id.replace(support.address, 'boss@acme.example'),
      `${id}9`,
      id.replace(/\|\d+\|([^|]+)$/, '|99|$1'),
      '1',
    ]
    for (const other of others) {
      await expect(readFile(ctx, { ...file, id: other }, 10_000)).rejects.toMatchObject({ code: 'not_found' })
    }
    const { sizeBytes: _, ...cut } = file
    await expect(readFile(ctx, cut, 10_000)).rejects.toMatchObject({ code: 'rejected' })
    sandbox.changeUidValidity(support.address)
    await expect(readFile(ctx, file, 10_000)).rejects.toMatchObject({ code: 'not_found' })
  })
})

describe('a reply of a colleague', () => {
  const thread = { subject: 'Boxes', to: { email: ana.address }, earlier: [] }
  const reply = { visibility: 'public', text: 'They left today.', thread } as const

  async function received() {
    const parsed = await sandbox.mailbox(ana.address).at(-1)?.parsed()
    return { from: parsed?.from?.value, files: parsed?.attachments ?? [], replyTo: parsed?.replyTo?.value[0] }
  }

  it('shows who answers and for whom, and its answers still come to the mailbox', async () => {
    await writeCase.message(
      ctx,
      caseId,
      { ...reply, author: { name: 'Leo\r\nBcc: x', email: 'leo@acme.example' } },
      'key-0001',
    )
    const { from, replyTo } = await received()
    expect(from).toEqual([{ name: 'Leo Bcc: x (Acme Support)', address: support.address }])
    expect(provenCase(ctx.config, replyTo?.address ?? '')).toBe(caseId)
    const bare = { ...ctx, config: schema.parse({ ...ctx.config, name: undefined }) }
    await writeCase.message(bare, caseId, { ...reply, author: { name: 'Leo' } }, 'key-0002')
    expect((await received()).from).toEqual([{ name: 'Leo', address: support.address }])
    await writeCase.message(ctx, caseId, { ...reply, author: { email: 'leo@acme.example' } }, 'key-0003')
    expect((await received()).from).toEqual([{ name: 'Acme Support', address: support.address }])
  })

  it('brings its files, and no structure that somebody put into their names', async () => {
    const files = [
      { name: 'día "1"\r\nX-Evil: 1.pdf', contentType: 'application/pdf', content: binary },
      { name: 'page', contentType: 'text/html; charset=x\r\nX-Evil: 1', content: Buffer.from('<b>') },
      { name: 'letter', contentType: 'message/rfc822', content: Buffer.from('From: x\r\n\r\n') },
    ]
    await writeCase.message(ctx, caseId, { ...reply, html: '<p>Today</p>', files }, 'key-0004')
    const { files: got } = await received()
    expect(got.map(({ filename, contentType }) => [filename, contentType])).toEqual([
      ['día "1" X-Evil: 1.pdf', 'application/pdf'],
      ['page', 'application/octet-stream'],
      ['letter', 'application/octet-stream'],
    ])
    expect(got[0]?.content).toEqual(binary)
    expect(sandbox.mailbox(ana.address).at(-1)?.raw.toString('latin1')).not.toMatch(/^X-Evil/im)
  })

  it('may bring as much as a mail can hold', async () => {
    const files = [{ name: 'all.bin', contentType: 'application/zip', content: Buffer.alloc(takesFiles.maxBytes, 65) }]
    await writeCase.message(ctx, caseId, { ...reply, files }, 'key-0005')
    expect((await received()).files[0]?.size).toBe(takesFiles.maxBytes)
  })
})
