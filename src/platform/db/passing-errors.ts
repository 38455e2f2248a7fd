/** Which database errors pass by themselves, so that the whole work is tried again, and nobody's row is to blame. */
const passing = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '25006', // read_only_sql_transaction: a failover
  '25P03', // idle_in_transaction_session_timeout: this process was paused
  '53300', // too_many_connections
  '55P03', // lock_not_available
  '57014', // query_canceled: statement_timeout
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
])
const brokenConnection =
  /ECONNREFUSED|ECONNRESET|EPIPE|ENOENT|ETIMEDOUT|Connection terminated|connection timeout|timeout exceeded when trying to connect|not queryable/i
/** A newer hub has changed a table under a prepared statement; see prepared-statements.ts. */
export const stalePlan = 'cached plan must not change result type'

export function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? String(error.code) : ''
  if (error.message === stalePlan) return true
  return passing.has(code) || code.startsWith('08') || brokenConnection.test(`${code} ${error.message}`)
}
