/** The sandbox's jobs, the merge and the bulk update: each is done when it is first looked at. */
import { z } from 'zod'
import type { SandboxRoute } from '#hub/connector/sandbox.ts'
import { type Desk, DeskRefusal } from './sandbox-desk.ts'
import { bodyOf, idOf, json, type Route } from './sandbox-route.ts'

const Merge = z.object({
  ids: z.array(z.union([z.string(), z.number().int()]).transform(String)),
  source_comment: z.string(),
  target_comment: z.string(),
  source_comment_is_public: z.boolean(),
  target_comment_is_public: z.boolean(),
})

/** Of the bulk update only what may be done to closed tickets too. */
const BulkUpdate = z.object({
  ticket: z.strictObject({ additional_tags: z.array(z.string()), remove_tags: z.array(z.string()) }),
})

export function jobRoutes({ desk, actorId }: { readonly desk: Desk; readonly actorId: string }, route: Route) {
  const jobs = new Map<string, () => void>()
  const jobJson = (id: string, status: string, results: object[] | null) => {
    return json({ job_status: { id, status, total: 1, progress: 1, message: null, results } })
  }
  return [
    ...route(
      'POST',
      '/tickets/:id/merge',
      (request) => {
        const target = desk.ticket(idOf(request))
        const given = Merge.parse(bodyOf(request))
        const sources = given.ids.map((id) => desk.ticket(id))
        const id = `job${jobs.size + 1}`
        const comments = {
          source: { body: given.source_comment, isPublic: given.source_comment_is_public },
          target: { body: given.target_comment, isPublic: given.target_comment_is_public },
        }
        jobs.set(id, () => {
          for (const source of sources) desk.merge(actorId, source, target, comments)
        })
        return jobJson(id, 'queued', null)
      },
      'ticket_update',
    ),
    ...route(
      'PUT',
      '/tickets/update_many',
      (request) => {
        const { ticket: tags } = BulkUpdate.parse(bodyOf(request))
        const tickets = (request.query.get('ids') ?? '').split(',').map((id) => desk.ticket(id))
        const id = `job${jobs.size + 1}`
        jobs.set(id, () => {
          const patch = { addTags: tags.additional_tags, removeTags: tags.remove_tags, inBulk: true } as const
          for (const ticket of tickets) desk.update(actorId, ticket, patch)
        })
        return jobJson(id, 'queued', null)
      },
      'ticket_update',
    ),
    ...route('GET', '/job_statuses/:id', (request): ReturnType<typeof json> => {
      const work = jobs.get(idOf(request))
      if (!work) throw new DeskRefusal(404, 'RecordNotFound', 'Not found')
      jobs.set(idOf(request), () => {})
      try {
        work()
        return jobJson(idOf(request), 'completed', [{ success: true }])
      } catch (error) {
        if (!(error instanceof DeskRefusal)) throw error
        return jobJson(idOf(request), 'completed', [{ success: false, error: error.error, details: error.message }])
      }
    }),
  ] satisfies SandboxRoute[]
}
