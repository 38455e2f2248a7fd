/** Agents and customers in Teams, end to end: signed requests in, cards and dialogs out, and what comes of them in the desk. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAgent, WrittenAgent } from '#hub/agents/index.ts'
import { testDatabase } from '#kit'
import { startTestHub, type TestHub } from '#kit/hub.ts'
import { type LegacyDeskSandbox, startSandbox as startDesk } from '../../connectors/desk/sandbox.ts'
import { startSandbox as startTeams, type TeamsSandbox } from '../../connectors/teams/sandbox.ts'

const database = testDatabase()
let hub: TestHub
let desk: LegacyDeskSandbox
let teams: TeamsSandbox

beforeAll(async () => {
  desk = await startDesk()
  teams = await startTeams()
  hub = await startTestHub(database, { hosts: [desk.url, teams.url] })
  await hub.connect('desk', 'Legacy desk', desk)
  await hub.connect('teams', 'Teams', teams)
  teams.connect({ url: `${hub.url}/teams/messages`, secret: '' })
  const { jo } = teams.people
  const agent = WrittenAgent.parse({ email: jo.email, name: jo.name })
  await createAgent(hub.running.hub.db, agent, new Date())
})
afterAll(async () => {
  await hub?.stop()
  await teams?.close()
  await desk?.close()
})

/** A case of the desk, and its card in the agents' channel. */
async function arrive(subject: string) {
  const opened = desk.desk.openCase({
    subject,
    text: 'It names the wrong month.',
    requester: { name: 'Ana García', emails: ['ana@customer.example'] },
  })
  const card = await hub.until('the card', async () => {
    await hub.settled()
    return teams.world.posted.find(
      ({ activity, thread, id }) => thread === id && JSON.stringify(activity).includes(subject),
    )
  })
  return { opened, card }
}

function dialogOf({ dialog, body }: Awaited<ReturnType<TeamsSandbox['press']>>) {
  if (dialog) return dialog
  throw new Error(`no dialog opened: ${JSON.stringify(body)}`)
}
const textOf = (value: unknown) => JSON.stringify(value)
const inThreadOf = (card: { readonly id: string }) =>
  teams.world.messages.filter(({ thread, id }) => thread === card.id && id !== card.id)

describe('an agent in Teams', () => {
  it('sees a new case as a card in the channel, with what the customer said in its thread', async () => {
    const { card } = await arrive('Invoice is wrong')
    expect(card.channel.id).toBe(teams.channels.cases.id)
    const [said] = await hub.until('the thread', async () => {
      const posts = inThreadOf(card)
      return posts.length > 0 && posts
    })
    expect(textOf(said?.activity)).toContain('It names the wrong month.')
  })

  it('replies in public: a dialog, a preview, and the desk has the reply', async () => {
    const { jo } = teams.people
    const { opened, card } = await arrive('Refund please')
    const form = dialogOf(await teams.press(jo, card, 'Reply to customer…'))
    const refused = dialogOf(await teams.submit(form, { text: '' }))
    expect(textOf(refused.card)).toContain('⚠️')
    const preview = dialogOf(await teams.submit(refused, { text: 'You are *right*, we refund it.' }))
    expect(textOf(preview.card)).toContain('You are *right*, we refund it.')
    expect(opened.messages).toHaveLength(1)
    await teams.submit(preview, {})
    await hub.settled()
    const [, reply] = [...(desk.desk.cases.get(opened.id)?.messages ?? [])]
    expect(reply).toMatchObject({ visibility: 'public', text: 'You are *right*, we refund it.' })
    expect(
      inThreadOf(card)
        .map(({ activity }) => textOf(activity))
        .join(),
    ).toContain('we refund it')
  })

  it('takes a case with one press: the card says so to everybody, in place', async () => {
    const { jo } = teams.people
    const { card } = await arrive('Where is my parcel')
    const { body } = await teams.press(jo, card, 'Assign to me')
    expect(body).toMatchObject({ statusCode: 200, type: 'application/vnd.microsoft.activity.message' })
    await hub.until('the card with a name', async () => textOf(card.activity).includes('Jo Weber'))
    expect(card.updates).toBeGreaterThan(0)
    expect(teams.world.posted.filter(({ activity }) => textOf(activity).includes('Where is my parcel'))).toHaveLength(1)
  })

  it('writes a note by answering in the thread', async () => {
    const { jo } = teams.people
    const { opened, card } = await arrive('Wrong address')
    await teams.write(jo, { reply: card }, 'She called, too')
    await hub.settled()
    const notes = desk.desk.cases.get(opened.id)?.messages.filter(({ visibility }) => visibility === 'internal')
    expect(notes).toMatchObject([{ text: 'She called, too' }])
  })
})
