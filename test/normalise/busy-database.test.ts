/** What was accepted is worked later when the hub's own database has no room for it now. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type InboxRow, readInbox } from '#hub/normalise/index.ts'
import { openDatabase } from '#hub/platform/db/database.ts'
import { freePort } from '#hub/platform/free-port.ts'
import { testDatabase } from '#kit'
import { startTestHub, type TestHub } from '#kit/hub.ts'
import { type SlackSandbox, startSandbox } from '../../connectors/slack/sandbox.ts'

const database = testDatabase()
let hub: TestHub
let slack: SlackSandbox

beforeAll(async () => {
  slack = await startSandbox()
  hub = await startTestHub(database, { hosts: [slack.url] })
  await hub.connect('slack', 'Slack', slack)
})
afterAll(async () => {
  await hub?.stop()
  await slack?.close()
})

it('reads a message again when people cannot be looked up, and blames neither it nor the vendor', async () => {
  await slack.say(slack.users.leo, { channel: slack.channels.cases }, 'Hello')
  const { rows } = await hub.running.hub.intake.query<InboxRow>('select * from inbox order by seq limit 1')
  const away = openDatabase({ url: `postgresql://127.0.0.1:${await freePort()}/away`, workspaceId: 'away' })
  const readings = await readInbox({ ...hub.running.hub, db: away.db }, rows, new AbortController().signal)
  await away.close()
  expect(readings).toMatchObject([{ failed: 'retry', reason: expect.stringContaining('ECONNREFUSED') }])
  expect(await hub.api('GET', '/connections')).toMatchObject({ data: [{ status: 'connected' }] })
})
