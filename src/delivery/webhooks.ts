/** Webhooks to free URLs: signed by Standard Webhooks with the workspace's own secret, one rate hold per host. */
import { newWebhookSecret } from '#hub/connections/index.ts'
import { signStandardWebhook } from '#hub/connector/hmac.ts'
import type { Hub } from '#hub/hub.ts'
import { AccountLimits } from '#hub/platform/account-limits.ts'
import { createGuardedAgent, extraHosts } from '#hub/platform/ssrf.ts'
import { guardedWebhookFetch } from '#hub/platform/webhook-call.ts'
import type { LaneScope } from './lane.ts'
import { sealedSetting } from './store.ts'
import type { VendorCall } from './vendor-call.ts'

type WebhookHub = Pick<Hub, 'db' | 'now' | 'secrets'> & { readonly env: Pick<Hub['env'], 'extraHosts'> }

const settingKey = 'webhook_signing_secret'

export function createWebhooks(hub: WebhookHub) {
  const hosts = extraHosts(hub.env.extraHosts)
  const door = { agent: createGuardedAgent({ extraHosts: hosts }), extraHosts: hosts, now: hub.now }
  const limits = new Map<string, AccountLimits>()
  let secret: string | undefined

  function limitsOf(lane: string): AccountLimits {
    const known = limits.get(lane) ?? new AccountLimits(lane, [])
    limits.set(lane, known)
    return known
  }

  return {
    /** @param key the effect's key; receivers know a repetition by it. */
    call(
      lane: string,
      key: string,
      hook: { readonly url: string; readonly body: unknown },
      scope: LaneScope,
    ): VendorCall {
      return {
        effect: 'keyed',
        async run() {
          secret ??= await webhookSigningSecret(hub)
          const body = JSON.stringify(hook.body)
          const signature = signStandardWebhook({ id: key, sentAt: hub.now(), body, secrets: [secret] })
          const headers = { 'content-type': 'application/json', 'user-agent': 'Deskweave', ...signature }
          await guardedWebhookFetch(door, limitsOf(lane), { url: hook.url, headers, body }, scope)
          return {}
        },
      }
    },
    forget(lane: string): void {
      limits.delete(lane)
    },
    close: (): Promise<void> => door.agent.destroy(),
  }
}

/** Signs every webhook to a free URL; receivers check it with any Standard Webhooks library. */
export async function webhookSigningSecret(hub: Pick<Hub, 'db' | 'secrets'>): Promise<string> {
  const sealed = await sealedSetting(hub.db, settingKey, () => hub.secrets.seal(newWebhookSecret(), settingKey))
  return String(hub.secrets.open(sealed, settingKey))
}
