/** Mail end to end: a mail becomes a case, the answer goes into its thread, and the answer to that joins the case. */
import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase } from '#kit'
import { startTestHub, type TestHub } from '#kit/hub.ts'
import { createMailSandbox, type MailSandbox, sandboxHost } from '../../connectors/mail/sandbox.ts'

const support = { address: 'support@acme.example', password: 'sandbox-password-1' }
const ana = { address: 'ana@home.example', password: 'sandbox-password-2' }
const database = testDatabase()
let hub: TestHub
let server: MailSandbox
let connectionId: string

interface List<T> {
  readonly data: readonly T[]
}
interface CaseView {
  readonly id: string
  readonly subject: string | null
  readonly status: string
}
interface MessageView {
  readonly text: string
  readonly visibility: string
  readonly author: { readonly kind: string }
}

beforeAll(async () => {
  server = await createMailSandbox({ users: [support, ana] })
  const { imap, smtp } = server
  hub = await startTestHub(database, { hosts: [imap, smtp].map(({ host, port }) => `http://${host}:${port}`) })
  const config = {
    address: support.address,
    name: 'Acme Support',
    password: support.password,
    signing_secret: 'made-up-signing-secret-0001',
    imap: { ...imap, tls: 'none' },
    smtp: { ...smtp, tls: 'none' },
    trusted_authserv_ids: [sandboxHost],
  }
  connectionId = await hub.connect('mail', 'Support mailbox', { config, connect: () => {} })
  // A first reading notes where the mailbox stands; what comes later is news.
  await hub.until('the first reading', async () => {
    const { rows } = await hub.running.hub.intake.query('select from connections where change_cursor is not null')
    return rows.length > 0
  })
})
afterAll(async () => {
  await hub?.stop()
  await server?.close()
})

/** As Ana's mail program sends it, signed in at her server. */
async function anaWrites(mail: { to: string; subject: string; text: string; inReplyTo?: string; messageId: string }) {
  const { host, port } = server.smtp
  const transport = createTransport({ host, port, auth: { user: ana.address, pass: ana.password } })
  await transport.sendMail({ from: { name: 'Ana García', address: ana.address }, ...mail })
  transport.close()
}

const cases = async () => ((await hub.api('GET', '/cases')) as List<CaseView>).data
const messagesOf = async (id: string) => ((await hub.api('GET', `/cases/${id}/messages`)) as List<MessageView>).data
const anasMails = () => Promise.all(server.mailbox(ana.address).map((mail) => mail.parsed()))

describe('mail', () => {
  it('opens a case, is answered in its thread, and the answer to that joins the case', async () => {
    await anaWrites({
      to: support.address,
      subject: 'Where are my boxes?',
      text: 'I only received three.',
      messageId: '<first@home.example>',
    })
    const opened = await hub.until('the case', async () => (await cases())[0])
    expect(opened).toMatchObject({ subject: 'Where are my boxes?', status: 'new' })

    await hub.api('POST', `/cases/${opened.id}/messages`, { visibility: 'internal', text: 'Refund her if need be.' })
    await hub.api('POST', `/cases/${opened.id}/messages`, { visibility: 'public', text: 'They left today.' })
    const [answer] = await hub.until('the answer', async () => {
      const mails = await anasMails()
      return mails.length > 0 && mails
    })
    expect(answer).toMatchObject({
      subject: 'Re: Where are my boxes?',
      inReplyTo: '<first@home.example>',
      text: expect.stringContaining('They left today.'),
    })
    expect(answer?.headers.get('auto-submitted')).toBeUndefined()

    await anaWrites({
      to: answer?.replyTo?.value[0]?.address ?? '',
      subject: 'Re: Where are my boxes?',
      text: 'Got them, thank you!',
      messageId: '<third@home.example>',
      inReplyTo: answer?.messageId ?? '',
    })
    await hub.until('her second mail', async () =>
      (await messagesOf(opened.id)).some(({ text }) => text.includes('Got them')),
    )
    await hub.settled()
    expect(await cases()).toHaveLength(1)
    const said = (await messagesOf(opened.id)).map(({ author, visibility, text }) =>
      [author.kind, visibility, text.trim()].join(': '),
    )
    // A mail's own time has whole seconds, so the order of what is said within one is not known.
    expect(said.sort()).toEqual([
      'agent: internal: Refund her if need be.',
      'agent: public: They left today.',
      'customer: public: Got them, thank you!',
      'customer: public: I only received three.',
    ])
    expect(await anasMails()).toHaveLength(1)
    expect(server.sent(support.address)).toHaveLength(1)
  })

  it('reads on after the server was gone', async () => {
    await server.restart()
    await anaWrites({ to: support.address, subject: 'Another thing', text: 'Hello?', messageId: '<new@home.example>' })
    await hub.api('POST', `/connections/${connectionId}/reconcile`, {})
    await hub.until('the second case', async () => (await cases()).length === 2)
  })
})
