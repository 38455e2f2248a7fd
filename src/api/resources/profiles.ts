/** People: found by any identity, with the source of every value; merged and parted by hand. */
import { z } from 'zod'
import { eventId } from '#hub/cases/index.ts'
import {
  findByIdentity,
  type Merged,
  mergeProfiles,
  mergesOf,
  type ProfileDetails,
  profileDetails,
  searchProfiles,
  unmerge,
  whyTrait,
} from '#hub/identity/index.ts'
import { publish } from '#hub/pipeline/command.ts'
import { inWorkspace } from '#hub/pipeline/index.ts'
import { audit } from '#hub/platform/db/audit.ts'
import type { Db, Trx } from '#hub/platform/db/database.ts'
import type { ApiHub } from '../hub.ts'
import { identityProblem } from '../identity-problem.ts'
import { cutPage, listOf, pageOf, timeKey, toPage } from '../paging.ts'
import { notFound, Problem } from '../problem.ts'
import { route } from '../route.ts'
import { type TimelineKey, timelineKeys, timelineRows } from '../store/timeline.ts'
import { byId, Id, MaybeTime, maybeTime, Time, Traits, time } from '../wire.ts'
import { Message, toMessage } from './cases.ts'
import { Event, toEvent } from './events.ts'

const tag = 'profiles'

const Source = z
  .strictObject({
    connection_id: z.string().meta({ description: 'A connection, or `hub` for what a rule set.' }),
    record: z.string().meta({ description: "The vendor's id of the record." }),
    at: Time,
  })
  .meta({ id: 'TraitSource' })
const Sourced = z.strictObject({ value: z.unknown(), source: Source })
const Trait = z
  .strictObject({
    value: z.unknown(),
    source: Source,
    others: z.array(Sourced).meta({ description: 'What other records say, best first.' }),
  })
  .meta({ id: 'Trait' })

const profile = {
  id: z.string(),
  name: z.string().nullable(),
  identities: z.array(
    z.strictObject({
      kind: z.enum(['email', 'phone', 'external']),
      value: z.string(),
      connection_id: z.string().optional().meta({ description: "For a vendor's id: whose." }),
      verified: z.boolean(),
    }),
  ),
  traits: z.record(z.string(), Trait),
  company: z
    .strictObject({ id: z.string(), name: z.string().nullable(), domain: z.string().nullable(), traits: Traits })
    .nullable(),
  open_cases: z.int(),
  leaves: z.array(z.string()).meta({ description: 'The profiles that are one now; each stays what it was.' }),
  created_at: Time,
  updated_at: Time,
}
export const Profile = z.strictObject(profile).meta({ id: 'Profile' })

const Merge = z
  .strictObject({
    id: z.string(),
    kept_id: z.string(),
    merged_id: z.string(),
    cause: z.unknown().meta({ description: 'The evidence, or a person’s reason.' }),
    actor: z.string(),
    merged_at: Time,
    undone_at: MaybeTime,
    undone_by: z.string().nullable(),
  })
  .meta({ id: 'Merge' })
const ProfileWithMerges = z.strictObject({ ...profile, merges: z.array(Merge) }).meta({ id: 'ProfileWithMerges' })

const TimelineItem = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('event'), at: Time, event: Event }),
    z.strictObject({ kind: z.literal('message'), at: Time, message: Message }),
    z.strictObject({
      kind: z.literal('survey'),
      at: Time,
      survey: z.strictObject({
        invitation_id: z.string(),
        survey_id: z.string(),
        case_id: z.string(),
        state: z.string(),
        reason: z.string().nullable(),
        score: z.int().nullable(),
        comment: z.string().nullable(),
        answered_at: MaybeTime,
      }),
    }),
  ])
  .meta({ id: 'TimelineItem' })

