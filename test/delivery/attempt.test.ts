import { describe, expect, it } from 'vitest'
import type { Receipt } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { attempt as attempted } from '#hub/delivery/attempt.ts'
import type { VendorCall } from '#hub/delivery/vendor-call.ts'

const calm = new AbortController().signal
const sent: Receipt = { externalId: 'sent' }
const found: Receipt = { externalId: 'found' }

function call(parts: Partial<VendorCall>): VendorCall {
  return { effect: 'probed', run: async () => sent, ...parts }
}
const failing = (error: unknown) => async () => {
  throw error
}

const attempt = async (...given: Parameters<typeof attempted>) => (await attempted(...given)).result

describe('attempt', () => {
  it('looks before it repeats an unclear call, and only then', async () => {
    const probed = call({ find: async () => found })
    expect(await attempt(probed, true, calm)).toEqual({ ok: true, receipt: found })
    expect(await attempt(probed, false, calm)).toEqual({ ok: true, receipt: sent })
  })

  it('sends what the look did not find', async () => {
    expect(await attempt(call({ find: async () => undefined }), true, calm)).toEqual({ ok: true, receipt: sent })
  })

  it('sends after a look that can no longer tell, and says that it may be the second time', async () => {
    const blind = call({ find: async () => 'unknown' as const })
    expect(await attempted(blind, true, calm)).toEqual({ result: { ok: true, receipt: sent }, effect: 'at_least_once' })
    expect(await attempted(blind, false, calm)).toEqual({ result: { ok: true, receipt: sent }, effect: 'probed' })
  })

  it('does not send when the look fails', async () => {
    const blind = call({
      find: failing(new ConnectorError('unavailable', 'down')),
      run: failing(new Error('was sent')),
    })
    expect(await attempt(blind, true, calm)).toEqual({ ok: false, code: 'unavailable', message: 'down' })
  })

  it('tries once more on what the vendor holds now after a conflict', async () => {
    const conflict = new ConnectorError('conflict', 'changed')
    const stale = call({ run: failing(conflict), afterConflict: async () => call({}) })
    expect(await attempt(stale, false, calm)).toEqual({ ok: true, receipt: sent })
    const always = call({ run: failing(conflict), afterConflict: async () => call({ run: failing(conflict) }) })
    expect(await attempt(always, false, calm)).toMatchObject({ code: 'conflict' })
  })

  it('takes an unforeseen error for a mistake of the connector, unless the hub itself cut the call off', async () => {
    const stumbling = call({ run: failing(new TypeError('x is undefined')) })
    expect(await attempt(stumbling, false, calm)).toMatchObject({
      code: 'malformed',
      message: 'the connector failed: x is undefined',
    })
    expect(await attempt(stumbling, false, AbortSignal.abort())).toMatchObject({ code: 'outcome_unknown' })
  })
})
