/** A rule asks in Slack, an agent says yes there, and the desk and its customer hear of it: over HTTP from end to end. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { acts } from '#hub/workbench/index.ts'
import { testDatabase } from '#kit'
import { startTestHub, type TestHub } from '#kit/hub.ts'
import { type LegacyDeskSandbox, startSandbox as startDesk } from '../../connectors/desk/sandbox.ts'
import { type SlackSandbox, startSandbox as startSlack } from '../../connectors/slack/sandbox.ts'

const database = testDatabase()
let hub: TestHub
let slack: SlackSandbox
let desk: LegacyDeskSandbox

beforeAll(async () => {
  slack = await startSlack()
  desk = await startDesk()
  hub = await startTestHub(database, { hosts: [slack.url, desk.url] })
  await hub.connect('desk', 'Legacy desk', desk)
  const channels = [{ channel: slack.channels.cases.id, name: 'refunds', for: 'cases', post: 'rule' }]
  const config = { ...slack.config, channels }
  await hub.connect('slack', 'Slack', { config, connect: (hook) => slack.connect(hook) })
  await hub.api('POST', '/agents', { email: 'leo@acme.example', name: 'Leo Ruiz' })
  await hub.api('POST', '/agents', { email: 'eva@acme.example', name: 'Eva Lang', role: 'viewer' })
})
afterAll(async () => {
  await hub?.stop()
  await slack?.webhooks.settled()
  await slack?.close()
  await desk?.close()
})

it('is decided once, by whoever may, and rules go on from there', async () => {
  const on = { mode: 'on', name: 'Refunds' }
  const approval = { connection: 'Slack', to: '#refunds', question: 'Refund {{ profile.name }}: {{ case.subject }}?' }
  const reply = { text: 'Your refund is on its way.' }
  await hub.api('PUT', '/rules/ask', { ...on, id: 'ask', on: 'case.created', then: [{ approval }] })
  await hub.api('PUT', '/rules/pay', { ...on, id: 'pay', on: 'approval.approved', then: [{ reply }] })
  const requester = { name: 'Ana García', emails: ['ana@customer.example'] }
  const opened = desk.desk.openCase({ subject: 'Invoice 42', text: 'Paid twice', requester })
  const question = 'Refund Ana García: Invoice 42?'
  const asked = await hub.until('the question', async () =>
    slack.channels.cases.messages.find((one) => JSON.stringify(one).includes(question)),
  )

  // Who may not decide changes nothing.
  for (const user of [slack.users.eva, slack.users.gus]) await slack.press(user, asked, acts.approve)
  await hub.settled()
  expect(await hub.api('GET', '/approvals')).toMatchObject({ data: [{ question, decision: null }] })

  await slack.press(slack.users.leo, asked, acts.approve)
  const said = await hub.until('the note and the reply in the desk', async () => {
    const { messages } = desk.desk.cases.get(opened.id) ?? { messages: [] }
    return messages.length >= 3 && messages
  })
  expect(said).toMatchObject([
    { text: 'Paid twice' },
    { visibility: 'internal', text: `Approved by Leo Ruiz: ${question}` },
    { visibility: 'public', text: 'Your refund is on its way.' },
  ])
  await hub.settled()
  expect(await hub.api('GET', '/approvals')).toMatchObject({
    data: [{ decision: { decision: 'approved', by: 'Leo Ruiz' } }],
  })
  const card = slack.world.message(asked.channel, asked.ts)
  expect(JSON.stringify(card)).toContain('Approved by Leo Ruiz')
  expect(JSON.stringify(card)).not.toContain(acts.approve)
  expect(slack.channels.cases.messages.filter((one) => JSON.stringify(one).includes(question))).toHaveLength(1)
})
