/** What rules show and ask in chat tools, up to the outbox. */
import { beforeEach, describe, expect, it } from 'vitest'
import { approvalPage } from '#hub/approvals/index.ts'
import { testDatabase } from '#kit'
import { hire } from '../agents/people.ts'
import { postScene } from './post.ts'

const database = testDatabase()
const scene = postScene(database)
let chat: string
beforeEach(async () => {
  const channels = [
    { channel: 'C-vip', for: 'cases', post: 'rule' },
    { channel: 'C-leads', name: 'Team leads', for: 'cases', post: 'rule' },
    { channel: 'C-acme', for: 'customer', company: 'Acme' },
  ]
  chat = await scene.install('slack', { channels })
  await channel('C-vip', 'vip-desk')
  await channel('C-acme', 'acme-shared')
})

async function channel(id: string, name: string, state: 'open' | 'gone' = 'open') {
  const now = scene.clock.now()
  const known = {
    connection_id: chat,
    channel: id,
    name,
    state,
    tried_at: state === 'gone' ? now : null,
    updated_at: now,
  }
  await database.db.insertInto('chat_channels').values(known).execute()
}

/** A rule on every new case, and one case. */
async function run(then: object, more: object = {}) {
  await scene.rule({ id: 'tell', name: 'Tell', on: 'case.created', then: [then] })
  const at = '2026-11-22T09:00:00Z'
  const facts = { id: 'T-1', subject: 'Invoice wrong', status: 'open', createdAt: at, updatedAt: at, ...more } as const
  await scene.deliver({ type: 'case', occurredAt: at, byHub: false, case: facts })
}
const shown = async () =>
  (await scene.outbox()).map(({ action, lane }) => ({ lane, ...(action as { type: string; show: object }) }))
const held = async () => (await scene.runs()).map(({ detail }) => detail['held'])
const showing = (show: object) => [{ lane: chat, type: 'chat.show', show }]

describe('a notice', () => {
  it.each(['#vip-desk', 'VIP-Desk', 'C-vip'])('goes to the channel %s, with the case behind it', async (to) => {
    await run({ notify: { connection: 'slack', to, text: 'Look: {{ case.subject }}' } }, { priority: 'high' })
    const caseId = (await scene.caseOf('T-1'))?.id
    expect(await shown()).toMatchObject(
      showing({
        what: 'notice',
        to: { channel: 'C-vip' },
        title: 'Invoice wrong',
        text: 'Look: Invoice wrong',
        tone: 'attention',
        caseId,
      }),
    )
  })

  it('goes to a channel by the name that the settings give it', async () => {
    await run({ notify: { slack: '#team leads', text: 'Look' } })
    expect(await shown()).toMatchObject(showing({ to: { channel: 'C-leads' } }))
  })

  it('goes to an agent in private, after their quiet hours', async () => {
    const quiet_hours = { time_zone: 'UTC', from: '09:00', to: '14:00' }
    await hire(database.db, { email: 'leo@desk.example', quiet_hours })
    await run({ notify: { slack: 'Leo@desk.example', text: 'Look' } })
    expect(await shown()).toMatchObject(showing({ to: { agent: 'leo@desk.example' } }))
    expect((await scene.outbox())[0]?.due_at).toEqual(new Date('2026-11-22T14:00:00Z'))
  })

  it('does not wait when the case is urgent', async () => {
    const quiet_hours = { time_zone: 'UTC', from: '09:00', to: '14:00' }
    await hire(database.db, { email: 'leo@desk.example', quiet_hours })
    await run({ notify: { slack: 'leo@desk.example', text: 'Look' } }, { priority: 'urgent' })
    expect((await scene.outbox())[0]?.due_at).not.toEqual(new Date('2026-11-22T14:00:00Z'))
  })

  it.each([
    ['a channel where a customer reads along', 'C-acme', 'in C-acme of slack a customer reads along'],
    ['the same by its name', '#acme-shared', 'in #acme-shared of slack a customer reads along'],
    ['a name that the hub does not know', '#acme-other', 'no channel called #acme-other is known in slack'],
    ['the same without its sign', 'acme-other', 'no channel called acme-other is known in slack'],
    ['somebody who is no agent', 'eva@desk.example', 'no active agent has the address eva@desk.example'],
  ])('does not go to %s: the run of the rule says why', async (_, to, reason) => {
    await run({ notify: { slack: to, text: 'Look' } })
    expect(await shown()).toEqual([])
    expect(await held()).toEqual([reason])
  })

  it('does not go to a channel that the app was taken out of, nor to one of two of the same name', async () => {
    await channel('C-old', 'old', 'gone')
    await run({ notify: { slack: '#old', text: 'Look' } })
    await channel('C-vip-2', 'vip-desk')
    await run({ notify: { slack: '#vip-desk', text: 'Look' } }, { id: 'T-2' })
    expect(await held()).toEqual([
      'the app is no longer in #old of slack',
      'slack has 2 channels called #vip-desk: give the id of one',
    ])
  })

  it('does not go anywhere when there came a second connection of the tool', async () => {
    await scene.install('slack', {}, 'Other slack')
    await run({ notify: { slack: '#vip-desk', text: 'Look' } })
    expect(await shown()).toEqual([])
    expect(await held()).toEqual(['there are 2 slack connections'])
  })

  it('goes once, however often the news comes', async () => {
    await run({ notify: { slack: '#vip-desk', text: 'Look' } })
    await scene.replay()
    expect(await shown()).toHaveLength(1)
  })
})

it("shows the case's card in a channel, and a text beside it", async () => {
  await run({ notify: { slack: '#vip-desk', card: 'case', text: 'Look' } })
  const caseId = (await scene.caseOf('T-1'))?.id
  expect(await shown()).toMatchObject([
    { show: { what: 'case', caseId, channel: 'C-vip' } },
    { show: { what: 'notice', to: { channel: 'C-vip' }, text: 'Look' } },
  ])
})

describe('an approval', () => {
  const approval = { connection: 'slack', to: '#vip-desk', question: 'Refund {{ case.subject }}?' }

  it('is asked where the rule says, and kept until somebody decides', async () => {
    await run({ approval })
    const [asked] = await approvalPage(database.db, { limit: 10 })
    expect(asked).toMatchObject({
      caseId: (await scene.caseOf('T-1'))?.id,
      question: 'Refund Invoice wrong?',
      askedBy: { kind: 'rule', ruleId: 'tell', version: 1 },
      connectionId: chat,
      askedOf: 'C-vip',
      decided: null,
    })
    expect(await shown()).toMatchObject(showing({ what: 'approval', approvalId: asked?.id, to: { channel: 'C-vip' } }))
  })

  it('is not asked where a customer reads along', async () => {
    await run({ approval: { ...approval, to: 'C-acme' } })
    expect(await approvalPage(database.db, { limit: 10 })).toEqual([])
    expect(await held()).toEqual(['in C-acme of slack a customer reads along'])
  })

  it('is asked of one agent in private', async () => {
    await hire(database.db, { email: 'leo@desk.example' })
    await run({ approval: { ...approval, to: 'leo@desk.example' } })
    expect(await shown()).toMatchObject(showing({ what: 'approval', to: { agent: 'leo@desk.example' } }))
    expect(await approvalPage(database.db, { limit: 10 })).toMatchObject([{ askedOf: 'leo@desk.example' }])
  })
})
