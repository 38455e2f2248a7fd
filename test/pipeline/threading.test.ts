import { describe, expect, it } from 'vitest'
import { testDatabase } from '#kit'
import { mail, postScene } from './post.ts'

const scene = postScene(testDatabase())
const only = <T>(list: readonly T[]): T => {
  const [one, ...others] = list
  if (one === undefined || others.length > 0) throw new Error(`expected one, got ${list.length}`)
  return one
}

const mailOpens = (id: string) => ({ id, requester: { emails: ['eve@example.net'] } })

describe('mail', () => {
  it('opens a case, and its answer joins by our message, in one batch or in two', async () => {
    await scene.deliver(
      mail('m2', 'ana@example.com', { answers: ['m1'], at: '2026-11-22T09:05:00Z' }),
      mail('m1', 'ana@example.com'),
    )
    await scene.deliver(mail('m3', 'Ana@Example.com', { answers: ['m9', 'm2'], at: '2026-11-22T09:10:00Z' }))
    const found = only(await scene.cases())
    expect(found).toMatchObject({ subject: 'About m1', status: 'new', channel: 'email', custom: {} })
    expect((await scene.messages()).map((one) => [one.external_id, one.case_id])).toEqual([
      ['m1', found.id],
      ['m2', found.id],
      ['m3', found.id],
    ])
    expect(await scene.types()).toEqual(['case.created', 'message.received', 'message.received', 'message.received'])
  })

  it('of somebody whom an agent wrote to joins, also later; not of somebody whom a customer did', async () => {
    const sent = mail('a1', 'support@desk.example', {
      kind: 'agent',
      answers: ['m1'],
      guests: ['ana@example.com', 'Bob@Example.com'],
      at: '2026-11-22T09:05:00Z',
    })
    await scene.deliver(mail('m1', 'ana@example.com', { guests: ['eve@example.net'] }), sent)
    await scene.replay()
    await scene.deliver(mail('b1', 'bob@example.com', { answers: ['a1'] }))
    await scene.deliver(mail('e1', 'eve@example.net', { answers: ['a1'] }))
    const [first, second] = await scene.cases()
    expect((await scene.messages()).filter((one) => one.case_id === first?.id).map((one) => one.external_id)).toEqual(
      expect.arrayContaining(['m1', 'a1', 'b1']),
    )
    expect(second).toMatchObject({ subject: 'About e1', custom: { related_case: first?.id } })
  })

  it('changes nothing when it is worked again, from the inbox or read anew', async () => {
    await scene.deliver(mail('m1', 'ana@example.com'), mail('m2', 'ana@example.com', { answers: ['m1'] }))
    await scene.person(only(await scene.cases()).id, { change: { status: 'solved' } })
    const before = [await scene.cases(), await scene.messages(), await scene.events()]
    await scene.replay()
    await scene.deliver(mail('m2', 'ana@example.com', { proven: ['of-m9'], at: '2026-11-22T11:00:00Z' }))
    expect([await scene.cases(), await scene.messages(), await scene.events()]).toEqual(before)
  })

  it('keeps two messages with one id apart, and each of them once', async () => {
    const twice = [mail('m1', 'ana@example.com'), mail('m1', 'eve@example.net', { opens: mailOpens('of-x') })]
    await scene.deliver(...twice)
    await scene.deliver(...twice.map((one) => ({ ...one, occurredAt: '2026-11-22T09:30:00Z' })))
    expect((await scene.messages()).map((one) => one.author.email).sort()).toEqual([
      'ana@example.com',
      'eve@example.net',
    ])
    expect(await scene.cases()).toHaveLength(2)
  })

  it.each(['pending', 'on_hold', 'solved'])('of the customer reopens a case that is %s, each time', async (status) => {
    await scene.deliver(mail('m1', 'ana@example.com'))
    const { id } = only(await scene.cases())
    for (const n of [2, 3]) {
      await scene.person(id, { change: { status } })
      await scene.deliver(mail(`m${n}`, 'ana@example.com', { proven: ['of-m1'] }))
      expect(only(await scene.cases())).toMatchObject({ status: 'open', solved_at: null })
    }
    const reopened = (await scene.types()).filter((type) => type === 'case.reopened')
    expect(reopened).toHaveLength(status === 'solved' ? 2 : 0)
  })

  it('leaves an open case as it is', async () => {
    await scene.deliver(mail('m1', 'ana@example.com'))
    await scene.deliver(mail('m2', 'ana@example.com', { proven: ['of-m1'] }))
    expect(only(await scene.cases()).status).toBe('new')
  })

  it('never reopens a closed case: a case follows that names it', async () => {
    await scene.deliver(mail('m1', 'ana@example.com'))
    const first = only(await scene.cases())
    await scene.person(first.id, { change: { status: 'closed' } })
    await scene.deliver(mail('m2', 'ana@example.com', { proven: ['of-m1'] }))
    expect(await scene.caseOf('of-m1')).toMatchObject({ status: 'closed' })
    expect(await scene.caseOf('of-m2')).toMatchObject({ status: 'new', custom: { related_case: first.id } })
    expect((await scene.caseOf('of-m2'))?.requester_id).toBe(first.requester_id)
  })

  it('of a stranger with proof opens a case of its own, with nothing of the other but its id', async () => {
    await scene.deliver(
      mail('m1', 'ana@example.com', { text: 'My account number is 4711' }),
      mail('m2', 'eve@example.net', { proven: ['of-m1'], answers: ['m1'], at: '2026-11-22T09:01:00Z' }),
    )
    const ana = await scene.caseOf('of-m1')
    const eve = await scene.caseOf('of-m2')
    expect(eve?.custom).toEqual({ related_case: ana?.id })
    expect(eve?.requester_id).not.toBe(ana?.requester_id)
    const texts = (await scene.messages()).filter((one) => one.case_id === eve?.id).map((one) => one.text)
    expect(texts).toEqual(['Text of m2'])
  })

  it('joins from another address of the same customer, and from one that nobody has proven', async () => {
    const person = { id: 'P-1', emails: ['ana@example.com', 'ana@home.example'] }
    await scene.deliver(
      { type: 'person', occurredAt: '2026-11-22T08:00:00Z', byHub: false, person },
      mail('m1', 'ana@example.com'),
      mail('m5', 'info@shop.example', { verified: false }),
    )
    await scene.deliver(
      mail('m2', 'ana@home.example', { answers: ['m1'] }),
      mail('m6', 'info@shop.example', { answers: ['m5'], verified: false }),
    )
    expect((await scene.messages()).filter((one) => ['m2', 'm6'].includes(one.external_id ?? ''))).toMatchObject([
      { case_id: (await scene.caseOf('of-m1'))?.id },
      { case_id: (await scene.caseOf('of-m5'))?.id },
    ])
    expect(await scene.cases()).toHaveLength(2)
  })

  it('is hers, though it says the same as one of ours that has not left yet', async () => {
    await scene.deliver(mail('m1', 'ana@example.com'))
    const [opened] = await scene.cases()
    await scene.person(opened?.id ?? '', { message: { visibility: 'public', text: 'Thank you!' } })
    await scene.deliver(mail('m2', 'ana@example.com', { answers: ['m1'], text: 'Thank you!' }))
    expect(await scene.messages()).toHaveLength(3)
    expect((await scene.types()).filter((type) => type === 'message.received')).toHaveLength(2)
  })

  it('joins by the answer that the hub sent', async () => {
    await scene.deliver(mail('m1', 'ana@example.com'))
    await scene.person(only(await scene.cases()).id, { message: { visibility: 'public', text: 'We look into it' } })
    const [sent] = await scene.sendAll()
    await scene.deliver(mail('m2', 'ana@example.com', { answers: [sent ?? ''] }))
    expect(await scene.cases()).toHaveLength(1)
  })
})

