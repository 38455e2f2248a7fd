/** A rule that opens a case for each change of a case: once per cause, and no chain without end across the tools. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { testDatabase } from '#kit'
import { startTestHub, type TestHub } from '#kit/hub.ts'
import { type LegacyDeskSandbox, startSandbox } from '../../connectors/desk/sandbox.ts'

const database = testDatabase()
let hub: TestHub
let desk: LegacyDeskSandbox

beforeAll(async () => {
  desk = await startSandbox()
  hub = await startTestHub(database, { hosts: [desk.url] })
  await hub.connect('desk', 'Desk', desk)
  const then = [{ create_case: { connection: 'Desk', subject: 'Follow-up', text: 'See the other one' } }]
  await hub.api('PUT', '/rules/follow', { id: 'follow', name: 'Follow', mode: 'on', on: ['case.updated'], then })
})
afterAll(async () => {
  await hub?.stop()
  await desk?.close()
})

interface Run {
  readonly result: string
  readonly detail: { readonly problem?: string; readonly ring?: readonly string[] }
}

async function quiet(): Promise<void> {
  for (let before = -1; before !== desk.webhooks.counters.attempts; ) {
    before = desk.webhooks.counters.attempts
    await desk.webhooks.settled()
    await hub.settled()
  }
}

it('is cut after 8 cases and named, even if somebody changes each of them', async () => {
  desk.desk.openCase({ subject: 'First', text: 'x', requester: { emails: ['ana@acme.example'] } })
  await quiet()
  for (let generation = 1; generation <= 9; generation += 1) {
    const newest = [...desk.desk.cases.keys()].at(-1) ?? ''
    desk.desk.changeCase(newest, { priority: 'urgent' })
    await quiet()
    // What the desk fills in on a case that we opened is no change of it: only ours makes the next one.
    expect(desk.desk.cases.size).toBe(Math.min(generation, 8) + 1)
  }
  const { rows } = await hub.running.hub.intake.query<Run>(`select result, detail from rule_runs where result = 'cut'`)
  expect(rows).toMatchObject([{ detail: { ring: ['follow'] } }])
  expect(rows[0]?.detail.problem).toMatch(/8 rules have set each other off; look at follow/)
})
