import { beforeEach, describe, expect, it } from 'vitest'
import {
  accountsOf,
  agentOf,
  askForSeat,
  changeAgent,
  claim,
  claimPage,
  confirmClaim,
  dismissClaim,
  findAgents,
  linkAccount,
  takeSeat,
  unlinkAccount,
} from '#hub/agents/index.ts'
import type { ChatPerson } from '#hub/connector/chat.ts'
import { testDatabase } from '#kit'
import { hire, meet, now } from './people.ts'

const database = testDatabase()
beforeEach(() => database.reset())

const u1 = { connectionId: 'con_chat', externalId: 'U1' }
const leoInChat: ChatPerson = { id: 'U1', kind: 'member', email: 'Leo@desk.example' }
const seat = (person = leoInChat) => takeSeat(database.db, 'con_chat', person, now)
const who = async () => (await agentOf(database.db, 'con_chat', 'U1'))?.email

describe('a chat user', () => {
  it('is the agent of the address that the vendor vouches for, from the first deed on', async () => {
    const leo = await hire(database.db, { email: 'leo@desk.example' })
    await meet(database.db, 'con_chat', leoInChat)
    expect(await who()).toBeUndefined()
    expect(await seat()).toEqual(leo)
    expect(await agentOf(database.db, 'con_chat', 'U1')).toEqual(leo)
    expect(await agentOf(database.db, 'con_other', 'U1')).toBeUndefined()
  })

  it('has no seat as a guest, even under an agent’s address', async () => {
    await hire(database.db, { email: 'leo@desk.example' })
    expect(await seat({ ...leoInChat, kind: 'guest' })).toBeUndefined()
    expect(await who()).toBeUndefined()
  })

  it.each<[string, ChatPerson]>([
    ['became a guest', { ...leoInChat, kind: 'guest' }],
    ['has another address now', { ...leoInChat, email: 'eva@desk.example' }],
    ['has no address any more', { id: 'U1', kind: 'member' }],
  ])('loses the seat when the account %s', async (_, later) => {
    await hire(database.db, { email: 'leo@desk.example' })
    await seat()
    await meet(database.db, 'con_chat', later)
    expect(await who()).toBeUndefined()
  })

  it('is known as inactive as soon as the agent has left', async () => {
    const leo = await hire(database.db, { email: 'leo@desk.example' })
    await seat()
    await changeAgent(database.db, leo.id, { active: false }, now)
    expect(await agentOf(database.db, 'con_chat', 'U1')).toMatchObject({ active: false })
  })

  it('keeps the seat that an admin gave, whatever address the vendor vouches for', async () => {
    await hire(database.db, { email: 'leo@desk.example' })
    const mia = await hire(database.db, { email: 'mia@desk.example' })
    await meet(database.db, 'con_chat', leoInChat)
    await linkAccount(database.db, { ...u1, agentId: mia.id, proof: 'admin' }, now)
    expect(await seat()).toBeUndefined()
    expect(await who()).toBe('mia@desk.example')
    expect(await unlinkAccount(database.db, mia.id, u1)).toBe(true)
    expect(await accountsOf(database.db, [mia.id])).toEqual([])
  })
})

