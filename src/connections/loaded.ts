/** One connection as the hub works with it: its connector's code, its settings, its secrets, its account's budgets. */
import { z } from 'zod'
import type { Connector, Context, InboundContext, Installations, Log } from '#hub/connector/contract.ts'
import type { AccountLimits, Priority } from '#hub/platform/account-limits.ts'
import type { ConnectionStatus } from '#hub/platform/db/schema.ts'
import { type Account, createOutboundHttp, outboundAccount } from '#hub/platform/outbound-http.ts'
import { createOutboundNet } from '#hub/platform/outbound-net.ts'
import { redactor } from '#hub/platform/redact-text.ts'
import type { SecretBox } from '#hub/platform/secret-box.ts'
import type { ExtraHosts, GuardedAgent } from '#hub/platform/ssrf.ts'
import { noInstallations } from './installations.ts'
import { joinConfig, type SecretField, secretTexts } from './secret-fields.ts'
import type { ConnectionRow } from './store.ts'
import { activeSecrets, WebhookSecret } from './webhook-secret.ts'

export interface LoadedConnection {
  readonly id: string
  readonly name: string
  readonly status: ConnectionStatus
  readonly connector: Connector
  /** As the connector's schema gives it. */
  readonly config: unknown
  /** Those good at `now`, the newest first. */
  webhookSecrets(now: Date): readonly string[]
  /** Where its app is installed, for connectors that keep such places. */
  readonly installed?: () => ReadonlySet<string>
  readonly door: Door
}

/** What its receiving code may use. */
export function inboundContext(
  { config, installed }: Pick<LoadedConnection, 'config' | 'installed'>,
  now: () => Date,
): InboundContext<unknown> {
  return { config, now, ...(installed ? { installed: installed() } : {}) }
}

/** What the connector's calls go through. */
export interface Door {
  readonly log: Log
  readonly redact: (text: string) => string
  /** More secrets to take out of logs and errors: tokens that came after the settings. */
  hide(secrets: readonly string[]): void
  /** Made at the first call. @throws ConnectorError host_refused */
  account(): Account
}

export const Sealed = z.object({
  config: z.array(z.object({ path: z.array(z.string()), value: z.unknown() })),
  webhook: z.array(WebhookSecret),
})
export interface Sealed {
  readonly config: readonly SecretField[]
  readonly webhook: readonly WebhookSecret[]
}

/** Sealed values open for their connection in their workspace only. */
export function placeOf(workspaceId: string, connectionId: string): string {
  return `connection|${workspaceId}|${connectionId}`
}

export interface Surroundings {
  readonly agent: GuardedAgent
  readonly extraHosts: ExtraHosts
  readonly log: Log
  readonly now: () => Date
}

/** @throws Error when its secrets cannot be opened or its settings no longer fit the connector. */
export function openConnection(
  row: ConnectionRow,
  connector: Connector,
  box: SecretBox,
  workspaceId: string,
  limits: AccountLimits,
  around: Surroundings,
  installed: () => ReadonlySet<string>,
): LoadedConnection {
  const sealed = Sealed.parse(box.open(row.sealed, placeOf(workspaceId, row.id)))
  const config = parseConfig(connector, joinConfig(row.config, sealed.config))
  return {
    id: row.id,
    name: row.name,
    status: row.status,
    connector,
    config,
    webhookSecrets: (now) => activeSecrets(sealed.webhook, now),
    ...(connector.can.install ? { installed } : {}),
    door: doorOf(row.id, connector, config, sealed, limits, around),
  }
}

export function doorOf(
  id: string,
  connector: Connector,
  config: unknown,
  sealed: Sealed,
  limits: AccountLimits,
  around: Surroundings,
): Door {
  const secrets = new Set([...secretTexts(sealed.config), ...sealed.webhook.map(({ secret }) => secret)])
  let redacted = redactor([...secrets])
  const redact = (text: string) => redacted(text)
  let account: Account | undefined
  return {
    log: quietLog(around.log, { connection_id: id, connector: connector.manifest.id }, redact),
    redact,
    hide(more) {
      if (more.every((secret) => secrets.has(secret))) return
      for (const secret of more) secrets.add(secret)
      redacted = redactor([...secrets])
    },
    account() {
      account ??= outboundAccount({ connectionId: id, connector, config, redact, limits, ...around })
      return account
    },
  }
}

export interface CallOptions {
  /** `rule` when absent. */
  readonly priority?: Priority
  /** See `CallScope.beforeSend`. */
  readonly beforeSend?: () => void
}

/** @throws ConnectorError host_refused when the settings name a host that is not allowed. */
export function contextOf(
  connection: Pick<LoadedConnection, 'config' | 'door' | 'installed'>,
  now: () => Date,
  signal: AbortSignal,
  options: CallOptions,
  installations: Installations = noInstallations,
): Context<unknown> {
  const { door } = connection
  const { priority = 'rule', beforeSend } = options
  const scope = { signal, priority, ...(beforeSend ? { beforeSend } : {}) }
  const account = door.account()
  const [http, net] = [createOutboundHttp(account, scope), createOutboundNet(account, scope)]
  return { ...inboundContext(connection, now), http, net, log: door.log, installations, signal }
}

export interface FieldProblem {
  /** Such as `api.token`. */
  readonly field: string
  readonly message: string
}

export class InvalidConfig extends Error {
  override readonly name = 'InvalidConfig'
  readonly problems: readonly FieldProblem[]
  constructor(connector: string, problems: readonly FieldProblem[]) {
    super(`${connector} settings: ${problems.map(({ field, message }) => `${field}: ${message}`).join('; ')}`)
    this.problems = problems
  }
}

/** @throws InvalidConfig naming each field. */
export function parseConfig(connector: Connector, config: unknown): unknown {
  const parsed = connector.config.safeParse(config)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(({ path, message }) => ({ field: path.join('.') || 'config', message }))
  throw new InvalidConfig(connector.manifest.id, problems)
}

/** A connector's own log lines: told apart by connection, and without its secrets wherever they stand. */
function quietLog(log: Log, base: object, redact: (text: string) => string): Log {
  const write = (level: keyof Log) => (data: object, message: string) =>
    log[level]({ ...base, ...quietData(data, redact) }, redact(message))
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

function quietData(data: object, redact: (text: string) => string): object {
  try {
    const plain = JSON.stringify(data, (_key, value: unknown) =>
      value instanceof Error ? { type: value.name, message: value.message } : value,
    )
    const quiet: unknown = JSON.parse(redact(plain))
    return typeof quiet === 'object' && quiet !== null ? quiet : {}
  } catch {
    // Circular data: a log line must not fail the call.
    return { data: 'not serialisable' }
  }
}
