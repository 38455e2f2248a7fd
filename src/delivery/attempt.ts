/** One attempt at one effect: an unclear past is looked into first, a conflict is read again once. Never throws. */
import { ConnectorError } from '#hub/connector/errors.ts'
import type { Result } from './decide.ts'
import type { VendorCall } from './vendor-call.ts'

export async function attempt(call: VendorCall, isUnclear: boolean, signal: AbortSignal): Promise<Result> {
  try {
    if (isUnclear && call.effect === 'probed' && call.find) {
      const receipt = await call.find()
      if (receipt) return { ok: true, receipt }
    }
    return { ok: true, receipt: await runThroughConflict(call) }
  } catch (error) {
    return failure(error, signal)
  }
}

async function runThroughConflict(call: VendorCall) {
  try {
    return await call.run()
  } catch (error) {
    if (!(error instanceof ConnectorError) || error.code !== 'conflict' || !call.afterConflict) throw error
    const again = await call.afterConflict()
    return await again.run()
  }
}

export function failure(error: unknown, signal: AbortSignal): Result {
  if (error instanceof ConnectorError) {
    const { code, message, retryAfterMs } = error
    return { ok: false, code, message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
  }
  const message = error instanceof Error ? error.message : String(error)
  if (signal.aborted) return { ok: false, code: 'outcome_unknown', message: `interrupted: ${message}` }
  // A connector that stumbles would stumble again: a person has to look.
  return { ok: false, code: 'malformed', message: `the connector failed: ${message}`.slice(0, 500) }
}
