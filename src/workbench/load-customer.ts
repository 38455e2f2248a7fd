/** What the customer card shows, over all tools and merged profiles. */
import { type TimelineKey, timelineKeys, timelineRows } from '#hub/api/store/timeline.ts'
import { profileDetails } from '#hub/identity/index.ts'
import { byUrgency } from './case-line.ts'
import { type CardSources, loadRows, nameOf } from './load-rows.ts'
import type { ShownCustomer, ShownStep } from './shown.ts'
import * as store from './store.ts'

const scoresTold = 5
const stepsTold = 10
const traitsTold = 20

/** @param id of a profile, also of one that was merged. */
export async function loadCustomer(hub: CardSources, id: string): Promise<ShownCustomer | undefined> {
  const profile = (await profileDetails(hub.db, [id])).get(id)
  if (!profile) return undefined
  const { leaves, company } = profile
  const [open, scores, journey] = await Promise.all([
    store.openCasesFrom(hub.db, leaves),
    store.scoresOf(hub.db, leaves, scoresTold),
    loadJourney(hub, id),
  ])
  const plan = company?.traits['plan']
  return {
    id: profile.id,
    name: profile.name,
    identities: profile.identities.map(({ kind, value, verified, connection_id }) => ({
      kind,
      value,
      isVerified: verified,
      tool: connection_id === undefined ? null : nameOf(hub, connection_id),
    })),
    company: company && { name: company.name, domain: company.domain, plan: plan ? String(plan) : null },
    traits: Object.entries(profile.traits)
      .filter(([name, { value }]) => !ownTraits.has(name) && value !== null && value !== '')
      .slice(0, traitsTold)
      .map(([name, { value, source }]) => ({
        name,
        value: Array.isArray(value) ? value.join(', ') : String(value),
        source: nameOf(hub, source.connection_id),
      })),
    openCases: (await loadRows(hub, open)).toSorted(byUrgency),
    scores: scores.map(({ scale, score, comment, answered_at }) => ({
      scale,
      score,
      comment,
      at: answered_at.toISOString(),
    })),
    journey,
  }
}

/** Shown on the card in places of their own. */
const ownTraits = new Set(['name', 'emails', 'phones'])

const steps: Readonly<Record<string, ShownStep['kind']>> = {
  'case.created': 'created',
  'case.solved': 'solved',
  'case.reopened': 'reopened',
  'case.closed': 'closed',
  'rating.received': 'scored',
  'profile.merged': 'merged',
}

/** What a customer went through: public things only, and never what was said. */
async function loadJourney({ db }: CardSources, profileId: string): Promise<readonly ShownStep[]> {
  const keys = await timelineKeys(db, profileId, { limit: 100 })
  const { events, messages, surveys } = await timelineRows(db, keys)
  const found = new Map<string, Omit<ShownStep, 'subject'> & { readonly caseId: string | null }>()
  for (const event of events) {
    const kind = steps[event.type]
    const at = event.occurred_at.toISOString()
    if (kind) found.set(keyOf('event', event.seq), { kind, at, caseId: event.case_id })
  }
  for (const { id, case_id, author, visibility, sent_at } of messages) {
    if (visibility !== 'public' || author.kind === 'system') continue
    const kind = author.kind === 'customer' ? 'wrote' : 'answered'
    found.set(keyOf('message', id), { kind, at: sent_at.toISOString(), caseId: case_id })
  }
  for (const { id, case_id, sent_at, answered_at } of surveys) {
    const at = answered_at ?? sent_at
    if (at)
      found.set(keyOf('survey', id), { kind: answered_at ? 'scored' : 'asked', at: at.toISOString(), caseId: case_id })
  }
  const told = keys.flatMap((key) => found.get(keyOfTimeline(key)) ?? []).slice(0, stepsTold)
  const subjects = await store.selectRows(
    db,
    told.flatMap(({ caseId }) => caseId ?? []),
  )
  const subjectOf = new Map(subjects.map(({ id, subject }) => [id, subject]))
  return told.map(({ kind, at, caseId }) => ({ kind, at, subject: subjectOf.get(caseId ?? '') ?? null }))
}

const keyOf = (kind: TimelineKey['kind'], id: string | number) => `${kind}:${id}`
const keyOfTimeline = ({ kind, id }: TimelineKey) => keyOf(kind, kind === 'event' ? Number(id) : id)
