import { beforeEach, describe, expect, it } from 'vitest'
import { checkConnection } from '#hub/cli/doctor/connection.ts'
import { ConnectorError, type ConnectorErrorCode } from '#hub/connector/errors.ts'
import { fakeClock, testDatabase } from '#kit'
import { acme, goodToken, type Office, openOffice, openVendor, post, type Vendor } from '../../connections/vendor.ts'

const database = testDatabase()
const clock = fakeClock(new Date())
let vendor: Vendor
let office: Office
let failure: Error | undefined
let checks = 0

beforeEach(async () => {
  await database.reset()
  clock.set(new Date())
  failure = undefined
  vendor = await openVendor()
  const mailbox = {
    ...post,
    can: { ...post.can, changes: { async *since() {} } },
    async check() {
      checks += 1
      if (failure) throw failure
      return { account: 'support@acme.example' }
    },
  }
  const connectors = { acme: async () => acme, post: async () => mailbox }
  office = await openOffice(database, vendor, { now: clock.now, connectors })
})

async function look(id: string, isHubRunning = false) {
  const view = await office.connections.get(id)
  if (!view) throw new Error(`no connection ${id}`)
  const found = await checkConnection(office, view, isHubRunning)
  return found.map(({ state, detail, todo = '' }) => `${state} ${detail} -> ${todo}`)
}

async function connectMailbox() {
  const { id } = await office.connections.install('post', 'Support', { password: 'one' })
  return id
}

async function connectDesk(more: object = {}) {
  const config = { api_base: vendor.url, auth: { kind: 'token', token: goodToken }, ...more }
  return (await office.connections.install('acme', 'Desk', config)).id
}

describe('a connection, to the doctor', () => {
  it('is well when its vendor takes the settings', async () => {
    expect(await look(await connectMailbox(), true)).toEqual(['ok post, support@acme.example -> '])
  })

  it.each<[ConnectorErrorCode, RegExp]>([
    ['auth_failed', /mend its settings: PATCH .*secrets that are left out stay/],
    ['unavailable', /check the network .* goes on by itself/],
    ['host_refused', /DESKWEAVE_EXTRA_HOSTS/],
    ['rate_limited', /nothing: work waits/],
    ['not_found', /mend its settings/],
  ])('has %s: it says why and what to do', async (code, todo) => {
    const id = await connectMailbox()
    failure = new ConnectorError(code, 'IMAP imap.acme.example: what the server said')
    const [line] = await look(id)
    expect(line).toMatch(/^wrong IMAP imap\.acme\.example: what the server said -> /)
    expect(line).toMatch(todo)
  })

  it('is not asked again when it rests: that could lock the account', async () => {
    const id = await connectMailbox()
    for (let n = 0; n < 3; n += 1)
      await office.connections.reportFailure(id, new ConnectorError('auth_failed', 'refused'))
    const before = checks
    expect(await look(id, true)).toEqual([
      expect.stringMatching(/^wrong it rests, and its work waits: refused -> .*\{"status": "connected"\}$/),
    ])
    expect(checks).toBe(before)
  })

  it('lacks what the vendor has to grant', async () => {
    const id = await connectDesk({ webhook_secret: 'Zm9yIHRlc3RzIG9ubHkuLi4gMTIzNDU2' })
    vendor.missing = ['scope tickets', 'scope contacts']
    expect((await look(id))[0]).toMatch(/^wrong ana@acme.example lacks scope tickets, scope contacts -> grant that/)
  })

  it("takes no webhook before the vendor's own secret is set, and tells for how long none came", async () => {
    const id = await connectDesk()
    expect((await look(id))[1]).toMatch(/^wrong no webhook can be taken: .*webhook_secret is not set -> copy it/)
    const secret = 'Zm9yIHRlc3RzIG9ubHkuLi4gMTIzNDU2'
    await office.connections.rotateWebhookSecret(id, { newSecret: secret, overlapHours: 0 })
    expect((await look(id))[1]).toMatch(/^notice no webhook has come yet -> check that its webhooks are sent to https/)
    clock.advance(5 * 3_600_000 + 1_000)
    expect((await look(id))[1]).toMatch(/^notice no webhook has come in the 5 hours since it was connected/)
    office.connections.noteInbound(id)
    await office.connections.close()
    expect((await look(id))[1]).toMatch(/^ok last webhook /)
    clock.advance(8 * 24 * 3_600_000)
    expect((await look(id))[1]).toMatch(/^notice last webhook .* 8 days ago/)
  })

  it('is read by nobody although a hub runs', async () => {
    const id = await connectMailbox()
    clock.advance(11 * 60_000)
    expect(await look(id)).toHaveLength(1)
    expect((await look(id, true))[1]).toMatch(/^wrong was never read -> check that a hub with the role worker runs/)
  })
})