export function toProfile(details: ProfileDetails): z.input<typeof Profile> {
  return {
    ...details,
    identities: [...details.identities],
    traits: Object.fromEntries(
      Object.entries(details.traits).map(([name, { value, source, others }]) => [
        name,
        { value, source, others: others.map((other) => ({ value: other.value, source: other.source })) },
      ]),
    ),
    company: details.company && {
      id: details.company.id,
      name: details.company.name,
      domain: details.company.domain,
      traits: details.company.traits,
    },
    leaves: [...details.leaves],
  }
}

async function oneProfile(db: Db, id: string): Promise<z.input<typeof Profile>> {
  const details = (await profileDetails(db, [id])).get(id)
  if (!details) throw notFound()
  return toProfile(details)
}

/** What a person joined is told as an event, like what the hub joins; rules may listen to it. */
export async function tellMerged(trx: Trx, hub: ApiHub, merged: Merged, actor: string): Promise<void> {
  const { mergeId, keptRoot, mergedRoot } = merged
  await publish(trx, hub, hub.rules, [
    {
      id: eventId('profile.merged', mergeId),
      type: 'profile.merged',
      profileId: keptRoot,
      actor: { kind: 'person', name: actor },
      data: { keptRoot, mergedRoot, mergeId },
      cause: { actor, depth: 0 },
      occurredAt: hub.now(),
    },
  ])
  await audit(trx, actor, 'profile.merged', keptRoot, { merged: mergedRoot, merge_id: mergeId })
}

async function timelineItems(hub: ApiHub, keys: readonly TimelineKey[]) {
  const { events, messages, surveys } = await timelineRows(hub.db, keys)
  const eventOf = new Map(events.map((row) => [row.seq, row]))
  const messageOf = new Map(messages.map((row) => [row.id, row]))
  const surveyOf = new Map(surveys.map((row) => [row.id, row]))
  return (key: TimelineKey): z.input<typeof TimelineItem> => {
    const at = time(key.at)
    const event = key.kind === 'event' ? eventOf.get(Number(key.id)) : undefined
    if (event) return { kind: 'event', at, event: toEvent(event) }
    const message = key.kind === 'message' ? messageOf.get(key.id) : undefined
    if (message) return { kind: 'message', at, message: toMessage(message) }
    const survey = key.kind === 'survey' ? surveyOf.get(key.id) : undefined
    if (!survey) throw new Error(`the ${key.kind} ${key.id} went away while the timeline was read; ask again`)
    return {
      kind: 'survey',
      at,
      survey: {
        invitation_id: survey.id,
        survey_id: survey.survey_id,
        case_id: survey.case_id,
        state: survey.state,
        reason: survey.reason,
        score: survey.score,
        comment: survey.comment,
        answered_at: maybeTime(survey.answered_at),
      },
    }
  }
}

