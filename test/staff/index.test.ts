import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { type Connector, defineConnector } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { AgentFacts } from '#hub/connector/facts.ts'
import { createStaff, deskAgents, refreshDeskAgents } from '#hub/staff/index.ts'
import { fakeClock, testDatabase } from '#kit'
import { mute, type Office, openOffice } from '../connections/vendor.ts'

type StaffHub = Parameters<typeof createStaff>[0]

const database = testDatabase()
const clock = fakeClock('2026-11-22T10:00:00Z')
let staffOf: Record<string, readonly AgentFacts[] | 'away'>
let office: Office
let hub: StaffHub
/** Jobs that wait, as the queue would hold them. */
let waiting: object[]
let work: () => Promise<void>

const desk: Connector = defineConnector({
  ...mute,
  config: z.object({ account: z.string() }),
  can: {
    readAgents: {
      async list({ config }) {
        const told = staffOf[z.object({ account: z.string() }).parse(config).account] ?? []
        if (told === 'away') throw new ConnectorError('unavailable', 'away')
        return told
      },
    },
  },
})

beforeEach(async () => {
  await database.reset()
  staffOf = {}
  waiting = []
  office = await openOffice(
    database,
    { host: 'desk.example' },
    {
      now: clock.now,
      connectors: { desk: async () => desk, mute: async () => mute },
    },
  )
  const queue: StaffHub['queue'] = {
    async define(_name, schema, handler) {
      work = () => handler(waiting.splice(0).map((job) => schema.parse(job)))
    },
    async schedule(_name, schedule) {
      expect(schedule).toEqual({ everySeconds: 3_600 })
    },
    async send(_db, _name, data) {
      waiting.push(data)
    },
  }
  hub = { ...office, queue }
  const staff = createStaff(hub, new AbortController().signal)
  await staff.defineJobs()
  await staff.start()
  onTestFinished(() => staff.stop())
})

const leo = { id: '900100', name: 'Leo Ruiz', email: 'leo@acme.example' }
const connect = async (account: string) => (await office.connections.install('desk', account, { account })).id
const everyHour = async () => {
  waiting.push({})
  await work()
}

describe('who works in a tool', () => {
  it('is asked as soon as the tool is connected, and not known before', async () => {
    staffOf = { acme: [leo] }
    const id = await connect('acme')
    expect(await deskAgents(database.db, id)).toBeUndefined()
    expect(waiting).toEqual([{ connectionId: id }])
    await work()
    expect(await deskAgents(database.db, id)).toEqual([leo])
  })

  it('is asked again each hour; a tool that is away keeps what it told last, and holds up no other', async () => {
    staffOf = { acme: [leo], other: [leo] }
    const [acme, other] = [await connect('acme'), await connect('other')]
    await everyHour()
    staffOf = { acme: 'away', other: [] }
    await everyHour()
    expect([await deskAgents(database.db, acme), await deskAgents(database.db, other)]).toEqual([[leo], []])
  })

  it('is asked when somebody is missing, in that tool alone', async () => {
    staffOf = { acme: [], other: [] }
    const [acme, other] = [await connect('acme'), await connect('other')]
    await work()
    staffOf = { acme: [leo], other: [leo] }
    await refreshDeskAgents(hub, database.db, acme)
    await work()
    expect([await deskAgents(database.db, acme), await deskAgents(database.db, other)]).toEqual([[leo], []])
  })

  it('is forgotten with the connection, and taken as it can be kept', async () => {
    staffOf = { acme: [{ name: 'Zero\u0000\ud800' }] }
    const id = await connect('acme')
    await work()
    expect(await deskAgents(database.db, id)).toEqual([{ name: 'Zero\ufffd' }])
    await office.connections.remove(id)
    await everyHour()
    expect(await deskAgents(database.db, id)).toBeUndefined()
  })

  it('stays unknown for tools that cannot tell', async () => {
    const { id } = await office.connections.install('mute', 'Mute', {})
    expect(waiting).toEqual([])
    await everyHour()
    expect(await deskAgents(database.db, id)).toBeUndefined()
  })
})
