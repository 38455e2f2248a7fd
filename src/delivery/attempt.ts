/** One attempt at one effect: an unclear past is looked into first, a conflict is read again once. Never throws. */

import type { EffectClass, Receipt } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { Result } from './decide.ts'
import type { VendorCall } from './vendor-call.ts'

export interface Attempted {
  readonly result: Result
  /** How the next lost answer is settled: a look that can no longer tell makes a probed call an at-least-once one. */
  readonly effect: EffectClass
}

export async function attempt(call: VendorCall, isUnclear: boolean, signal: AbortSignal): Promise<Attempted> {
  let { effect } = call
  const run = async (): Promise<Receipt> => {
    const found = isUnclear && effect === 'probed' ? await call.find?.() : undefined
    if (found === 'unknown') effect = 'at_least_once'
    else if (found) return found
    return await runThroughConflict(call)
  }
  try {
    return { result: { ok: true, receipt: await run() }, effect }
  } catch (error) {
    return { result: failure(error, signal), effect }
  }
}

async function runThroughConflict(call: VendorCall): Promise<Receipt> {
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
