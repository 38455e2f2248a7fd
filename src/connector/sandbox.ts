/**
 * The toolkit for `connectors/<vendor>/sandbox.ts`: a small stateful stand-in of the vendor over real HTTP.
 *
 * In: routes, limits, a way to sign webhooks. Out: a server with a ledger and faults on demand, and a webhook sender.
 * Never here: anything a vendor does that its documentation does not say.
 */
export { seededNumbers } from './sandbox/chance.ts'
export {
  createSandbox,
  type FaultSettings,
  type Faults,
  type LimitState,
  type Sandbox,
  type SandboxAnswer,
  type SandboxCall,
  type SandboxOptions,
  type SandboxOutcome,
  type SandboxRequest,
  type SandboxRoute,
} from './sandbox/server.ts'
export {
  type ChatSandbox,
  isChatSandbox,
  type StartSandbox,
  type VendorSandbox,
  type VendorSandboxOptions,
} from './sandbox/vendor.ts'
export {
  type AttemptResult,
  createWebhooks,
  type Delivery,
  type Hook,
  type Mischief,
  type SignedPost,
  type WebhookCounters,
  type WebhookFaults,
  type WebhookOptions,
  type Webhooks,
} from './sandbox/webhooks.ts'
