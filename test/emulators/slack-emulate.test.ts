/** An agent in Slack, on a stand-in that we did not write and on our own: the same requests, and the same comes of them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase } from '#kit'
import { startTestHub, type TestHub } from '#kit/hub.ts'
import { type LegacyDeskSandbox, startSandbox as startDesk } from '../../connectors/desk/sandbox.ts'
import { startEmulatedSlack } from './emulated-slack.ts'
import { startOwnSlack } from './own-slack.ts'
import type { SlackStage, StageMessage } from './slack-stage.ts'

/** Known to the desk, too. */
const email = 'leo@desk.example'
const stages = [
  ['the package emulate', () => startEmulatedSlack({ name: 'Leo Martín', email }), email],
  ['our own stand-in', startOwnSlack, 'leo@acme.example'],
] as const

describe.each(stages)('an agent in Slack, on %s', (_name, start, agentEmail) => {
  const database = testDatabase()
  let hub: TestHub
  let desk: LegacyDeskSandbox
  let slack: SlackStage

  beforeAll(async () => {
    desk = await startDesk()
    slack = await start()
    hub = await startTestHub(database, { hosts: [desk.url, ...slack.hosts] })
    await hub.connect('desk', 'Legacy desk', desk)
    await hub.connect('slack', 'Slack', slack)
    await hub.api('POST', '/agents', { email: agentEmail, name: 'Leo Martín', role: 'agent' })
  })
  afterAll(async () => {
    await hub?.stop()
    await slack?.close()
    await desk?.close()
  })

  const inThread = async (card: StageMessage) =>
    (await slack.messages()).filter(({ ts, thread_ts }) => thread_ts === card.ts && ts !== card.ts)

  async function arrive(subject: string) {
    const opened = desk.desk.openCase({
      subject,
      text: `${subject}: can you help?`,
      requester: { name: 'Ana García', emails: ['ana@customer.example'] },
    })
    const find = async () => {
      const posts = await slack.messages()
      return posts.find(
        ({ ts, thread_ts = ts, blocks }) => thread_ts === ts && JSON.stringify(blocks).includes(subject),
      )
    }
    const card = await hub.until('the card', find)
    return { card, now: find, ledger: () => desk.desk.cases.get(opened.id) }
  }

  it('sees a case as a card, with what the customer said in its thread', async () => {
    const { card } = await arrive('Invoice is wrong')
    const [said] = await hub.until('the thread', async () => {
      const posts = await inThread(card)
      return posts.length > 0 && posts
    })
    expect(JSON.stringify(said)).toContain('Invoice is wrong: can you help?')
  })

  it('writes a note by answering in the thread, once however often the event comes', async () => {
    const { card, ledger } = await arrive('Wrong address')
    await slack.answer(card, 'She called, too', true)
    await hub.settled()
    const notes = ledger()?.messages.filter(({ visibility }) => visibility === 'internal')
    expect(notes).toHaveLength(1)
    expect(notes?.[0]?.text).toContain('She called, too')
  })

  it('changes a case with a press, and the card changes in its place', async () => {
    const { card, now, ledger } = await arrive('Where is my parcel')
    expect(await slack.press(card, 'case.priority', 'urgent')).toMatchObject({ status: 200 })
    await hub.until('the new card', async () => JSON.stringify((await now())?.blocks).includes('🚨'))
    expect(ledger()).toMatchObject({ priority: 'urgent' })
    expect((await now())?.ts).toBe(card.ts)
  })

  it('replies in public: a dialog, a preview, and the customer’s answer stands in the desk', async () => {
    const { card, ledger } = await arrive('Refund please')
    expect(await slack.press(card, 'case.reply')).toMatchObject({ status: 200 })
    await hub.until('the dialog', async () => slack.dialog() !== undefined)
    expect(slack.dialog()).toBe('Reply to customer')
    await slack.submit({ text: 'We refund it today.' })
    expect(ledger()?.messages).toHaveLength(1)
    await slack.submit({})
    expect(slack.dialog()).toBeUndefined()
    await hub.settled()
    const [, reply] = ledger()?.messages ?? []
    expect(reply).toMatchObject({ visibility: 'public', text: 'We refund it today.' })
  })

  it('finds a case by the command, in private', async () => {
    await arrive('Broken umbrella')
    await hub.settled()
    const { status, body } = await slack.command('umbrella')
    expect(status).toBe(200)
    await hub.until('the answer', async () => [body, ...slack.shown()].some((text) => text.includes('Broken umbrella')))
  })

  it('is not obeyed with a signature that is not Slack’s: refused, and nothing stored', async () => {
    const { card, ledger } = await arrive('Password')
    const stored = async () => (await hub.running.hub.intake.query('select from inbox')).rowCount
    await hub.settled()
    const before = await stored()
    expect(await slack.forge(card, 'case.take')).toMatchObject({ status: 401 })
    expect(await stored()).toBe(before)
    expect(ledger()).toMatchObject({ assignee: null })
  })
})
