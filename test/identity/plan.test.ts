import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readClaim } from '#hub/identity/claim.ts'
import { recordKey } from '#hub/identity/company-plan.ts'
import { canonicalJson } from '#hub/identity/dated-facts.ts'
import { goldenTraits } from '#hub/identity/golden.ts'
import type { PersonClaim } from '#hub/identity/index.ts'
import { phoneReader } from '#hub/identity/phone.ts'
import { type Plan, planIdentity } from '#hub/identity/plan.ts'
import { policyOf, readSettings } from '#hub/identity/policy.ts'
import type { World } from '#hub/identity/world.ts'
import { claim } from './people.ts'

const now = new Date('2026-11-22T12:00:00Z')
const at = '2026-11-22T11:00:00.000Z'
const nothing: World = {
  leaves: new Map(),
  records: new Map(),
  identities: new Map(),
  companies: { companies: new Map(), records: new Map() },
}

describe('planning who is who', async () => {
  const readPhone = await phoneReader()
  let made = 0
  const newId = (kind: string) => `${kind}_${String(++made).padStart(6, '0')}`

  function plan(world: World, claims: readonly PersonClaim[], settings: object = {}): Plan {
    const policy = policyOf(readSettings(settings))
    const read = claims.flatMap((one) => readClaim(one, policy, readPhone) ?? [])
    return planIdentity(world, read, { policy, now, newId })
  }
  const crm = (person: PersonClaim['person']): PersonClaim => ({ connectionId: 'con_crm', person, at })
  const desk = (person: PersonClaim['person']): PersonClaim => ({ connectionId: 'con_desk', person, at })

  it('makes one person of two records with one verified address, and says on which evidence', () => {
    const { resolved, merges } = plan(nothing, [
      crm({ id: '1', emails: ['Ana@Acme.example'] }),
      desk({ id: '9', emails: ['ana@acme.example'], name: 'Ana' }),
    ])
    expect(resolved[1]?.rootId).toBe(resolved[0]?.profileId)
    expect(resolved.map((one) => [one.created, one.merged])).toEqual([
      [true, []],
      [false, []],
    ])
    expect(merges).toMatchObject([
      {
        keptLeaf: resolved[0]?.profileId,
        mergedLeaf: resolved[1]?.profileId,
        evidence: {
          keys: [{ kind: 'email', value: 'ana@acme.example' }],
          record: { connection_id: 'con_desk', external_id: '9' },
        },
      },
    ])
  })

  it('joins two known people when a third record has a key of each, and reports that join', () => {
    const two = plan(nothing, [
      crm({ id: '1', emails: ['ana@acme.example'] }),
      crm({ id: '2', phones: ['+34600111222'] }),
    ])
    const third = plan(two.world, [desk({ emails: ['ana@acme.example'], phones: ['+34600111222'] })])
    expect(third.resolved).toMatchObject([
      {
        rootId: two.resolved[0]?.profileId,
        created: false,
        merged: [{ keptRoot: two.resolved[0]?.profileId, mergedRoot: two.resolved[1]?.profileId }],
      },
    ])
  })

  it('names the fields that changed, and none for what it knew', () => {
    const first = plan(nothing, [crm({ id: '1', name: 'Ana', traits: { plan: 'free' }, company: { name: 'Acme' } })])
    expect(first.resolved[0]?.changed).toEqual(['name', 'company', 'traits.plan'])
    const again = plan(first.world, [
      crm({ id: '1', name: 'Ana', traits: { plan: 'free' }, company: { name: 'Acme' } }),
    ])
    expect(again.resolved[0]?.changed).toEqual([])
    expect([again.records, again.leaves, again.companies.changedRecords]).toEqual([
      { new: [], changed: [] },
      { new: [], changed: [] },
      [],
    ])
    const later = { ...crm({ id: '1', traits: { plan: 'pro' } }), at: '2026-11-22T11:30:00Z' }
    expect(plan(first.world, [later]).resolved[0]?.changed).toEqual(['traits.plan'])
  })

  it('gives no profile to a person without id, address and number', () => {
    expect(readClaim(crm({ name: 'Ana' }), policyOf(readSettings({})), readPhone)).toBeUndefined()
  })

  it('never takes a blocked address as a key, and keeps it as a trait', () => {
    const settings = {
      blocked_emails: ['Front@Acme.example'],
      blocked_domains: ['own.example'],
      own_agents: ['leo@desk.example'],
    }
    for (const email of ['info@acme.example', 'front@acme.example', 'eva@own.example', 'leo@desk.example']) {
      const { resolved, world } = plan(
        nothing,
        [crm({ id: '1', emails: [email] }), desk({ id: '2', emails: [email] })],
        settings,
      )
      expect(resolved[0]?.rootId).not.toBe(resolved[1]?.rootId)
      expect(world.identities.size).toBe(0)
      expect(world.records.get(recordKey('con_crm', '1'))?.facts['emails']?.value).toEqual([email])
    }
  })

  it('makes a join beyond a limit a suggestion', () => {
    const claims = ['1', '2', '3'].map((id) => crm({ id, emails: ['ana@acme.example'] }))
    const { merges, suggestions } = plan(nothing, claims, { limits: { external_per_connection: 2 } })
    expect(merges.length).toBe(1)
    expect(suggestions).toMatchObject([{ reason: 'limit' }])
  })

  it('leaves addresses beyond the limit without a key', () => {
    const emails = ['a', 'b', 'c'].map((name) => `${name}@acme.example`)
    const { world } = plan(nothing, [crm({ id: '1', emails })], { limits: { email: 2 } })
    expect([...world.identities.keys()]).toEqual(['email:a@acme.example', 'email:b@acme.example'])
  })

  it('gives an unverified claim a profile of its own, whatever came first, and suggests', () => {
    const forged = desk({ emails: ['ana@acme.example'], name: 'Eve', verified: false })
    const real = crm({ id: '1', emails: ['ana@acme.example'] })
    for (const order of [
      [forged, real],
      [real, forged],
    ]) {
      const { resolved, world, suggestions, merges } = plan(nothing, order)
      expect(resolved[0]?.rootId).not.toBe(resolved[1]?.rootId)
      const owner = world.records.get(recordKey('con_crm', '1'))?.profileId
      expect(world.identities.get('email:ana@acme.example')).toMatchObject({ profileId: owner, verified: true })
      expect(suggestions.map((one) => one.reason)).toEqual(['unverified'])
      expect(merges).toEqual([])
    }
  })

  it('keeps what nobody verified out of the record of the one who did', () => {
    const { resolved } = plan(nothing, [
      desk({ emails: ['ana@acme.example'], name: 'Ana' }),
      desk({ emails: ['ana@acme.example'], name: 'Eve', verified: false }),
    ])
    expect(resolved[0]?.profileId).not.toBe(resolved[1]?.profileId)
  })

  it('ends with the same people for every order and repetition of the same claims', () => {
    const runs = fc.array(claim, { minLength: 1, maxLength: 14 }).chain((claims) =>
      fc.tuple(
        fc.constant(claims),
        fc.shuffledSubarray([...claims, ...claims.slice(0, 5)], {
          minLength: claims.length + Math.min(5, claims.length),
        }),
        fc.integer({ min: 1, max: 5 }),
      ),
    )
    fc.assert(
      fc.property(runs, ([claims, shuffled, batch]) => {
        const one = plan(nothing, claims).world
        let other = nothing
        for (let from = 0; from < shuffled.length; from += batch) {
          other = plan(other, shuffled.slice(from, from + batch)).world
        }
        expect(canonicalWorld(other)).toEqual(canonicalWorld(one))
      }),
      { numRuns: 500, seed: 20261122 },
    )
  })
})

