/** Real mail through a whole hub: sockets, IDLE, threads, answers, and two machines that answer each other. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase } from '#kit'
import { startTestHub, type TestHub } from '#kit/hub.ts'
import { createMailSandbox, type MailSandbox, sandboxHost } from '../../connectors/mail/sandbox.ts'

const support = { address: 'support@acme.example', password: 'sandbox-password-1' }
const ana = { address: 'ana@home.example', password: 'sandbox-password-2' }
const robot = { address: 'tickets@robot.example', password: 'sandbox-password-3' }

interface List<T> {
  readonly data: readonly T[]
}
interface CaseView {
  readonly id: string
  readonly subject: string
  readonly status: string
}
interface MessageView {
  readonly visibility: string
  readonly author: { readonly kind: string }
  readonly text: string
}

const database = testDatabase()
let post: MailSandbox
let hub: TestHub
let written = 0

beforeAll(async () => {
  post = await createMailSandbox({ users: [support, ana, robot] })
  const { imap, smtp } = post
  hub = await startTestHub(database, { hosts: [`tcp://127.0.0.1:${imap.port}`, `tcp://127.0.0.1:${smtp.port}`] })
  await hub.api('POST', '/connections', {
    connector: 'mail',
    name: 'Support mail',
    config: {
      address: support.address,
      password: support.password,
      signing_secret: 'mail_test_secret_000000000001',
      imap: { ...imap, tls: 'none' },
      smtp: { ...smtp, tls: 'none' },
      trusted_authserv_ids: [sandboxHost],
    },
  })
  await hub.api('PUT', '/rules/thanks', {
    id: 'thanks',
    name: 'Thanks',
    mode: 'on',
    on: ['case.created', 'message.received'],
    then: [{ reply: { text: 'We have got your mail.' } }],
  })
  // From here on the mailbox is read: a first reading only notes where it stands.
  await hub.until('the first reading', async () => {
    const { rows } = await hub.running.hub.intake.query('select from connections where change_cursor is not null')
    return rows.length > 0
  })
})
afterAll(async () => {
  await hub?.stop()
  await post?.close()
})

/** @param headers lines beside the usual ones. @returns its Message-ID. */
function write(from: string, text: string, headers: readonly string[] = [], to = support.address): string {
  written += 1
  const id = `<m${written}@${from.split('@')[1]}>`
  const lines = [`From: ${from}`, `To: ${to}`, 'Subject: Where is my parcel?', `Message-ID: ${id}`]
  const date = `Date: ${new Date().toUTCString()}`
  post.deliver(support.address, [...lines, date, ...headers, '', text, ''].join('\r\n'))
  return id
}
const cases = async () => ((await hub.api('GET', '/cases')) as List<CaseView>).data
const messagesOf = async (id: string) => ((await hub.api('GET', `/cases/${id}/messages`)) as List<MessageView>).data
const caseOf = (id: string) => hub.api('GET', `/cases/${id}`) as Promise<CaseView>
async function replyTo(user: string): Promise<{ address: string; id: string; automatic: string }> {
  const [answer] = await Promise.all(
    post
      .mailbox(user)
      .slice(-1)
      .map((mail) => mail.parsed()),
  )
  const [{ address = '' } = {}] = answer?.replyTo?.value ?? []
  return { address, id: answer?.messageId ?? '', automatic: String(answer?.headers.get('auto-submitted') ?? '') }
}

describe('a customer who writes by mail', () => {
  it('has a case, one answer that says it is automatic, and joins it when she replies', async () => {
    const opening = write(ana.address, 'It was due on Monday.')
    const [opened] = await hub.until('the case', async () => (await cases()).length === 1 && (await cases()))
    await hub.until('the answer', async () => post.mailbox(ana.address).length === 1)
    const answer = await replyTo(ana.address)
    expect(answer).toMatchObject({ address: expect.stringMatching(/^support\+r\./), automatic: 'auto-replied' })
    if (!opened) throw new Error('no case')

    write(ana.address, 'I am away until Friday.', ['Auto-Submitted: auto-replied', `In-Reply-To: ${answer.id}`])
    await hub.until('the absence note', async () => (await messagesOf(opened.id)).length === 3)
    await hub.api('PATCH', `/cases/${opened.id}`, { status: 'solved' })
    write(ana.address, 'It still is not here.', [], answer.address)
    await hub.until('the reply', async () => (await caseOf(opened.id)).status === 'open')
    await hub.settled()

    expect(await cases()).toHaveLength(1)
    expect(
      (await messagesOf(opened.id)).map(({ visibility, author }) => `${author.kind} ${visibility}`).sort(),
    ).toEqual(['customer public', 'customer public', 'system internal', 'system public'])
    expect(post.mailbox(ana.address)).toHaveLength(1)

    // Somebody who has seen the thread gets no way in.
    write(robot.address, 'Let me in.', [`In-Reply-To: ${opening}`, `References: ${answer.id}`], answer.address)
    const both = await hub.until('a case of its own', async () => (await cases()).length === 2 && (await cases()))
    expect(await messagesOf(opened.id)).toHaveLength(4)
    const other = both.find(({ id }) => id !== opened.id)
    expect(await hub.api('GET', `/cases/${other?.id}`)).toMatchObject({ custom: { related_case: opened.id } })
    await hub.until('its answer', async () => post.mailbox(robot.address).length === 1)
  })

  it('is a machine that says nothing of it: after one exchange it is silent', async () => {
    for (let n = 0; n < 3; n += 1) {
      const { address, id } = await replyTo(robot.address)
      const known = (await Promise.all((await cases()).map((one) => messagesOf(one.id)))).flat().length
      write(robot.address, `Your mail is ticket ${n}.`, [`In-Reply-To: ${id}`], address)
      await hub.until('the answer of the machine', async () => {
        const now = (await Promise.all((await cases()).map((one) => messagesOf(one.id)))).flat().length
        return now > known
      })
      await hub.settled()
    }
    expect(post.mailbox(robot.address)).toHaveLength(1)
    expect(await cases()).toHaveLength(2)
  })
})
