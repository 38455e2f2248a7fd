import { describe, expect, it } from 'vitest'
import { bounceAddress, caseIdOf, loopMark, messageIdFor, replyAddress } from './signed-address.ts'
import { config, fixtures, mail, observationsOf, read, reasonOf, receivedAt, threadedOf } from './test-mail.ts'

const caseId = caseIdOf(config, 'opening')
const otherCase = caseIdOf(config, 'another')
const ours = messageIdFor(config, caseId, 'k1')

describe('a mail that was read', () => {
  it('says who wrote what, and the case that it would open', async () => {
    const pass = 'Authentication-Results: mx.example.com; dmarc=pass header.from=customer.example'
    const raw = mail(
      ['From: =?utf-8?q?Ana_Garc=C3=ADa?= <Ana@Customer.example>', 'References: <b@x> <a@x>'],
      'Hello.\r\n',
    )
    const { thread, ...observation } = threadedOf(await read(`${pass}\r\n${raw}`))
    expect(observation).toEqual({
      type: 'threaded',
      occurredAt: '2026-11-21T10:20:00.000Z',
      byHub: false,
      message: {
        id: '<m1@customer.example>',
        visibility: 'public',
        author: { kind: 'customer', email: 'ana@customer.example', name: 'Ana García' },
        text: 'Hello.',
        sentAt: '2026-11-21T10:20:00.000Z',
      },
    })
    expect(thread).toEqual({
      opens: {
        id: expect.stringMatching(/^[a-z0-9]{16}$/),
        subject: 'Invoice 2217',
        status: 'new',
        channel: 'email',
        requester: { emails: ['ana@customer.example'], name: 'Ana García', verified: true },
        createdAt: '2026-11-21T10:20:00.000Z',
        updatedAt: '2026-11-21T10:20:00.000Z',
      },
      proven: [],
      answers: ['<a@x>', '<b@x>'],
      from: 'ana@customer.example',
      automatic: false,
    })
  })

  it('is the same each time, and opens another case for another sender', async () => {
    const again = [threadedOf(await read(mail())), threadedOf(await read(mail(), { key: 'INBOX/2/7' }))]
    expect(again[0]).toEqual(again[1])
    const copied = threadedOf(await read(mail(['From: eve@evil.example'])))
    expect(copied.message.id).toBe(again[0]?.message.id)
    expect(copied.thread.opens.id).not.toBe(again[0]?.thread.opens.id)
  })

  it.each([
    ['the sender’s clock', 'Sat, 21 Nov 2026 09:00:00 +0100', '2026-11-21T08:00:00.000Z'],
    ['a comment after it', 'Sat, 21 Nov 2026 10:00:00 +0000 (GMT)', '2026-11-21T10:00:00.000Z'],
    ['not the future', 'Sat, 21 Nov 2099 10:00:00 +0000', receivedAt],
    ['not a clock that starts in 1970', 'Thu, 01 Jan 1970 00:00:00 +0000', receivedAt],
    ['not what is no date', 'yesterday', receivedAt],
  ])('was written when its Date line says: %s', async (_, date, sentAt) => {
    const { message } = threadedOf(await read(mail([`Date: ${date}`])))
    expect(message.sentAt).toBe(sentAt)
  })

  it('gets an id from its content when it has none, the same in every copy', async () => {
    for (const line of ['Message-ID:', 'Message-ID: none', `Message-ID: <${'x'.repeat(600)}@y>`]) {
      const first = threadedOf(await read(mail([line])))
      const copy = threadedOf(await read(`Received: by another.example.com\r\n${mail([line])}\r\n`))
      expect(first.message.id).toMatch(/^<[0-9a-f]{32}@no-message-id\.invalid>$/)
      expect(copy.message.id).toBe(first.message.id)
      expect(threadedOf(await read(mail([line], 'Bye.'))).message.id).not.toBe(first.message.id)
    }
    expect(threadedOf(await read(mail(['Message-ID: bare@x.example']))).message.id).toBe('<bare@x.example>')
  })
})