describe('mail that a machine wrote', () => {
  it('is kept as a note, and no rule, no status and no survey hears of it', async () => {
    await scene.rule({
      id: 'any',
      name: 'Any',
      on: ['message.received', 'message.sent', 'case.reopened'],
      then: [{ tag: { add: ['x'] } }],
    })
    await scene.deliver(mail('m1', 'ana@example.com'))
    const { id } = only(await scene.cases())
    await scene.person(id, { change: { status: 'solved', tags: [] } })
    const before = [await scene.cases(), await scene.types(), await scene.runs()]
    await scene.deliver(mail('m2', 'ana@example.com', { proven: ['of-m1'], automatic: true }))
    expect([await scene.cases(), await scene.types(), await scene.runs()]).toEqual(before)
    expect((await scene.messages()).at(-1)).toMatchObject({
      external_id: 'm2',
      visibility: 'internal',
      author: { kind: 'system', email: 'ana@example.com' },
    })
  })

  it('opens nothing, and stays in the inbox', async () => {
    await scene.deliver(mail('m1', 'robot@example.net', { automatic: true }))
    expect(await scene.cases()).toEqual([])
    expect(await scene.messages()).toEqual([])
    expect(await scene.inboxRows()).toMatchObject([{ state: 'done' }])
  })
})

