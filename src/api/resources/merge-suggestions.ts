/** Profiles that may be one person: the hub asks, a person decides. */
import { z } from 'zod'
import { acceptSuggestion, dismissSuggestion, profileDetails, suggestions } from '#hub/identity/index.ts'
import { inWorkspace } from '#hub/pipeline/index.ts'
import { audit } from '#hub/platform/db/audit.ts'
import { identityProblem } from '../identity-problem.ts'
import { cutPage, listOf, pageOf } from '../paging.ts'
import { notFound } from '../problem.ts'
import { route } from '../route.ts'
import { byId, Time } from '../wire.ts'
import { Profile, tellMerged, toProfile } from './profiles.ts'

const tag = 'merge suggestions'

const Suggestion = z
  .strictObject({
    id: z.string(),
    profiles: z.array(z.strictObject({ id: z.string(), leaf: z.string(), name: z.string().nullable() })),
    reason: z
      .string()
      .meta({ description: 'Why it was not merged: `unverified`, `parted_before`, `limit`, `names_differ`.' }),
    evidence: z.unknown(),
    created_at: Time,
  })
  .meta({ id: 'MergeSuggestion' })

export const suggestionRoutes = [
  route({
    id: 'listMergeSuggestions',
    method: 'GET',
    path: '/merge-suggestions',
    summary: 'Open questions, newest first',
    tag,
    query: z.strictObject(pageOf(z.tuple([z.string().max(200)]))),
    response: listOf(Suggestion),
    async handler(hub, { query: { limit, cursor } }) {
      return await cutPage(
        limit,
        cursor?.[0],
        (after) => suggestions(hub.db, after),
        (one) => ({ ...one, profiles: [...one.profiles] }),
      )
    },
  }),
  route({
    id: 'acceptMergeSuggestion',
    method: 'POST',
    path: '/merge-suggestions/{id}/accept',
    summary: 'They are one person: merge them',
    tag,
    params: byId,
    response: z.strictObject({ merge_id: z.string(), profile: Profile }),
    async handler(hub, { params, actor }) {
      const merged = await inWorkspace(hub.db, async (trx) => {
        const done = await acceptSuggestion(trx, params.id, { actor }, hub.now()).catch(identityProblem)
        await tellMerged(trx, hub, done, actor)
        return done
      })
      hub.signals.raise('outbox')
      const details = (await profileDetails(hub.db, [merged.keptRoot])).get(merged.keptRoot)
      if (!details) throw notFound()
      return { merge_id: merged.mergeId, profile: toProfile(details) }
    },
  }),
  route({
    id: 'dismissMergeSuggestion',
    method: 'POST',
    path: '/merge-suggestions/{id}/dismiss',
    summary: 'They are two people: the hub does not ask again',
    tag,
    params: byId,
    async handler(hub, { params, actor }) {
      await inWorkspace(hub.db, async (trx) => {
        await dismissSuggestion(trx, params.id).catch(identityProblem)
        await audit(trx, actor, 'merge_suggestion.dismissed', params.id)
      })
    },
  }),
]