describe('the conversation of a mail', () => {
  const reply = replyAddress(config, caseId)

  it.each([
    ['Delivered-To', [`Delivered-To: ${reply}`]],
    ['X-Original-To, in capitals', [`X-Original-To: ${reply.toUpperCase()}`]],
    ['To', [`To: "Acme, Support" <${reply}>`]],
    ['Cc among others', [`Cc: bob@x.example, ${reply}`]],
    ['the return path, where absence notes go', [`Delivered-To: ${bounceAddress(config, caseId, ours)}`]],
    ['In-Reply-To', [`In-Reply-To: ${ours}`]],
    ['References', [`References: <x@y> ${ours} <z@y>`]],
    ['folded References', [`References: <x@y>\r\n ${ours}\r\n\t<z@y>`]],
  ])('is proven by %s', async (_, lines) => {
    expect(threadedOf(await read(mail(lines))).thread.proven).toEqual([caseId])
  })

  it('names the best proof first and other people’s ids from the nearest on, at most 20', async () => {
    const ids = Array.from({ length: 30 }, (_, index) => `<r${index}@x.example>`)
    const { thread } = threadedOf(
      await read(
        mail([
          `Delivered-To: ${replyAddress(config, otherCase)}`,
          'In-Reply-To: <nearest@x.example>',
          `References: ${ids.join(' ')} ${ours}`,
        ]),
      ),
    )
    expect(thread.proven).toEqual([otherCase, caseId])
    expect(thread.answers.slice(0, 3)).toEqual(['<nearest@x.example>', '<r29@x.example>', '<r28@x.example>'])
    expect(thread.answers).toHaveLength(19)
  })

  it('is not proven, nor named, by an id or an address whose signature is not ours', async () => {
    const forgedId = ours.replace(/\.[a-z2-7]{26}@/, `.${'a'.repeat(26)}@`)
    const forgedAddress = reply.replace(/\.[a-z2-7]{26}@/, `.${'a'.repeat(26)}@`)
    const other = { ...config, signing_secret: 'example-signing-secret-000002' }
    const lines = [
      `To: ${forgedAddress}`,
      `In-Reply-To: ${forgedId}`,
      `References: ${messageIdFor(other, caseId, 'k1')}`,
    ]
    const { thread } = threadedOf(await read(mail(lines)))
    expect([thread.proven, thread.answers]).toEqual([[], []])
  })

  it('marks what anybody could have written, for the agents who read it', async () => {
    const { message } = threadedOf(await read(mail()))
    expect(message.author).toEqual({
      kind: 'customer',
      email: 'ana@customer.example',
      name: 'Ana Garcia',
      verified: false,
    })
  })

  it('never follows Reply-To, the subject or the display name', async () => {
    const lines = [
      'From: "leo@agents.example" <eve@evil.example>',
      'Reply-To: leo@agents.example',
      `Subject: [#${caseId}]`,
    ]
    const { thread, message } = threadedOf(await read(mail(lines)))
    expect([thread.from, thread.proven, message.author]).toEqual([
      'eve@evil.example',
      [],
      { kind: 'customer', email: 'eve@evil.example', verified: false },
    ])
  })
})

describe('our own mail', () => {
  it('that comes back to the inbox is passed over', async () => {
    const forwardedBack = ['From: support@example.com', `Message-ID: ${ours}`]
    expect(await read(mail(forwardedBack))).toEqual([])
    expect(await read(mail([`X-Loop: ${loopMark(config)}`]))).toEqual([])
  })

  it('in the Sent folder is what the hub wrote', async () => {
    const raw = mail(['From: Acme Support <support@example.com>', `Message-ID: ${ours}`, 'To: ana@customer.example'])
    expect(observationsOf(await read(raw, { folder: 'sent' }))).toMatchObject([
      { type: 'message', caseId, byHub: true, message: { id: ours, author: { kind: 'agent' } } },
    ])
  })

  it('that an agent sent from a mail program is the agent’s', async () => {
    const raw = mail([
      'From: support@example.com',
      'To: Ana <ana@customer.example>',
      'In-Reply-To: <m0@customer.example>',
    ])
    const { message, thread } = threadedOf(await read(raw, { folder: 'sent' }))
    expect(message.author).toEqual({ kind: 'agent', email: 'support@example.com' })
    expect(thread).toMatchObject({
      answers: ['<m0@customer.example>'],
      automatic: false,
      opens: { requester: { emails: ['ana@customer.example'], verified: false } },
    })
  })

  it('brings in whom the agent wrote to, and a customer’s mail brings in nobody', async () => {
    const lines = [
      `To: Ana <ana@customer.example>, ${replyAddress(config, caseId)}`,
      'Cc: Bob <Bob@customer.example>, leo@agents.example, support@example.com, ana@customer.example',
    ]
    const sent = threadedOf(await read(mail(['From: support@example.com', ...lines]), { folder: 'sent' }))
    expect(sent.thread.guests).toEqual(['ana@customer.example', 'bob@customer.example'])
    expect(threadedOf(await read(mail(lines))).thread).not.toHaveProperty('guests')
  })

  it('in the Sent folder is of no interest when it is another’s or stays among us', async () => {
    expect(await read(mail(['From: eve@evil.example', 'To: a@x.example']), { folder: 'sent' })).toEqual([])
    const among = mail(['From: support@example.com', 'To: leo@agents.example, eva@staff.example'])
    expect(await read(among, { folder: 'sent' })).toEqual([])
  })

  it('that went through more than 25 servers is set aside', async () => {
    const hops = (count: number) => Array.from({ length: count }, () => 'Received: by mx.example.com')
    expect(reasonOf(await read(mail([], '', hops(26))))).toContain('26 servers')
    expect(threadedOf(await read(mail([], '', hops(25)))).thread.automatic).toBe(false)
  })
})

