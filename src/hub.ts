/** What a running hub is made of. Rooms take the parts they need: `Pick<Hub, 'db' | 'now'>`. */
import type { Pool } from 'pg'
import type { Connections } from '#hub/connections/index.ts'
import type { Log } from '#hub/connector/contract.ts'
import type { Db } from '#hub/platform/db/database.ts'
import type { Env } from '#hub/platform/env.ts'
import type { Metrics } from '#hub/platform/metrics.ts'
import type { Queue } from '#hub/platform/queue.ts'
import type { SecretBox } from '#hub/platform/secret-box.ts'
import type { Signals } from '#hub/platform/signals.ts'

export interface Hub {
  readonly env: Env
  readonly log: Log
  /** The hub's clock: business times come from here, leases and due times from the database's. */
  readonly now: () => Date
  readonly db: Db
  /** What storing input has to itself: an acknowledgement waits for no work, however much there is. */
  readonly intake: Pool
  readonly queue: Queue
  readonly secrets: SecretBox
  readonly metrics: Metrics
  /** "There is work": heard in this process at once, in the others by NOTIFY. */
  readonly signals: Signals
  readonly connections: Connections
}
