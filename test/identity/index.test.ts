import { sql } from 'kysely'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  acceptSuggestion,
  dismissSuggestion,
  findByIdentity,
  mergeProfiles,
  mergesOf,
  type PersonClaim,
  profileDetails,
  profileViewsFor,
  resolvePeople,
  searchProfiles,
  setTraits,
  suggestions,
  unmerge,
  whyTrait,
} from '#hub/identity/index.ts'
import { json } from '#hub/platform/db/database.ts'
import { testDatabase } from '#kit'

const now = new Date('2026-11-22T12:00:00Z')
const leo = { actor: 'leo@desk.example' }
const minute = (n: number) => new Date(Date.UTC(2026, 10, 22, 10, n)).toISOString()
const claim = (connectionId: string, person: PersonClaim['person'], at = minute(0)): PersonClaim => ({
  connectionId,
  person,
  at,
})

describe('the identity room', () => {
  const database = testDatabase()
  beforeEach(() => database.reset())

  const resolve = (...claims: PersonClaim[]) =>
    database.db.transaction().execute(async (trx) => {
      const { people, saved } = await resolvePeople(trx, claims, now)
      await saved
      return people.map((one) => one ?? expect.unreachable('every claim here has a key'))
    })
  const rootOf = async (...claims: PersonClaim[]) => (await resolve(...claims)).at(-1)?.rootId ?? ''
  const details = async (id: string) => (await profileDetails(database.db, [id])).get(id)
  const settings = (value: object) =>
    database.db
      .insertInto('settings')
      .values({ key: 'identity', value: json(value) })
      .execute()

  it('makes one profile of a person in a CRM, a desk and a mailbox', async () => {
    const [crm, desk, mail] = await resolve(
      claim('con_crm', { id: '1', name: 'Ana Ruiz', emails: ['Ana@Acme.example'], phones: ['+34 600 111 222'] }),
      claim('con_desk', { id: '9', phones: ['+34600111222'], emails: ['ana@home.example'] }),
      claim('con_mail', { emails: ['ana@home.example'], name: 'Ana' }),
    )
    expect(new Set([crm?.rootId, desk?.rootId, mail?.rootId]).size).toBe(1)
    expect(await details(crm?.rootId ?? '')).toMatchObject({
      id: crm?.rootId,
      identities: [
        { kind: 'email', value: 'ana@acme.example', verified: true },
        { kind: 'email', value: 'ana@home.example', verified: true },
        { kind: 'phone', value: '+34600111222', verified: true },
        { kind: 'external', value: '1', connection_id: 'con_crm', verified: true },
        { kind: 'external', value: '9', connection_id: 'con_desk', verified: true },
      ],
      leaves: [crm?.profileId, desk?.profileId, mail?.profileId],
    })
  })

  it('knows everybody again in the next batch', async () => {
    const people = Array.from({ length: 300 }, (_, n) =>
      claim('con_crm', { id: `U-${n}`, emails: [`p${n}@acme.example`], traits: { n } }),
    )
    const first = await resolve(...people)
    const again = await resolve(...people.toReversed())
    expect(again.toReversed().map((one) => one.rootId)).toEqual(first.map((one) => one.rootId))
    expect(again.every((one) => !one.created && one.changed.length === 0)).toBe(true)
  })

  it('asks the database as often for three people as for three hundred', async () => {
    const statements = async (count: number, from: number) => {
      let counted = 0
      const counting = database.db.withPlugin({
        transformQuery: ({ node }) => {
          counted += 1
          return node
        },
        transformResult: async ({ result }) => result,
      })
      const people = Array.from({ length: count }, (_, n) =>
        claim('con_crm', {
          id: `U-${from + n}`,
          emails: [`p${(from + n) % 250}@acme.example`],
          company: { id: `C-${n}` },
        }),
      )
      await counting.transaction().execute(async (trx) => (await resolvePeople(trx, people, now)).saved)
      return counted
    }
    await resolve(claim('con_desk', { id: '1', emails: ['p0@acme.example', 'p300@acme.example'] }))
    const few = await statements(3, 0)
    expect([await statements(300, 3), few < 12]).toEqual([few, true])
  })

  it('leaves a person out whom nobody could find again', async () => {
    const claims = [claim('con_desk', { name: 'Ana' }), claim('con_desk', { id: '1' })]
    const resolved = await database.db.transaction().execute(async (trx) => {
      const { people, saved } = await resolvePeople(trx, claims, now)
      await saved
      return people
    })
    expect(resolved.map((one) => one?.created)).toEqual([undefined, true])
  })

  it('finds a profile by every identity in any spelling', async () => {
    await settings({ default_country: 'ES' })
    const root = await rootOf(
      claim('con_crm', { id: 'a:1', emails: ['ana@acme.example', 'info@acme.example'], phones: ['600111222'] }),
    )
    const found = ['email: ANA@acme.example', 'phone:+34 600 111 222', 'phone:600 111 222', 'con_crm:a:1']
    expect(await Promise.all(found.map((identity) => findByIdentity(database.db, identity)))).toEqual(
      found.map(() => root),
    )
    const strange = ['email:bob@acme.example', 'email:info@acme.example', 'con_desk:a:1', 'phone:nobody', 'ana', '']
    expect(await Promise.all(strange.map((identity) => findByIdentity(database.db, identity)))).toEqual(
      strange.map(() => undefined),
    )
  })

  it('keeps every source of a trait and lets the settings say which counts', async () => {
    const ana = { emails: ['ana@acme.example'] }
    const root = await rootOf(
      claim('con_crm', { id: '1', ...ana, name: 'Ana Ruiz', traits: { plan: 'pro', city: 'Vigo' } }, minute(1)),
      claim('con_desk', { id: '9', ...ana, name: 'Ana', traits: { plan: 'free', city: null } }, minute(2)),
    )
    const plan = {
      crm: { value: 'pro', source: { connection_id: 'con_crm', record: '1', at: minute(1) } },
      desk: { value: 'free', source: { connection_id: 'con_desk', record: '9', at: minute(2) } },
    }
    expect((await details(root))?.traits).toMatchObject({
      plan: { ...plan.desk, others: [plan.crm] },
      city: { value: 'Vigo', others: [] },
      name: { value: 'Ana' },
    })
    await database.db
      .insertInto('connections')
      .values({
        id: 'con_crm',
        connector: 'desk',
        name: 'CRM',
        config: json({}),
        sealed: Buffer.of(),
        status: 'connected',
      })
      .execute()
    await settings({ sources: ['CRM'], trait_sources: { plan: ['con_desk'] } })
    expect((await details(root))?.traits).toMatchObject({ plan: { value: 'free' }, name: { value: 'Ana Ruiz' } })
  })

  it('shows rules the person with company and open cases, under each leaf', async () => {
    const [crm, desk] = await resolve(
      claim('con_crm', {
        id: '1',
        name: 'Ana Ruiz',
        emails: ['ana@acme.example'],
        phones: ['+34 600 111 222'],
        locale: 'es-ES',
        company: { id: 'C-1', name: 'Acme', domain: 'acme.example', traits: { plan: 'enterprise' } },
        traits: { vip: true },
      }),
      claim('con_desk', { id: '9', emails: ['ana@acme.example'] }, minute(1)),
    )
    const status = ['open', 'solved', 'pending']
    for (const [n, one] of status.entries()) {
      await sql`insert into cases (id, status, requester_id, created_at, updated_at)
        values (${`case_${n}`}, ${one}, ${desk?.profileId}, now(), now())`.execute(database.db)
    }
    const view = {
      id: crm?.rootId,
      name: 'Ana Ruiz',
      emails: ['ana@acme.example'],
      phones: ['+34 600 111 222'],
      locale: 'es-ES',
      traits: { vip: true },
      company: { name: 'Acme', domain: 'acme.example', plan: 'enterprise' },
      open_cases: 2,
    }
    const views = await profileViewsFor(database.db, [crm?.profileId ?? '', desk?.profileId ?? '', 'prof_none'])
    expect([...views]).toEqual([
      [crm?.profileId, view],
      [desk?.profileId, view],
    ])
  })

  it('takes the company of a verified address where no tool names one', async () => {
    await resolve(claim('con_crm', { id: '1', company: { id: 'C', name: 'Acme', domain: 'Acme.example' } }))
    const [known, forged, free] = await resolve(
      claim('con_desk', { id: '2', emails: ['bob@acme.example'] }),
      claim('con_desk', { emails: ['eve@acme.example'], verified: false }),
      claim('con_desk', { id: '3', emails: ['bob@gmail.com'] }),
    )
    const ids = [known, forged, free].map((one) => one?.profileId ?? '')
    const views = await profileViewsFor(database.db, ids)
    expect(ids.map((id) => views.get(id)?.company?.['name'])).toEqual(['Acme', undefined, undefined])
  })

  it('makes one company of one domain, also when the domain is told later', async () => {
    const [first] = await resolve(claim('con_crm', { id: '1', company: { id: 'C', name: 'Acme' } }))
    const [second] = await resolve(claim('con_desk', { id: '2', company: { name: 'ACME', domain: 'acme.example' } }))
    expect(first?.companyId).not.toBe(second?.companyId)
    await resolve(claim('con_crm', { id: '3', company: { id: 'C', domain: 'acme.example' } }, minute(1)))
    const companies = [(await details(first?.rootId ?? ''))?.company, (await details(second?.rootId ?? ''))?.company]
    expect(companies).toEqual([companies[1], companies[1]])
    expect(companies[0]?.domain).toBe('acme.example')
    expect(await database.db.selectFrom('companies').select('id').execute()).toHaveLength(1)
  })

  it('undoes a merge to the byte, and joins the two never again by itself', async () => {
    const two = [
      claim('con_crm', { id: '1', emails: ['ana@acme.example'], name: 'Ana Ruiz' }),
      claim('con_desk', { id: '2', emails: ['ana@home.example'], name: 'Ana R' }),
    ] as const
    const [a, b] = await resolve(...two)
    const rows = async () =>
      (
        await sql<{ rows: unknown }>`select jsonb_build_array(
          (select jsonb_agg(to_jsonb(t) order by id) from profiles t),
          (select jsonb_agg(to_jsonb(t) order by external_id) from person_records t),
          (select jsonb_agg(to_jsonb(t) order by value) from identities t)) as rows`.execute(database.db)
      ).rows[0]?.rows
    const before = await rows()
    const { mergeId, keptRoot, mergedRoot } = await database.db
      .transaction()
      .execute((trx) => mergeProfiles(trx, a?.rootId ?? '', b?.rootId ?? '', { ...leo, reason: 'same person' }, now))
    expect([keptRoot, mergedRoot]).toEqual([a?.rootId, b?.rootId])
    expect((await details(b?.profileId ?? ''))?.leaves).toEqual([a?.profileId, b?.profileId])
    const parted = await database.db.transaction().execute((trx) => unmerge(trx, mergeId, leo, now))
    expect(parted.roots).toEqual([a?.rootId, b?.rootId])
    expect(await rows()).toEqual(before)

    await resolve(claim('con_desk', { id: '2', emails: ['ana@acme.example'] }, minute(1)))
    expect((await details(b?.profileId ?? ''))?.leaves).toEqual([b?.profileId])
    const open = await suggestions(database.db)
    expect(open.data.map((one) => [one.reason, one.profiles.map((profile) => profile.id)])).toEqual([
      ['parted_before', [a?.rootId, b?.rootId]],
    ])
  })

  it('tells what cannot be merged or undone', async () => {
    const [a, b] = await resolve(claim('con_crm', { id: '1' }), claim('con_crm', { id: '2' }))
    const [one, other] = [a?.rootId ?? '', b?.rootId ?? '']
    const merge = (x: string, y: string) =>
      database.db.transaction().execute((trx) => mergeProfiles(trx, x, y, { ...leo, reason: 'same' }, now))
    const undo = (id: string) => database.db.transaction().execute((trx) => unmerge(trx, id, leo, now))
    await expect(merge(one, 'prof_none')).rejects.toMatchObject({ code: 'not_found' })
    await expect(merge(one, one)).rejects.toMatchObject({ code: 'already_merged' })
    const { mergeId } = await merge(other, one)
    await expect(merge(one, other)).rejects.toMatchObject({ code: 'already_merged' })
    await undo(mergeId)
    await expect(undo(mergeId)).rejects.toMatchObject({ code: 'already_undone' })
    await expect(undo('merge_none')).rejects.toMatchObject({ code: 'not_found' })
    expect(await mergesOf(database.db, one)).toMatchObject([{ id: mergeId, actor: leo.actor, undone_by: leo.actor }])
  })

  it('keeps together what other evidence joins when one merge of three is undone', async () => {
    const [a, b, c] = await resolve(
      claim('con_crm', { id: '1', emails: ['a@acme.example'] }),
      claim('con_crm', { id: '2', emails: ['b@acme.example'] }),
      claim('con_desk', { id: '3', emails: ['b@acme.example'] }),
    )
    const { mergeId } = await database.db
      .transaction()
      .execute((trx) => mergeProfiles(trx, a?.rootId ?? '', c?.profileId ?? '', { ...leo, reason: 'same' }, now))
    expect((await details(a?.rootId ?? ''))?.leaves).toHaveLength(3)
    await database.db.transaction().execute((trx) => unmerge(trx, mergeId, leo, now))
    expect((await details(c?.profileId ?? ''))?.leaves).toEqual([b?.profileId, c?.profileId])
    expect((await details(a?.profileId ?? ''))?.leaves).toEqual([a?.profileId])
  })

  it('asks a person about a doubtful pair once, and does as they say', async () => {
    const pair = (n: number) => [
      claim('con_crm', { id: `a${n}`, name: 'Ana Ruiz', phones: [`+3460011122${n}`] }),
      claim('con_desk', { id: `b${n}`, name: 'Bob Stone', phones: [`+3460011122${n}`] }, minute(n)),
    ]
    const [, yes] = await resolve(...pair(1))
    const [, no] = await resolve(...pair(2))
    await resolve(...pair(1), ...pair(2))
    const open = (await suggestions(database.db)).data
    expect(open.map((one) => [one.reason, one.profiles.map((profile) => profile.name)])).toEqual([
      ['names_differ', ['Ana Ruiz', 'Bob Stone']],
      ['names_differ', ['Ana Ruiz', 'Bob Stone']],
    ])
    const [second, first] = open.map((one) => one.id)
    await database.db.transaction().execute(async (trx) => {
      await acceptSuggestion(trx, first ?? '', leo, now)
      await dismissSuggestion(trx, second ?? '')
    })
    await expect(
      database.db.transaction().execute((trx) => acceptSuggestion(trx, second ?? '', leo, now)),
    ).rejects.toMatchObject({ code: 'already_decided' })
    expect((await details(yes?.profileId ?? ''))?.leaves).toHaveLength(2)
    await resolve(claim('con_desk', { id: 'b2', name: 'Ana', phones: ['+34600111222'] }, minute(9)))
    expect((await details(no?.profileId ?? ''))?.leaves).toHaveLength(1)
    expect((await suggestions(database.db)).data).toEqual([])
  })

  it('lets a rule set a trait, and says which rule it was', async () => {
    const [ana] = await resolve(claim('con_crm', { id: '1', traits: { tier: 'low' } }))
    const profileId = ana?.profileId ?? ''
    await database.db.transaction().execute(async (trx) => {
      const wanted = [{ profileId, traits: { tier: 'high', seen: 1 }, ruleId: 'vip' }]
      await setTraits(trx, [...wanted, { profileId, traits: { seen: 2 }, ruleId: 'vip' }], now)
      await setTraits(trx, [{ profileId, traits: { late: true }, ruleId: 'vip' }], now)
    })
    const views = await profileViewsFor(database.db, [profileId])
    expect(views.get(profileId)?.traits).toEqual({ tier: 'high', seen: 2, late: true })
    expect(await whyTrait(database.db, profileId, 'tier')).toMatchObject({
      value: 'high',
      rule_id: 'vip',
      others: [{ value: 'low', source: { connection_id: 'con_crm', record: '1' } }],
      merges: [],
    })
    await resolve(claim('con_crm', { id: '1', traits: { tier: 'low' } }, '2026-11-22T13:00:00Z'))
    expect((await profileViewsFor(database.db, [profileId])).get(profileId)?.traits['tier']).toBe('low')
  })

  it('names the merge by which a value came to a profile', async () => {
    const [ana] = await resolve(
      claim('con_crm', { id: '1', emails: ['ana@acme.example'] }),
      claim('con_desk', { id: '9', emails: ['ana@acme.example'], traits: { plan: 'pro' } }),
    )
    expect(await whyTrait(database.db, ana?.rootId ?? '', 'plan')).toMatchObject({
      trait: 'plan',
      value: 'pro',
      source: { connection_id: 'con_desk', record: '9', at: minute(0) },
      rule_id: null,
      merges: [{ actor: 'hub', cause: { evidence: { keys: [{ kind: 'email', value: 'ana@acme.example' }] } } }],
    })
    expect(await whyTrait(database.db, ana?.rootId ?? '', 'nothing')).toBeUndefined()
    expect(await whyTrait(database.db, 'prof_none', 'plan')).toBeUndefined()
  })

  it('searches names, addresses and numbers, page by page', async () => {
    const people = Array.from({ length: 60 }, (_, n) =>
      claim('con_crm', {
        id: `U-${n}`,
        name: `Ana 100%_${n}`,
        emails: [`ana${n}@acme.example`],
        phones: [`+346001112${10 + n}`],
      }),
    )
    await resolve(...people)
    const names = async (text: string) => (await searchProfiles(database.db, text)).data.map((one) => one.name)
    expect(await names('100%_7')).toEqual(['Ana 100%_7'])
    expect(await names('ANA42@')).toEqual(['Ana 100%_42'])
    expect(await names('34600111269')).toEqual(['Ana 100%_59'])
    expect(await names('_')).toHaveLength(50)
    expect(await names('nobody')).toEqual([])
    const first = await searchProfiles(database.db, '')
    const second = await searchProfiles(database.db, '', first.next ?? '')
    expect([first.data.length, second.data.length, second.next]).toEqual([50, 10, null])
    expect(new Set([...first.data, ...second.data].map((one) => one.id)).size).toBe(60)
  })

  it('says which setting it cannot read', async () => {
    await settings({ limits: { email: 0 } })
    await expect(resolve(claim('con_crm', { id: '1' }))).rejects.toThrow(/settings "identity".*limits\.email/)
  })

  it('makes 200 profiles of 200 people who write twenty times at once over three replicas', async () => {
    const replicas = await Promise.all([0, 1, 2].map(() => database.open('test')))
    const batches = Array.from({ length: 20 }, (_, round) =>
      Array.from({ length: 200 }, (_, n) =>
        claim(
          `con_${round % 2}`,
          { ...(round % 4 === 0 ? {} : { id: `U-${n}` }), emails: [`p${n}@acme.example`] },
          minute(round),
        ),
      ),
    )
    await Promise.all(
      batches.map((batch, round) =>
        replicas[round % 3]?.db.transaction().execute(async (trx) => {
          await sql`select pg_advisory_xact_lock(1)`.execute(trx)
          await (await resolvePeople(trx, batch, now)).saved
        }),
      ),
    )
    const roots = await database.db.selectFrom('profiles').select('root_id').distinct().execute()
    expect(roots).toHaveLength(200)
  })

  it('fails one of two writers who forget the lock, rather than making two people of one', async () => {
    const other = await database.open('test')
    const ana = claim('con_crm', { id: '1', emails: ['ana@acme.example'] })
    const writers = await Promise.allSettled(
      [database.db, other.db].map((db) =>
        db.transaction().execute(async (trx) => {
          await sql`select count(*) from person_records`.execute(trx)
          await (await resolvePeople(trx, [ana], now)).saved
        }),
      ),
    )
    expect(await database.db.selectFrom('profiles').select('id').execute()).toHaveLength(1)
    for (const writer of writers)
      if (writer.status === 'rejected') expect(writer.reason).toMatchObject({ code: '23505' })
  })
})
