import { describe, expect, it } from 'vitest'
import { testDatabase } from '#kit'
import { bounce, mail, postScene } from './post.ts'

const scene = postScene(testDatabase())
const answer = (on: string | readonly string[] = ['case.created', 'message.received']) =>
  scene.rule({ id: 'answer', name: 'Answer', on, then: [{ reply: { text: 'Thank you for {{ event.type }}' } }] })
const replies = async () => (await scene.outbox()).map((row) => JSON.stringify(row.action))

describe("rules' replies by mail", () => {
  it('say that no person wrote them; what a person writes does not', async () => {
    await answer('case.created')
    await scene.deliver(mail('m1', 'ana@example.com'))
    const [found] = await scene.cases()
    await scene.person(found?.id ?? '', { message: { visibility: 'public', text: 'Hello Ana' } })
    const [byRule, byPerson] = await scene.outbox()
    expect(byRule?.action).toMatchObject({ message: { visibility: 'public', automatic: true } })
    expect(byPerson?.action).toMatchObject({ message: { visibility: 'public', text: 'Hello Ana' } })
    expect(byPerson?.action).not.toHaveProperty('message.automatic')
  })

  it('leave once per case; the run and the history say why not more', async () => {
    await answer()
    await scene.deliver(mail('m1', 'ana@example.com'))
    await scene.deliver(mail('m2', 'ana@example.com', { answers: ['m1'] }))
    expect(await replies()).toHaveLength(1)
    const details = (await scene.runs()).map((run) => run.detail['held'])
    expect(details).toEqual([undefined, expect.stringMatching(/already/), expect.stringMatching(/already/)])
    const held = (await scene.events()).filter((event) => event.type === 'message.held')
    expect(held).toHaveLength(2)
    expect(held[0]).toMatchObject({
      actor: { kind: 'rule', ruleId: 'answer' },
      data: { reason: expect.stringMatching(/already/) },
    })
  })

  it('end two machines that answer each other with new cases after five', async () => {
    await answer('case.created')
    for (let n = 0; n < 8; n += 1) await scene.deliver(mail(`m${n}`, 'robot@example.net'))
    expect(await replies()).toHaveLength(5)
    await scene.deliver(...Array.from({ length: 6 }, (_, n) => mail(`x${n}`, 'other@example.net')))
    expect(await replies()).toHaveLength(10)
  })

  it('do not leave while one sender floods a case, and rules hear of it', async () => {
    await answer('message.received')
    await scene.rule({ id: 'tell', name: 'Tell', on: 'message.held', then: [{ tag: { add: ['loop'] } }] })
    const flood = Array.from({ length: 11 }, (_, n) =>
      mail(`m${n}`, 'ana@example.com', { proven: ['of-m0'], at: `2026-11-22T09:00:${10 + n}Z` }),
    )
    await scene.deliver(...flood)
    expect(await replies()).toEqual([])
    expect((await scene.cases())[0]?.tags).toEqual(['loop'])
    expect((await scene.runs())[0]?.detail['held']).toMatch(/has sent 11 messages within ten minutes/)
  })

  it('do not answer a held reply with another reply', async () => {
    await scene.rule({
      id: 'sorry',
      name: 'Sorry',
      on: ['message.received', 'message.held'],
      then: [{ reply: { text: 'Hello' } }],
    })
    await scene.deliver(mail('m1', 'ana@example.com'), mail('m2', 'ana@example.com', { answers: ['m1'] }))
    expect(await replies()).toHaveLength(1)
  })
})

