/**
 * In: a case and a time until which nobody wants to see it. Out: events when it is put aside and when it comes back, and a
 * word to whoever has it. Never here: a change of the case itself.
 */
import { z } from 'zod'
import { casesInBrief, type DomainEvent, eventBy } from '#hub/cases/index.ts'
import type { Hub } from '#hub/hub.ts'
import type { Trx } from '#hub/platform/db/database.ts'
import { deleteSnoozes, type Snooze, saveSnooze, snoozeOf } from './store.ts'
import { hubItself, type SnoozeHub, wakeDue } from './wake.ts'

export { type Snooze, snoozedAmong, snoozeOf } from './store.ts'
export { type SnoozeHub, wakeDue } from './wake.ts'

/**
 * Puts a case aside; a later word replaces an earlier one. Under the workspace's lock.
 * @param snooze `by` is the person's name.
 * @returns the events to be followed (none when it is so already), undefined when there is no such case.
 */
export async function snooze(trx: Trx, { caseId, until, by }: Snooze, now: Date) {
  const about = (await casesInBrief(trx, [caseId])).get(caseId)
  if (!about) return undefined
  const before = await snoozeOf(trx, caseId)
  if (before?.until.getTime() === until.getTime()) return []
  await saveSnooze(trx, { caseId, until, by })
  const data = { until: until.toISOString() }
  const once = `${data.until} ${now.toISOString()}`
  return [eventBy({ kind: 'person', name: by }, 'case.snoozed', about, data, once, now)]
}

/** Takes a case back before its time. @returns the events to be followed; none when it was not put aside. */
export async function unsnooze(trx: Trx, caseId: string, by: string, now: Date): Promise<readonly DomainEvent[]> {
  const about = (await casesInBrief(trx, [caseId])).get(caseId)
  const [ended] = await deleteSnoozes(trx, [caseId])
  if (!ended || !about) return []
  const data = { until: ended.until.toISOString() }
  const once = `${data.until} ${now.toISOString()}`
  return [eventBy({ kind: 'person', name: by }, 'case.unsnoozed', about, data, once, now)]
}

/**
 * Ends the snoozes of cases that cannot wait any more: their customer wrote, or they are solved.
 * @returns the events to be followed.
 */
export async function wakeEarly(trx: Trx, caseIds: readonly string[], now: Date): Promise<readonly DomainEvent[]> {
  const ended = await deleteSnoozes(trx, caseIds)
  const cases = await casesInBrief(
    trx,
    ended.map(({ caseId }) => caseId),
  )
  return ended.flatMap(({ caseId, until }) => {
    const about = cases.get(caseId)
    const data = { until: until.toISOString() }
    return about ? eventBy(hubItself, 'case.unsnoozed', about, data, `${data.until} ${now.toISOString()}`, now) : []
  })
}

/** Registers the room's jobs. Call it before the queue starts. */
export async function defineSnoozeJobs(hub: SnoozeHub & Pick<Hub, 'queue'>): Promise<void> {
  await hub.queue.define('snooze.wake', z.object({}), async () => {
    await wakeDue(hub, hub.now())
  })
  await hub.queue.schedule('snooze.wake', { everySeconds: 60 })
}
