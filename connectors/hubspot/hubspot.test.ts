import { signHmac } from '#hub/connector/hmac.ts'
import { conformance } from '#kit'
import { hubspot } from './connector.ts'
import { signature, signedUrl } from './receive.ts'
import { startSandbox } from './sandbox.ts'

const exampleConfig = {
  access_token: 'pat-example-access-token-1',
  webhook_secret: '11111111-2222-4333-8444-555555555555',
  portal_id: '424242',
  hub_app_id: '31337',
}

conformance(hubspot, new URL('.', import.meta.url), exampleConfig, {
  sandbox: startSandbox,
  sign: ({ method, url, body }, secret, now) => signHmac({ method, url: signedUrl(url), body }, secret, signature, now),
})