export const profileRoutes = [
  route({
    id: 'listProfiles',
    method: 'GET',
    path: '/profiles',
    summary: 'Profiles, newest first; by `identity` the one that has it',
    tag,
    query: z
      .strictObject({
        ...pageOf(z.tuple([z.string().max(200)])),
        identity: z
          .string()
          .regex(/^[^:]{1,100}:.{1,500}$/s, 'write email:…, phone:… or <connection id>:<their id>')
          .optional()
          .meta({ description: '`email:`, `phone:` or `<connection id>:<their id>`.' }),
        q: z.string().min(1).max(200).optional().meta({
          description: 'Part of a name, or the beginning of an address or number.',
        }),
      })
      .refine(({ identity, q }) => identity === undefined || q === undefined, 'give identity or q, not both'),
    response: listOf(Profile),
    async handler(hub, { query: { limit, cursor, identity, q } }) {
      if (identity !== undefined) {
        const root = await findByIdentity(hub.db, identity)
        return { data: root === undefined ? [] : [await oneProfile(hub.db, root)], next: null }
      }
      return await cutPage(limit, cursor?.[0], (after) => searchProfiles(hub.db, q ?? '', after), toProfile)
    },
  }),
  route({
    id: 'getProfile',
    method: 'GET',
    path: '/profiles/{id}',
    summary: 'One profile, with the source of every value and what was merged into it',
    tag,
    params: byId,
    response: ProfileWithMerges,
    async handler(hub, { params }) {
      const profile = await oneProfile(hub.db, params.id)
      return { ...profile, merges: [...(await mergesOf(hub.db, params.id))] }
    },
  }),
  route({
    id: 'getProfileTimeline',
    method: 'GET',
    path: '/profiles/{id}/timeline',
    summary: 'Everything that happened around a person over all tools, newest first',
    tag,
    params: byId,
    query: z.strictObject(pageOf(timeKey)),
    response: listOf(TimelineItem),
    async handler(hub, { params, query: { limit, cursor } }) {
      if (!(await profileDetails(hub.db, [params.id])).has(params.id)) throw notFound()
      const keys = await timelineKeys(hub.db, params.id, { limit, after: cursor })
      const toItem = await timelineItems(hub, keys.slice(0, limit))
      return toPage(keys, limit, (key) => [key.us, key.id], toItem)
    },
  }),
  route({
    id: 'explainTrait',
    method: 'GET',
    path: '/profiles/{id}/why',
    summary: 'Why a trait has its value: the record, the time, the rule, the merges behind it',
    tag,
    params: byId,
    query: z.strictObject({ trait: Id }),
    response: z.strictObject({
      trait: z.string(),
      value: z.unknown(),
      source: Source,
      others: z.array(Sourced),
      rule_id: z.string().nullable(),
      merges: z.array(Merge),
    }),
    async handler(hub, { params, query }) {
      const reason = await whyTrait(hub.db, params.id, query.trait)
      if (!reason) throw notFound()
      const { trait, value, source, others, rule_id } = reason
      return {
        trait,
        value,
        source,
        others: others.map((other) => ({ value: other.value, source: other.source })),
        rule_id,
        merges: [...reason.merges],
      }
    },
  }),
  route({
    id: 'mergeProfiles',
    method: 'POST',
    path: '/profiles/{id}/merge',
    summary: 'Say that two profiles are one person; it can be undone exactly',
    tag,
    params: byId,
    body: z.strictObject({ with: Id, reason: z.string().trim().min(1).max(500).default('a person said so') }),
    response: z.strictObject({ merge_id: z.string(), profile: Profile }),
    async handler(hub, { params, body, actor }) {
      const merged = await inWorkspace(hub.db, async (trx) => {
        const by = { actor, reason: body.reason }
        const done = await mergeProfiles(trx, params.id, body.with, by, hub.now()).catch(identityProblem)
        await tellMerged(trx, hub, done, actor)
        return done
      })
      hub.signals.raise('outbox')
      return { merge_id: merged.mergeId, profile: await oneProfile(hub.db, merged.keptRoot) }
    },
  }),
  route({
    id: 'unmergeProfile',
    method: 'POST',
    path: '/profiles/{id}/unmerge',
    summary: 'Undo a merge: both profiles are again what they would be without it, and are not joined by the hub again',
    tag,
    params: byId,
    body: z.strictObject({ merge_id: Id }),
    response: z.strictObject({ profiles: z.array(Profile) }),
    async handler(hub, { params, body, actor }) {
      await oneProfile(hub.db, params.id)
      const roots = await inWorkspace(hub.db, async (trx) => {
        const merges = await mergesOf(trx, params.id)
        if (!merges.some(({ id }) => id === body.merge_id)) {
          throw new Problem('invalid', `merge_id: "${body.merge_id}" is no merge of this profile; see its merges`, {
            field: 'merge_id',
          })
        }
        const parted = await unmerge(trx, body.merge_id, { actor }, hub.now()).catch(identityProblem)
        await audit(trx, actor, 'profile.unmerged', params.id, { merge_id: body.merge_id, roots: parted.roots })
        return parted.roots
      })
      return { profiles: await Promise.all([...new Set(roots)].map((root) => oneProfile(hub.db, root))) }
    },
  }),
]
