/** Slack and a desk together: a case becomes a card, an agent's press and dialog become a note in the desk. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase } from '#kit'
import { startTestHub, type TestHub } from '#kit/hub.ts'
import { type SlackSandbox, startSandbox } from '../../connectors/slack/sandbox.ts'
import { startSandbox as startDesk } from '../../connectors/zendesk/sandbox.ts'

const database = testDatabase()

describe('a case in Slack', () => {
  let slack: SlackSandbox
  let desk: Awaited<ReturnType<typeof startDesk>>
  let hub: TestHub

  beforeAll(async () => {
    slack = await startSandbox()
    desk = await startDesk()
    hub = await startTestHub(database, { hosts: [slack.url, desk.url] })
    await hub.connect('slack', 'Slack', slack)
    await hub.connect('zendesk', 'Zendesk', desk)
    await hub.api('POST', '/agents', { email: 'leo@acme.example', name: 'Leo Ruiz', role: 'agent' })
  })
  afterAll(async () => {
    await hub.stop()
    await Promise.all([slack.close(), desk.close()])
  })

  it('stands as a card, and an agent’s note from a dialog reaches the case', async () => {
    await desk.play()
    await desk.webhooks.settled()
    const card = await hub.until('a card', async () =>
      slack.channels.cases.messages.find((one) => one.thread_ts === undefined && one.blocks.length > 0),
    )
    await slack.press(slack.users.leo, card, 'case.note')
    await hub.until('a dialog', async () => slack.world.dialogOf(slack.users.leo.id))
    await slack.submit(slack.users.leo, { text: 'Called her: it is the November invoice.' })
    expect(slack.world.dialogOf(slack.users.leo.id)).toBeUndefined()
    await hub.settled()
    const notes = desk.requests.filter(({ body }) => body.toString().includes('November invoice'))
    expect(notes).toHaveLength(1)
    expect(JSON.parse(notes[0]?.body.toString() ?? '{}')).toMatchObject({ ticket: { comment: { public: false } } })
  })
})
