import { signHmac } from '#hub/connector/hmac.ts'
import { conformance } from '#kit'
import { acmeDesk } from './connector.ts'
import { profile } from './receive.ts'
import { startSandbox } from './sandbox.ts'

const exampleConfig = { subdomain: 'acme', api_token: 'made-up-token-0001' }
conformance(acmeDesk, new URL('.', import.meta.url), exampleConfig, {
  sandbox: startSandbox,
  sign: (request, secret, now) => signHmac(request, secret, profile, now),
})
