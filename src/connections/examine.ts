/** From what an admin entered to settings that the connector understands and the vendor accepts. */
import type { Checked, Connector } from '#hub/connector/contract.ts'
import { isSigningSecret } from '#hub/connector/signing-secret.ts'
import { AccountLimits } from '#hub/platform/account-limits.ts'
import type { InstallationBook } from './installations.ts'
import { contextOf, doorOf, InvalidConfig, parseConfig, type Sealed, type Surroundings } from './loaded.ts'
import { ConnectionRefused } from './refused.ts'
import { joinConfig, keepSecrets, splitConfig } from './secret-fields.ts'
import { checkWebhookSecret, newWebhookSecret, rotate, type WebhookSecret } from './webhook-secret.ts'

export interface Examined {
  /** Settings without their secrets. */
  readonly open: Readonly<Record<string, unknown>>
  readonly sealed: Sealed
  readonly account: string
  /** Places that the settings open, for connectors that keep such. */
  readonly places?: NonNullable<Checked['places']>
}

const checkTimeoutMs = 30_000
/** A signing secret that is entered anew may reach the vendor's side later. */
const overlapHours = 24

/**
 * @param before what is kept of an existing connection: secrets that are not entered again.
 * @throws InvalidConfig, ConnectionRefused, TypeError for a webhook secret that could be guessed
 */
export async function examine(
  id: string,
  connector: Connector,
  given: unknown,
  before: Sealed | undefined,
  around: Surroundings,
  book?: Pick<InstallationBook, 'of'>,
): Promise<Examined> {
  if (!isPlain(given))
    throw new InvalidConfig(connector.manifest.id, [{ field: 'config', message: 'expected an object' }])
  const split = splitConfig(connector.config, given)
  const unknown = split.unknown.map((field) => ({ field, message: 'no such setting; check its spelling' }))
  if (unknown.length > 0) throw new InvalidConfig(connector.manifest.id, unknown)
  const secrets = keepSecrets(split, before?.config ?? [])
  const config = parseConfig(connector, joinConfig(split.open, secrets))
  const entered = split.secrets.find(({ path }) => isSigningSecret(path.join('.')))?.value
  const webhook = webhookSecrets(connector, before, typeof entered === 'string' ? entered : undefined, around.now())
  const sealed: Sealed = { config: secrets, webhook }
  const { account, places = [] } = await check(id, connector, config, sealed, around, book)
  return { open: split.open, sealed, account, ...(connector.can.install ? { places } : {}) }
}

function webhookSecrets(
  connector: Connector,
  before: Sealed | undefined,
  entered: string | undefined,
  now: Date,
): readonly WebhookSecret[] {
  if (!connector.can.receive) return []
  const current = before?.webhook ?? []
  if (entered !== undefined) return rotate(current, checkWebhookSecret(entered), now, overlapHours)
  return current.length > 0 ? current : [{ secret: newWebhookSecret() }]
}

async function check(
  id: string,
  connector: Connector,
  config: unknown,
  sealed: Sealed,
  around: Surroundings,
  book: Pick<InstallationBook, 'of'> | undefined,
): Promise<Checked> {
  const { id: name, limits } = connector.manifest
  const door = doorOf(id, connector, config, sealed, new AccountLimits(name, limits), around)
  try {
    const context = contextOf(
      { config, door },
      around.now,
      AbortSignal.timeout(checkTimeoutMs),
      { priority: 'person' },
      book?.of({ id, connector, door }, () => context),
    )
    const checked = await connector.check(context)
    const { account, missingScopes = [] } = checked
    if (missingScopes.length === 0) return checked
    const lacking = missingScopes.join(', ')
    throw new ConnectionRefused(
      'check_failed',
      `${name}: ${account} lacks ${lacking}; grant it at the vendor and try again`,
    )
  } catch (error) {
    if (error instanceof ConnectionRefused) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw new ConnectionRefused('check_failed', door.redact(`${name}: the check failed: ${why}`), error)
  }
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