describe('somebody without a seat', () => {
  beforeEach(() => meet(database.db, 'con_chat', { id: 'U1', kind: 'member', name: 'Leo' }))

  it('is asked once under which address the desk knows them', async () => {
    expect(await askForSeat(database.db, u1, now)).toBe(true)
    expect(await askForSeat(database.db, u1, now)).toBe(false)
    await meet(database.db, 'con_chat', { id: 'U2', kind: 'guest' })
    expect(await askForSeat(database.db, { ...u1, externalId: 'U2' }, now)).toBe(false)
  })

  it('has none by saying so; an admin confirms it', async () => {
    const leo = await hire(database.db, { email: 'leo@desk.example' })
    expect(await claim(database.db, { ...u1, email: 'LEO@desk.example' }, now)).toBe('kept')
    expect(await who()).toBeUndefined()
    expect(await claimPage(database.db, 10, undefined)).toMatchObject([{ ...u1, email: 'leo@desk.example' }])
    expect(await confirmClaim(database.db, u1, undefined, now)).toEqual(leo)
    expect(await who()).toBe('leo@desk.example')
    expect(await claimPage(database.db, 10, undefined)).toEqual([])
    expect(await accountsOf(database.db, [leo.id])).toMatchObject([{ ...u1, proof: 'admin' }])
  })

  it('is told what came of it; the admins who work in that tool are told that somebody waits', async () => {
    const quiet_hours = { time_zone: 'UTC', from: '09:00', to: '12:00' }
    const mia = await hire(database.db, { email: 'mia@desk.example', role: 'admin', language: 'es', quiet_hours })
    await hire(database.db, { email: 'eva@desk.example', role: 'admin' })
    await linkAccount(database.db, { ...u1, externalId: 'U7', agentId: mia.id, proof: 'email' }, now)
    await claim(database.db, { ...u1, email: 'leo@desk.example' }, now)
    await claim(database.db, { ...u1, email: 'leo@desk.example' }, now)
    await dismissClaim(database.db, u1, now)
    const told = await database.db.selectFrom('outbox').select(['action', 'due_at']).orderBy('seq').execute()
    expect(told).toMatchObject([
      {
        action: { show: { to: { agent: 'mia@desk.example' }, text: expect.stringContaining('Leo dice que') } },
        due_at: new Date('2026-11-22T12:00:00Z'),
      },
      { action: { show: { to: { user: 'U1' }, title: 'No seat for now' } } },
    ])
  })

  it('is not asked again after an admin said no', async () => {
    await claim(database.db, { ...u1, email: 'leo@desk.example' }, now)
    expect(await dismissClaim(database.db, u1, now)).toBe(true)
    expect(await dismissClaim(database.db, u1, now)).toBe(false)
    expect(await askForSeat(database.db, u1, now)).toBe(false)
  })

  it('cannot be confirmed as somebody who has left, or whom nobody knows', async () => {
    await claim(database.db, { ...u1, email: 'leo@desk.example' }, now)
    expect(await confirmClaim(database.db, u1, undefined, now)).toBe('no_agent')
    const { id } = await hire(database.db, { email: 'leo@desk.example', active: false })
    expect(await confirmClaim(database.db, u1, undefined, now)).toBe('no_agent')
    expect(await confirmClaim(database.db, u1, id, now)).toBe('no_agent')
    expect(await confirmClaim(database.db, { ...u1, externalId: 'U9' }, undefined, now)).toBeUndefined()
  })

  it('must type an address, and be a member', async () => {
    expect(await claim(database.db, { ...u1, email: 'leo' }, now)).toBe('no_address')
    await meet(database.db, 'con_chat', { id: 'U1', kind: 'stranger' })
    expect(await claim(database.db, { ...u1, email: 'leo@desk.example' }, now)).toBe('no_member')
    expect(await claim(database.db, { ...u1, externalId: 'U9', email: 'leo@desk.example' }, now)).toBe('no_member')
  })
})

describe('an agent', () => {
  it('is found by address in any spelling', async () => {
    await hire(database.db, { email: 'Leo@Desk.example' })
    expect(await findAgents(database.db, ['LEO@desk.example', 'eva@desk.example', 'nonsense'])).toMatchObject([
      { email: 'leo@desk.example', role: 'agent', active: true, language: null, quietHours: null },
    ])
  })

  it('shares no address with another, and keeps what a change does not name', async () => {
    const quiet_hours = { time_zone: 'Europe/Madrid', from: '22:00', to: '07:00' }
    const leo = await hire(database.db, { email: 'leo@desk.example', quiet_hours })
    await hire(database.db, { email: 'mia@desk.example' })
    expect(await changeAgent(database.db, leo.id, { email: 'mia@desk.example' }, now)).toBe('taken')
    expect(await changeAgent(database.db, leo.id, { role: 'lead' }, now)).toEqual({ ...leo, role: 'lead' })
    expect(await changeAgent(database.db, leo.id, { quiet_hours: null }, now)).toMatchObject({ quietHours: null })
    expect(await changeAgent(database.db, 'agt_0', { role: 'lead' }, now)).toBeUndefined()
  })
})