/** Who is one person, which keys are theirs, what counts of them, which company records are one company. */
function canonicalWorld(world: World) {
  const rootOf = (leaf: string) => world.leaves.get(leaf)?.rootId ?? ''
  const people = Object.groupBy([...world.records.values()], (record) => rootOf(record.profileId))
  const keys = Object.groupBy([...world.identities.values()], (identity) => rootOf(identity.profileId))
  const companies = Object.groupBy([...world.companies.records], ([, record]) => record.companyId)
  const companyOf = (id: string | null) => {
    const { name, domain, traits } = world.companies.companies.get(id ?? '') ?? {}
    return { name, domain, traits, records: (companies[id ?? ''] ?? []).map(([key]) => key).toSorted() }
  }
  const shapes = Object.entries(people).map(([root, records = []]) => ({
    records: records.map((record) => recordKey(record.connectionId, record.externalId)).toSorted(),
    keys: (keys[root] ?? []).map((key) => [key.kind, key.value, key.verified]).toSorted(),
    golden: [...goldenTraits(records, () => [])].toSorted(([a], [b]) => (a < b ? -1 : 1)),
    companies: records
      .map((record) =>
        world.companies.records.get(recordKey(record.connectionId, String(record.facts['company']?.value))),
      )
      .map((record) => canonicalJson(companyOf(record?.companyId ?? null)))
      .toSorted(),
  }))
  return shapes.map(canonicalJson).toSorted()
}
