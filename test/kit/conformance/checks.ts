/** All checks of a connector, as plain functions: for the vitest wrapper, the scaffolder's test and other tools. */
import type { Connector, Http } from '#hub/connector/contract.ts'
import type { StartSandbox } from '#hub/connector/sandbox.ts'
import type { Check } from './check.ts'
import { inboundFixtures, outboundFixtures, type SignRequest } from './fixtures.ts'
import { inboundChecks } from './inbound-checks.ts'
import { outboundChecks } from './outbound-checks.ts'
import { readQuality } from './quality.ts'
import { sandboxChecks } from './sandbox-checks.ts'
import { type StartServer, socketChecks } from './socket-checks.ts'
import { staticChecks } from './static-checks.ts'

export interface ConformanceOptions {
  readonly sandbox?: StartSandbox
  /** In place of `sandbox` and outbound fixtures, for a connector that speaks another protocol than HTTP. */
  readonly sockets?: StartServer
  /** Signs the inbound fixtures that say `"sign": true`. */
  readonly sign?: SignRequest
  /** For a connector whose `verify` fetches the vendor's published keys: a stand-in that answers with keys of the test's own. */
  readonly publishedKeys?: Http
}

/**
 * @param folder the connector's folder, with a slash at its end: `new URL('.', import.meta.url)`.
 * @param exampleConfig settings as an admin would enter them, with made-up secrets.
 * @throws when quality.json or a fixture has not the documented form.
 */
export function checks(
  connector: Connector,
  folder: URL,
  exampleConfig: Readonly<Record<string, unknown>>,
  options: ConformanceOptions = {},
): readonly Check[] {
  const subject = {
    connector,
    folder,
    exampleConfig,
    quality: readQuality(folder),
    inbound: inboundFixtures(folder),
    outbound: outboundFixtures(folder),
    sandbox: options.sandbox,
    sockets: options.sockets,
    sign: options.sign,
    publishedKeys: options.publishedKeys,
  }
  const played = options.sockets ? socketChecks(subject, options.sockets) : sandboxChecks(subject)
  return [...staticChecks(subject), ...inboundChecks(subject), ...outboundChecks(subject), ...played]
}