describe('mail that an agent sent from another program', () => {
  it('joins its case and neither opens nor reopens one', async () => {
    await scene.deliver(
      mail('m1', 'ana@example.com'),
      mail('m2', 'support@desk.example', { kind: 'agent', answers: ['m1'], at: '2026-11-22T09:05:00Z' }),
      mail('m3', 'support@desk.example', { kind: 'agent' }),
    )
    const found = only(await scene.cases())
    expect(found.status).toBe('new')
    expect((await scene.messages()).map((one) => one.external_id)).toEqual(['m1', 'm2'])
    expect(await scene.types()).toEqual(['case.created', 'message.received', 'message.sent'])
  })

  it('is ours when it is the copy of what the hub sent, before and after the receipt', async () => {
    await scene.deliver(mail('m1', 'ana@example.com'))
    const { id } = only(await scene.cases())
    await scene.person(id, { message: { visibility: 'public', text: 'We look into it' } })
    const copy = (messageId: string) =>
      mail(messageId, 'support@desk.example', {
        kind: 'agent',
        byHub: true,
        proven: ['of-m1'],
        text: 'We look  into it',
      })
    await scene.deliver(copy('early'))
    await scene.person(id, { message: { visibility: 'public', text: 'It is mended' } })
    const [, late] = await scene.sendAll()
    await scene.deliver(copy(late ?? ''))
    const texts = (await scene.messages()).map((one) => one.text)
    expect(texts.sort()).toEqual(['It is mended', 'Text of m1', 'We look into it'])
    expect(await scene.types()).toEqual(['case.created', 'message.received'])
  })
})

describe('what reading tells', () => {
  it('is no repair where no webhook could have told it', async () => {
    await scene.deliver(mail('m1', 'ana@example.com'))
    const pushing = await scene.install('pushing')
    await scene.tell({ observations: [mail('m1', 'ana@example.com')] }, pushing)
    expect((await scene.inboxRows()).map((row) => row.repaired)).toEqual([false, true])
  })

  it('keeps what nobody can read in quarantine, as it came, and says so when it is worked again', async () => {
    const unreadable = [{ key: 'INBOX:1:7', body: '{"type":"case"}\0', reason: 'no From at all\0' }]
    await scene.tell({ observations: [], unreadable })
    await scene.tell({ observations: [mail('m1', 'ana@example.com')], unreadable })
    const [row, ...others] = await scene.inboxRows()
    expect(row).toMatchObject({ state: 'quarantined', reason: 'no From at all', duplicates: 1, source: 'reconcile' })
    expect(row?.body.toString()).toBe('{"type":"case"}\0')
    expect(others).toHaveLength(1)
    await scene.replay()
    expect((await scene.inboxRows())[0]).toMatchObject({
      state: 'quarantined',
      reason: expect.stringContaining('a record that its connector cannot read'),
    })
  })

  it('is cleaned and checked like what a webhook tells', async () => {
    await scene.deliver(mail('m1', 'ana@example.com', { text: 'A\0B \ud800' }))
    await scene.deliver(mail('m2', 'ana@example.com', { at: '2099-01-01T00:00:00Z' }))
    expect(only(await scene.messages()).text).toBe('A\ufffdB \ufffd')
    expect((await scene.inboxRows())[1]).toMatchObject({
      state: 'quarantined',
      reason: expect.stringContaining('2099'),
    })
  })
})
