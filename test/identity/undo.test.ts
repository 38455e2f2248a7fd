import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mergeProfiles, type PersonClaim, resolvePeople, unmerge } from '#hub/identity/index.ts'
import { testDatabase } from '#kit'
import { canonicalProfiles } from './canonical.ts'
import { claim } from './people.ts'

const now = new Date('2026-11-22T12:00:00Z')
const act = { actor: 'leo@desk.example', reason: 'looked alike' }

describe('an undone merge', () => {
  const database = testDatabase()

  it('leaves what a run without it has, whatever came in between', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(claim, { maxLength: 6 }),
        fc.array(claim, { maxLength: 8 }),
        fc.array(claim, { maxLength: 3 }),
        async (before, between, after) => {
          const merged = await play(before, between, after, true)
          const parted = await play(before, between, after, false)
          expect(merged).toEqual(parted)
        },
      ),
      { numRuns: 80, seed: 20261122 },
    )
  }, 60_000)

  /** Two people, and what `before` tells; a person joins the two, for the time of `between` or for none. */
  async function play(
    before: readonly PersonClaim[],
    between: readonly PersonClaim[],
    after: readonly PersonClaim[],
    isMergedBetween: boolean,
  ): Promise<readonly unknown[]> {
    const trx = await database.db.startTransaction().execute()
    const {
      people: [ana, bea],
      saved,
    } = await resolvePeople(trx, [...pair, ...before], now)
    await saved
    if (ana?.rootId !== bea?.rootId) {
      const { mergeId } = await mergeProfiles(trx, ana?.profileId ?? '', bea?.profileId ?? '', act, now)
      if (!isMergedBetween) await unmerge(trx, mergeId, act, now)
      await (await resolvePeople(trx, between, now)).saved
      if (isMergedBetween) await unmerge(trx, mergeId, act, now)
    }
    await (await resolvePeople(trx, after, now)).saved
    const profiles = await canonicalProfiles(trx)
    await trx.rollback().execute()
    return profiles
  }
})

const at = '2026-11-22T09:00:00.000Z'
const pair: readonly PersonClaim[] = [
  { connectionId: 'con_crm', at, person: { id: 'A', name: 'Ana Ruiz', emails: ['ana@acme.example'] } },
  { connectionId: 'con_crm', at, person: { id: 'B', name: 'Ana', emails: ['ana@home.example'] } },
]
