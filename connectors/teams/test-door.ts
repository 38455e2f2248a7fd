/** A guarded door for tests: it answers by a function and writes down what was called. */

import type { HttpInit } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { Teams } from './client.ts'
import { config } from './config.ts'

export const appId = '0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9'
export const tenantId = '2f0e4b7c-5d1a-4c3e-9b8a-1d2c3e4f5a6b'
export const settings = { app_id: appId, tenant_id: tenantId, client_secret: 'Test~client.secret_000000000001' }

export interface Called extends HttpInit {
  readonly url: string
}

/** @param answer to everything but the token service, which gives `token-1`, `token-2`, … for an hour. */
export function testDoor(answer: (call: Called) => Response, more: Readonly<Record<string, unknown>> = {}) {
  const calls: Called[] = []
  const clock = { now: new Date('2026-11-20T10:15:30Z') }
  let tokens = 0
  const ctx: Teams = {
    config: config.parse({ ...settings, ...more }),
    now: () => clock.now,
    http: {
      async fetch(address, init = {}) {
        const call = { ...init, url: String(address) }
        calls.push(call)
        if (!call.url.includes('/oauth2/')) return answer(call)
        tokens += 1
        return Response.json({ token_type: 'Bearer', expires_in: 3_600, access_token: `token-${tokens}` })
      },
      json: () => Promise.reject(new Error('not used')),
    },
    net: {
      resolve: () => Promise.reject(new ConnectorError('host_refused', 'no sockets')),
      spend: () => Promise.reject(new ConnectorError('host_refused', 'no sockets')),
    },
    log: { debug() {}, info() {}, warn() {}, error() {} },
    installations: { list: async () => [], get: async () => undefined, put: async () => {}, remove: async () => {} },
    signal: new AbortController().signal,
  }
  const authorizations = () =>
    calls.filter(({ url }) => !url.includes('/oauth2/')).map(({ headers }) => headers?.['authorization'])
  return { ctx, calls, clock, authorizations, asked: () => tokens }
}
