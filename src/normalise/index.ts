/**
 * In: claimed inbox rows. Out: for each, its observations, or why there are none. Pointers are followed here, in batches
 * and before any transaction opens. Never here: what an observation changes.
 */
import { meet } from '#hub/chat/index.ts'
import { inboundContext, type LoadedConnection } from '#hub/connections/index.ts'
import type { ChatHappening } from '#hub/connector/chat.ts'
import { ConnectorError, reaction, UnreadableInput } from '#hub/connector/errors.ts'
import type { Observation } from '#hub/connector/facts.ts'
import { checkTimes } from '#hub/connector/times.ts'
import type { Hub } from '#hub/hub.ts'
import { isUnreadable } from '#hub/inbox/index.ts'
import { isPassing } from '#hub/platform/db/passing-errors.ts'
import { clean } from './clean.ts'
import { followPointers } from './follow-pointers.ts'
import { withNamedFiles } from './name-files.ts'
import { withSource } from './sources.ts'

export interface InboxRow {
  readonly seq: number
  readonly connection_id: string
  readonly dedupe_key: string
  readonly source: 'webhook' | 'reconcile'
  readonly body: Buffer
  readonly attempts: number
}

export type Fact = Exclude<Observation, { type: 'pointer' }> & ReadByHub

/** What a tool tells of cases and people; what happens in a chat tool is another matter. */
export type CaseFact = Exclude<Fact, { type: 'chat' }>

/** What the hub read itself: when it began to, by its own clock (ISO 8601 UTC). */
export interface ReadByHub {
  readonly readAt?: string
}

export type Reading =
  | { readonly row: InboxRow; readonly connection: LoadedConnection; readonly facts: readonly Fact[] }
  /** `quarantined`: kept for a person to look at. `retry`: the vendor could not be read now. */
  | {
      readonly row: InboxRow
      readonly failed: 'quarantined' | 'retry'
      readonly reason: string
      readonly retryAfterMs?: number
    }

export async function readInbox(
  hub: Pick<Hub, 'log' | 'now' | 'db' | 'connections'>,
  rows: readonly InboxRow[],
  signal: AbortSignal,
): Promise<readonly Reading[]> {
  const byConnection = Map.groupBy(rows, (row) => row.connection_id)
  const readings = await Promise.all(
    [...byConnection].map(([connectionId, own]) => readConnection(hub, connectionId, own, signal)),
  )
  const bySeq = new Map(readings.flat().map((reading) => [reading.row.seq, reading]))
  return rows.flatMap((row) => bySeq.get(row.seq) ?? [])
}

async function readConnection(
  hub: Pick<Hub, 'log' | 'now' | 'db' | 'connections'>,
  connectionId: string,
  rows: readonly InboxRow[],
  signal: AbortSignal,
): Promise<readonly Reading[]> {
  const connection = await hub.connections.byId(connectionId)
  if (!connection) return rows.map((row) => ({ row, failed: 'quarantined', reason: 'its connection was removed' }))
  let observed = await Promise.all(rows.map((row) => observe(row, connection, hub.now)))
  try {
    observed = await withKnownPeople(hub, connection, observed, signal)
    observed = await withNamedFiles(
      connection,
      observed,
      (within) => hub.connections.contextFor(connection, within),
      signal,
    )
    return await followPointers(observed, connection, hub.connections.contextFor(connection, signal))
  } catch (error) {
    // Our own database was busy: the vendor is well, and the record is not to blame.
    if (isPassing(error)) return observed.map((one) => ('failed' in one ? one : again(one.row, error)))
    await hub.connections.reportFailure(connection.id, error)
    return observed.map((one) => ('failed' in one ? one : afterFailedRead(one.row, error)))
  }
}

/** What somebody did of whom nothing can be told now waits; what others did does not. */
async function withKnownPeople(
  hub: Pick<Hub, 'now' | 'db' | 'connections'>,
  connection: LoadedConnection,
  observed: readonly Observed[],
  signal: AbortSignal,
): Promise<Observed[]> {
  const happenings = observed.flatMap((one) => ('failed' in one ? [] : one.observations.flatMap(happeningIn)))
  if (happenings.length === 0) return [...observed]
  const context = () => hub.connections.contextFor(connection, signal, { priority: 'person' })
  const unknown = await meet(hub.db, connection, happenings, context, hub.now())
  const [error] = unknown.values()
  if (error !== undefined) await hub.connections.reportFailure(connection.id, error)
  return observed.map((one) => {
    if ('failed' in one) return one
    const user = one.observations.flatMap(happeningIn).find((happening) => unknown.has(happening.user))?.user
    return user === undefined ? one : afterFailedRead(one.row, unknown.get(user))
  })
}

function happeningIn(observation: Observation): readonly ChatHappening[] {
  return observation.type === 'chat' ? [observation.happening] : []
}

export type Observed = { readonly row: InboxRow; readonly observations: readonly (Observation & ReadByHub)[] } | NotRead

async function observe(row: InboxRow, connection: LoadedConnection, now: () => Date): Promise<Observed> {
  try {
    // Reconciliation stores what it read, already in the hub's words.
    if (row.source === 'reconcile') {
      if (isUnreadable(row.dedupe_key)) throw new UnreadableInput(cannotBeRead)
      const stored = clean(JSON.parse(row.body.toString()) as Observation & ReadByHub)
      checkTimes([stored], now())
      const sourced = withSource(stored, connection.id)
      return { row, observations: [row.attempts === 0 ? sourced : readAnew(sourced, connection)] }
    }
    const { receive } = connection.connector.can
    if (!receive) throw new UnreadableInput(`connector ${connection.connector.manifest.id} receives no webhooks`)
    const item = { key: row.dedupe_key, body: row.body.toString() }
    const observations = clean(await receive.normalise(item, inboundContext(connection, now)))
    checkTimes(observations, now())
    return { row, observations: observations.map((one) => withSource(one, connection.id)) }
  } catch (error) {
    return { row, failed: 'quarantined', reason: messageOf(error) }
  }
}

const cannotBeRead =
  'the vendor holds a record that its connector cannot read: a replay reads the same bytes; look at them, and write down by hand what matters'

/** By the second try a case that reconciliation read has aged. */
function readAnew(stored: Observation & ReadByHub, connection: LoadedConnection): Observation & ReadByHub {
  if (stored.type !== 'case' || stored.case.deleted || !connection.connector.can.readCases) return stored
  const { occurredAt, byHub, case: facts } = stored
  return { occurredAt, byHub, type: 'pointer', entity: 'case', id: facts.id }
}

export type NotRead = Extract<Reading, { failed: string }>

const again = (row: InboxRow, error: unknown): NotRead => ({ row, failed: 'retry', reason: messageOf(error) })

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

function afterFailedRead(row: InboxRow, error: unknown): NotRead {
  const reason = messageOf(error)
  if (!(error instanceof ConnectorError) || reaction[error.code] === 'dead_letter') {
    return { row, failed: 'quarantined', reason }
  }
  return {
    row,
    failed: 'retry',
    reason,
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
  }
}