describe('automatic mail', () => {
  const automatic = fixtures('automatic')

  it('is known in at least 40 kinds', () => {
    expect(automatic.length).toBeGreaterThanOrEqual(40)
  })

  it.each(automatic.map(({ name, raw }) => [name, raw]))('is told from what people write: %s', async (_, raw) => {
    const { thread, message } = threadedOf(await read(raw))
    expect(thread.automatic).toBe(true)
    expect(message.text).not.toBe('')
  })

  it.each(fixtures('human').map(({ name, raw }) => [name, raw]))('is not what a person writes: %s', async (_, raw) => {
    const { thread, message } = threadedOf(await read(raw))
    expect(thread.automatic).toBe(false)
    expect(message.author).toMatchObject({ kind: 'customer' })
  })

  it('is proven to answer us by the return path that it goes to', async () => {
    const note = automatic.find(({ name }) => name === 'vacation-sieve-en')?.raw ?? ''
    const raw = note.replace(
      'Delivered-To: support@example.com',
      `Delivered-To: ${bounceAddress(config, caseId, ours)}`,
    )
    expect(threadedOf(await read(raw)).thread).toMatchObject({ automatic: true, proven: [caseId] })
  })
})

describe('delivery reports', () => {
  const reports = fixtures('reports')
  const soft = ['postfix-delayed', 'exchange-french-mailbox-full', 'exim-warning']
  const verp = bounceAddress(config, caseId, ours)
  const filled = (raw: string, to: string, id: string) =>
    raw
      .replaceAll('{{TO-HEADER}}', to)
      .replaceAll('{{FAILED}}', 'ana@customer.example')
      .replaceAll('{{ID}}', id)
      .replaceAll('{{VERP}}', verp)

  it.each(reports.map(({ name, raw }) => [name, raw]))('name the address that failed: %s', async (name, raw) => {
    const byReturnPath = filled(raw, verp, '<lost@elsewhere.example>')
    const byMessageId = filled(raw, config.address, ours)
    for (const text of [byReturnPath, byMessageId]) {
      const bounces = observationsOf(await read(text))
      expect(bounces).toMatchObject([
        {
          type: 'bounce',
          bounce: { caseId, messageId: ours, address: 'ana@customer.example', permanent: !soft.includes(name) },
        },
      ])
      expect(bounces[0]?.type === 'bounce' && bounces[0].bounce.reason).toMatch(/\d\.\d+\.\d+ \S/)
    }
  })

  it.each(reports.map(({ name, raw }) => [name, raw]))('without proof say nothing: %s', async (_, raw) => {
    const forged = ours.replace(/\.[a-z2-7]{26}@/, `.${'a'.repeat(26)}@`)
    expect(await read(filled(raw, config.address, forged))).toEqual([])
  })

  it('name each address of several, and none that was delivered', async () => {
    const raw = reports.find(({ name }) => name === 'postfix-unknown-user')?.raw ?? ''
    const group = (address: string, action: string, status: string) =>
      `\r\n\r\nFinal-Recipient: rfc822; ${address}\r\nAction: ${action}\r\nStatus: ${status}`
    const more = [group('b@x.example', 'failed', '4.4.7'), group('c@x.example', 'delivered', '2.0.0')].join('')
    const text = filled(raw, verp, ours).replace('recipient table\r\n\r\n--', `recipient table${more}\r\n\r\n--`)
    const bounces = observationsOf(await read(text))
    expect(bounces.map((one) => one.type === 'bounce' && [one.bounce.address, one.bounce.permanent])).toEqual([
      ['ana@customer.example', true],
      ['b@x.example', false],
    ])
  })

  it('prefer the address that we wrote to over the one it was forwarded to', async () => {
    const raw = reports.find(({ name }) => name === 'gmail')?.raw ?? ''
    const text = filled(raw, verp, ours).replace(
      'Final-Recipient: rfc822; ana@customer.example',
      'Original-Recipient: rfc822;ana@customer.example\r\nFinal-Recipient: rfc822; inner@hosted.example',
    )
    expect(observationsOf(await read(text))).toMatchObject([{ bounce: { address: 'ana@customer.example' } }])
  })
})
