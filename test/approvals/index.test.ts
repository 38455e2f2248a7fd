import { beforeEach, describe, expect, it } from 'vitest'
import type { Agent } from '#hub/agents/index.ts'
import { approvalById, type Decider, decideApproval, insertApprovals } from '#hub/approvals/index.ts'
import { inWorkspace } from '#hub/pipeline/index.ts'
import { testDatabase } from '#kit'
import { now, openCase } from '../agents/people.ts'

const database = testDatabase()
const leo: Agent = {
  id: 'agt_1',
  email: 'leo@desk.example',
  name: 'Leo Marín',
  role: 'agent',
  language: null,
  quietHours: null,
  active: true,
}
const by = (change: Partial<Agent> = {}): Decider => ({ name: 'Leo Marín', agent: { ...leo, ...change } })
const decide = (decider: Decider, decision: 'approved' | 'rejected' = 'approved') =>
  inWorkspace(database.db, (trx) => decideApproval(trx, 'apr_1', decision, decider, now))

async function ask(askedOf: string) {
  await openCase(database.db, { id: 'case_1' })
  const askedBy = { kind: 'rule', ruleId: 'refund', version: 1 } as const
  const asked = { id: 'apr_1', caseId: 'case_1', question: 'Refund 90 €?', connectionId: 'con_chat', askedAt: now }
  await insertApprovals(database.db, [{ ...asked, askedBy, askedOf }])
}
beforeEach(() => database.reset())

describe('an approval', () => {
  it('is decided once: the first word counts, and says who gave it', async () => {
    await ask('C1')
    const decided = { decision: 'approved', by: 'Leo Marín', at: now }
    expect(await decide(by())).toMatchObject({
      result: 'decided',
      approval: { decided },
      event: {
        type: 'approval.approved',
        caseId: 'case_1',
        actor: { kind: 'person', name: 'Leo Marín' },
        data: { approvalId: 'apr_1', question: 'Refund 90 €?' },
      },
      note: { caseId: 'case_1', text: 'Approved by Leo Marín: Refund 90 €?' },
    })
    expect(await decide({ name: 'Mia' }, 'rejected')).toMatchObject({ result: 'decided_before', approval: { decided } })
    expect(await approvalById(database.db, 'apr_1')).toMatchObject({ decided })
  })

  it('is told in the language of the one who decides', async () => {
    await ask('C1')
    expect(await decide(by({ language: 'es' }), 'rejected')).toMatchObject({
      event: { type: 'approval.rejected' },
      note: { text: 'Rechazado por Leo Marín: Refund 90 €?' },
    })
  })

  it.each([
    ['a viewer', 'C1', { role: 'viewer' }],
    ['somebody who has left', 'C1', { active: false }],
    ['another agent than the one who was asked', 'mia@desk.example', {}],
  ] as const)('is not for %s to decide', async (_, askedOf, change) => {
    await ask(askedOf)
    expect(await decide(by(change))).toMatchObject({ result: 'not_theirs' })
    expect(await approvalById(database.db, 'apr_1')).toMatchObject({ decided: null })
  })

  it.each([
    ['the one who was asked', 'leo@desk.example', {}],
    ['a lead in the place of the one who was asked', 'mia@desk.example', { role: 'lead' }],
    ['anybody in the channel, whatever its id looks like', '19:abc@thread.tacv2', {}],
  ] as const)('is for %s to decide', async (_, askedOf, change) => {
    await ask(askedOf)
    expect(await decide(by(change))).toMatchObject({ result: 'decided' })
  })

  it('that there is not cannot be decided', async () => {
    expect(await decide(by())).toEqual({ result: 'unknown' })
  })
})
