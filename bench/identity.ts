/**
 * Identity: the live path's batches of 100 between one at a time and batches of 5,000, on one database, each in turns; and
 * whether the profiles are those of a union-find in memory over the same input.
 */
import { type PersonClaim, resolvePeople, rootsOfLeaves } from '#hub/identity/index.ts'
import { inWorkspace } from '#hub/pipeline/index.ts'
import { type Db, openDatabase } from '#hub/platform/db/database.ts'
import { migrate } from '#hub/platform/db/migrate.ts'

const workspaceId = 'bench'
const quiet = { debug() {}, info() {}, warn() {}, error: console.error }

/** Observations per turn and per batch. */
const paths = {
  bulk: { perTurn: 20_000, perBatch: 5_000 },
  live: { perTurn: 10_000, perBatch: 100 },
  single: { perTurn: 500, perBatch: 1 },
} as const
type Path = keyof typeof paths

export interface IdentityFigures {
  /** Observations per second, turn by turn. */
  readonly perSecond: Readonly<Record<Path, readonly number[]>>
  /** Every batch of the live path. */
  readonly liveBatchMs: readonly number[]
  readonly profiles: number
}

/** @throws Error when a person's observations are not one profile, or two people's are. */
export async function measureIdentity(databaseUrl: string, rounds: number): Promise<IdentityFigures> {
  const database = openDatabase({
    url: databaseUrl,
    workspaceId,
    ...(await migrate(databaseUrl, quiet, { workspaceId })),
  })
  const next = createObservations()
  const people = createUnionFind()
  const seen: { readonly key: string; readonly leaf: string }[] = []
  const perSecond: Record<Path, number[]> = { bulk: [], live: [], single: [] }
  const liveBatchMs: number[] = []
  try {
    // One turn each to warm up.
    for (let round = -1; round < rounds; round += 1) {
      for (const path of ['bulk', 'live', 'single'] as const) {
        const { batchMs, count } = await takeTurn(path)
        if (round < 0) continue
        perSecond[path].push((count * 1000) / batchMs.reduce((sum, ms) => sum + ms, 0))
        if (path === 'live') liveBatchMs.push(...batchMs)
      }
    }
    const profiles = await compare(database.db, people, seen)
    return { perSecond, liveBatchMs, profiles }
  } finally {
    await database.close()
  }

  async function takeTurn(path: Path) {
    const { perTurn, perBatch } = paths[path]
    const batches = Array.from({ length: perTurn / perBatch }, () => Array.from({ length: perBatch }, next))
    const batchMs: number[] = []
    for (const batch of batches) {
      const started = performance.now()
      const claims = batch.map(({ claim }) => claim)
      const resolved = await inWorkspace(database.db, async (trx) => {
        const { people, saved } = await resolvePeople(trx, claims, new Date())
        await saved
        return people
      })
      batchMs.push(performance.now() - started)
      for (const [index, { keys }] of batch.entries()) {
        const [key = ''] = keys
        for (const other of keys) people.join(key, other)
        seen.push({ key, leaf: resolved[index]?.profileId ?? '' })
      }
    }
    return { batchMs, count: perTurn }
  }
}

interface Observation {
  readonly claim: PersonClaim
  readonly keys: readonly string[]
}

/**
 * One or two of a person's three keys; three in ten show a person who has been seen, often by others of the keys, so that
 * profiles become one. A person has one name, and nobody shares a key: nothing speaks against a join, as the union-find
 * takes for granted.
 */
function createObservations(): () => Observation {
  const random = createRandom(7)
  const start = Date.parse('2026-01-01T00:00:00Z')
  let people = 0
  let made = 0
  return () => {
    const person = people > 0 && random() < 0.3 ? Math.floor(random() * people) : people++
    const left = Math.floor(random() * 3)
    const alone = random() < 0.5 ? (left + 1) % 3 : undefined
    const shows = (kind: number) => kind !== left && kind !== alone
    const id = shows(0) ? `user-${person}` : undefined
    const email = shows(1) ? `person.${person}@customers.example` : undefined
    const phone = shows(2) ? `+346${String(person).padStart(8, '0')}` : undefined
    made += 1
    return {
      keys: [id, email, phone].flatMap((key) => key ?? []),
      claim: {
        connectionId: 'con_bench',
        at: new Date(start + made * 1000).toISOString(),
        inboxSeq: made,
        person: {
          name: `${names[person % names.length]} ${names[Math.floor(person / names.length) % names.length]}`,
          ...(id === undefined ? {} : { id }),
          ...(email === undefined ? {} : { emails: [email] }),
          ...(phone === undefined ? {} : { phones: [phone] }),
        },
      },
    }
  }
}

const names =
  'Ada Bo Cleo Dev Eli Fay Gus Hana Ida Jon Kai Lia Max Noa Oda Pia Quin Rui Sol Tea Uma Vic Wes Xia Yan Zoe'.split(' ')

function createUnionFind() {
  const parents = new Map<string, string>()
  const find = (key: string): string => {
    const parent = parents.get(key) ?? key
    if (parent === key) return key
    const top = find(parent)
    parents.set(key, top)
    return top
  }
  return {
    find,
    join(one: string, other: string) {
      const [a, b] = [find(one), find(other)]
      if (a !== b) parents.set(a, b)
    },
  }
}

/** Not the count alone: each profile is one of the union-find's sets. @returns how many there are. */
async function compare(
  db: Db,
  people: ReturnType<typeof createUnionFind>,
  seen: readonly { readonly key: string; readonly leaf: string }[],
): Promise<number> {
  const roots = await rootsOfLeaves(
    db,
    seen.map(({ leaf }) => leaf),
  )
  const rootOf = new Map<string, string>()
  const setOf = new Map<string, string>()
  for (const { key, leaf } of seen) {
    const [set, root] = [people.find(key), roots.get(leaf) ?? '']
    if ((rootOf.get(set) ?? root) !== root || (setOf.get(root) ?? set) !== set) {
      throw new Error(`identity: the profile ${root} and the union-find's set of ${key} are not the same`)
    }
    rootOf.set(set, root)
    setOf.set(root, set)
  }
  const { count } = await db
    .selectFrom('profiles')
    .select((eb) => eb.fn.count<number>('root_id').distinct().as('count'))
    .executeTakeFirstOrThrow()
  if (count !== rootOf.size) throw new Error(`identity: ${count} profiles, ${rootOf.size} in the union-find`)
  return count
}

/** The same numbers in every run (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
