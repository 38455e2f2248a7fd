/**
 * The conformance kit: turns a connector's fixtures, settings and sandbox into tests, so that its author writes JSON.
 *
 * `checks` gives them as plain functions, for tools; `conformance` runs them under vitest.
 */
import { describe, it } from 'vitest'
import type { Connector } from '#hub/connector/contract.ts'
import type { StartSandbox } from '#hub/connector/sandbox.ts'
import type { Check } from './conformance/check.ts'
import { inboundFixtures, outboundFixtures, type SignRequest } from './conformance/fixtures.ts'
import { inboundChecks } from './conformance/inbound-checks.ts'
import { outboundChecks } from './conformance/outbound-checks.ts'
import { readQuality } from './conformance/quality.ts'
import { sandboxChecks } from './conformance/sandbox-checks.ts'
import { staticChecks } from './conformance/static-checks.ts'

export interface ConformanceOptions {
  readonly sandbox?: StartSandbox
  /** Signs the inbound fixtures that say `"sign": true`. */
  readonly sign?: SignRequest
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
    sign: options.sign,
  }
  return [...staticChecks(subject), ...inboundChecks(subject), ...outboundChecks(subject), ...sandboxChecks(subject)]
}

export function conformance(...given: Parameters<typeof checks>): void {
  const [connector] = given
  describe(`connector ${connector.manifest.id}`, () => {
    for (const { name, skip, run } of checks(...given)) {
      if (skip === undefined) it(name, run)
      else it.skip(`${name} (not run: ${skip})`, run)
    }
  })
}