describe('a bounce', () => {
  async function sentMail() {
    await scene.deliver(mail('m1', 'ana@example.com'))
    const [found] = await scene.cases()
    await scene.person(found?.id ?? '', { message: { visibility: 'public', text: 'Hello Ana' } })
    const [messageId = ''] = await scene.sendAll()
    return { caseId: 'of-m1', messageId }
  }
  const suppressions = async () => await scene.suppressed()

  it('is an event of the case with the message that it was, once', async () => {
    const sent = await sentMail()
    const ours = (await scene.messages()).find((one) => one.external_id === sent.messageId)
    await scene.rule({ id: 'tell', name: 'Tell', on: 'message.bounced', then: [{ tag: { add: ['bounced'] } }] })
    await scene.deliver(bounce(sent))
    await scene.replay()
    const bounced = (await scene.events()).filter((event) => event.type === 'message.bounced')
    expect(bounced).toMatchObject([
      { data: { address: 'ana@example.com', permanent: true, reason: '550 5.1.1 user unknown', messageId: ours?.id } },
    ])
    expect(await scene.runs()).toHaveLength(1)
    expect((await scene.cases())[0]).toMatchObject({ tags: ['bounced'], status: 'new' })
  })

  it('counts no more once somebody writes from there, in one batch too, and counts when it comes after that', async () => {
    const sent = await sentMail()
    await scene.deliver(bounce(sent), mail('m2', 'ana@example.com', { at: '2026-11-22T09:40:00Z' }))
    expect(await suppressions()).toEqual([])
    const again = { ...sent, reason: '550 gone again' }
    await scene.deliver(mail('m3', 'ana@example.com', { at: '2026-11-22T09:20:00Z' }), bounce(again))
    expect(await suppressions()).toEqual(['ana@example.com'])
  })

  it("keeps rules' replies from an address that refuses us for good, until somebody writes from it", async () => {
    const sent = await sentMail()
    await scene.deliver(bounce({ ...sent, address: 'Ana@Example.com' }))
    expect(await suppressions()).toEqual(['ana@example.com'])
    await answer('case.solved')
    await scene.person((await scene.cases())[0]?.id ?? '', { change: { status: 'solved' } })
    expect((await scene.runs())[0]?.detail['held']).toMatch(/mail to ana@example.com bounces/)
    await scene.deliver(mail('m2', 'ana@example.com', { automatic: true }))
    expect(await suppressions()).toEqual(['ana@example.com'])
    await scene.deliver(mail('m3', 'ana@example.com'))
    expect(await suppressions()).toEqual([])
  })

  it('of a passing kind gives an address up when five messages came back within two weeks', async () => {
    const { caseId } = await sentMail()
    const full = (messageId: string, day: string) => ({
      ...bounce({ caseId, messageId, permanent: false, reason: '452 4.2.2 mailbox full' }),
      occurredAt: `2026-11-${day}T09:30:00Z`,
    })
    // Told again and again about one message, and about one that is long ago.
    await scene.deliver(full('s1', '20'), full('s1', '21'), full('s1', '22'), full('s0', '01'))
    await scene.deliver(full('s2', '21'), full('s3', '21'), full('s4', '22'))
    await scene.replay()
    expect(await suppressions()).toEqual([])
    await scene.deliver(full('s5', '22'))
    expect(await suppressions()).toEqual(['ana@example.com'])
  })

  it('of a passing kind is forgotten when somebody writes from the address', async () => {
    const sent = await sentMail()
    const passing = (messageId: string) => bounce({ ...sent, messageId, permanent: false })
    await scene.deliver(...['s1', 's2', 's3', 's4'].map(passing))
    await scene.deliver(mail('m2', 'ana@example.com', { proven: ['of-m1'] }))
    await scene.deliver(passing('s5'))
    expect(await suppressions()).toEqual([])
  })

  it('of a passing kind, or about somebody who has no part in the case, suppresses nobody', async () => {
    const sent = await sentMail()
    await scene.deliver(bounce({ ...sent, permanent: false }))
    await scene.deliver(bounce({ ...sent, address: 'victim@example.org' }))
    await scene.deliver(bounce({ caseId: 'of-nobody' }))
    expect(await suppressions()).toEqual([])
    expect((await scene.types()).filter((type) => type === 'message.bounced')).toHaveLength(2)
  })
})
