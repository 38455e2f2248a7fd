import type { Http } from '#hub/connector/contract.ts'
import { conformance } from '#kit'
import { teams } from './connector.ts'
import { readOrigin } from './read-activity.ts'
import { startSandbox } from './sandbox.ts'
import { publishedKeys, signToken, tokenParts } from './sandbox-keys.ts'

const appId = '0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9'
const tenantId = '2f0e4b7c-5d1a-4c3e-9b8a-1d2c3e4f5a6b'
const example = {
  app_id: appId,
  tenant_id: tenantId,
  client_secret: 'Fixture~client.secret_000000001',
  channels: [
    { channel: '19:8f2b6d4c1a0e4f5b9c7d3e2f1a0b9c8d@thread.tacv2', for: 'cases' },
    { channel: '19:3d4e5f6a7b8c4d9e8f0a1b2c3d4e5f6a@thread.tacv2', for: 'customer', company: 'Globex' },
  ],
}

/** Microsoft's metadata and key list, on whatever host they are asked for. */
const microsoft: Http = {
  async fetch(address) {
    const { origin, pathname } = new URL(address)
    const lists = { issuer: 'https://api.botframework.com', jwks_uri: `${origin}/v1/.well-known/keys` }
    return Response.json(pathname.endsWith('/keys') ? publishedKeys : lists)
  },
  json: () => Promise.reject(new Error('keys are asked for by fetch')),
}

conformance(teams, new URL('.', import.meta.url), example, {
  sandbox: startSandbox,
  publishedKeys: microsoft,
  sign({ body }, _secret, now) {
    const { serviceUrl = '' } = readOrigin(JSON.parse(body.toString('utf8'))) ?? {}
    return { authorization: `Bearer ${signToken(tokenParts({ appId, serviceUrl }, now))}` }
  },
})
