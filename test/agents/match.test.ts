import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mayAct, toldAt } from '#hub/agents/agent.ts'
import { matchAgent } from '#hub/agents/match.ts'
import type { ChatPerson } from '#hub/connector/chat.ts'
import { agentRoles } from '#hub/platform/db/schema.ts'

const leo = { email: 'leo@desk.example', active: true }
const agents = [{ email: 'mia@desk.example', active: true }, leo, { email: 'gone@desk.example', active: false }]
const member = (email?: string): ChatPerson => ({ id: 'U1', kind: 'member', ...(email === undefined ? {} : { email }) })

describe('whom a chat user is taken for', () => {
  it.each([
    ['the agent of the address that the vendor vouches for', member('leo@desk.example'), leo],
    ['the same in another spelling', member(' Leo@DESK.example '), leo],
    ['nobody, without an address', member(), undefined],
    ['nobody, with an address that no agent has', member('eva@desk.example'), undefined],
    ['nobody, with an address that only looks like one', member('leo+x@desk.example'), undefined],
    ['nobody, when the agent has left', member('gone@desk.example'), undefined],
    ['nobody, with what is no address', member('leo'), undefined],
  ])('is %s', (_, person, expected) => {
    expect(matchAgent(person, agents)).toBe(expected)
  })

  it('is nobody for guests, strangers and bots, whatever their address', () => {
    fc.assert(
      fc.property(fc.constantFrom('guest', 'stranger', 'bot'), fc.constantFrom(...agents), (kind, { email }) => {
        expect(matchAgent({ id: 'U1', kind, email }, agents)).toBeUndefined()
      }),
    )
  })

  it('never is an agent of another address, and never one who has left', () => {
    const address = fc.constantFrom('a@x.example', 'A@X.example', 'b@x.example', 'a@y.example', 'nonsense')
    const agent = fc.record({ email: fc.constantFrom('a@x.example', 'b@x.example'), active: fc.boolean() })
    fc.assert(
      fc.property(fc.option(address, { nil: undefined }), fc.array(agent), (email, all) => {
        const found = matchAgent(member(email), all)
        if (!found) return
        expect(found.active).toBe(true)
        expect(found.email).toBe(email?.toLowerCase())
      }),
    )
  })
})

it('lets everybody act but viewers and those who have left', () => {
  expect(agentRoles.filter((role) => mayAct({ role, active: true }))).toEqual(['admin', 'lead', 'agent'])
  expect(agentRoles.filter((role) => mayAct({ role, active: false }))).toEqual([])
})

describe('when an agent is told', () => {
  const night = new Date('2026-11-22T23:30:00Z')
  const quietHours = { time_zone: 'Europe/Madrid', from: '22:00', to: '07:00' }

  it('waits for the end of the quiet hours', () => {
    expect(toldAt({ quietHours }, night, false)?.toISOString()).toBe('2026-11-23T06:00:00.000Z')
  })

  it('does not wait with what is urgent, nor by day, nor for those without quiet hours', () => {
    expect(toldAt({ quietHours }, night, true)).toBeUndefined()
    expect(toldAt({ quietHours }, new Date('2026-11-22T12:00:00Z'), false)).toBeUndefined()
    expect(toldAt({ quietHours: null }, night, false)).toBeUndefined()
  })
})
