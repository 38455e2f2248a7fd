/** A check is a sentence and a function that throws when the connector does not keep it. Plain `node:assert`: no test runner. */
import type { Connector, Http } from '#hub/connector/contract.ts'
import type { StartSandbox } from '#hub/connector/sandbox.ts'
import type { InboundFixture, OutboundFixture, SignRequest } from './fixtures.ts'
import type { Quality } from './quality.ts'
import type { StartServer } from './socket-checks.ts'

export interface Check {
  readonly name: string
  /** The written reason why it is not run. */
  readonly skip?: string
  run(): void | Promise<void>
}

export interface Subject {
  readonly connector: Connector
  readonly folder: URL
  /** As an admin would enter it, secrets included. */
  readonly exampleConfig: Readonly<Record<string, unknown>>
  readonly quality: Quality
  readonly inbound: readonly InboundFixture[]
  readonly outbound: readonly OutboundFixture[]
  readonly sandbox: StartSandbox | undefined
  readonly sockets: StartServer | undefined
  readonly sign: SignRequest | undefined
  /** Answers what `verify` asks for: the vendor's published keys. */
  readonly publishedKeys: Http | undefined
}

/** For vendors whose requests are signed with a secret that both sides know. */
export const noKeys: Http = {
  fetch: () => Promise.reject(new Error('verify() fetched something; give conformance() the option "publishedKeys"')),
  json: () => Promise.reject(new Error('verify() fetched something; give conformance() the option "publishedKeys"')),
}

/** The settings of one fixture, as an admin would enter them; `null` in a fixture takes one of the example's away. */
export function settingsOf(
  { exampleConfig }: Pick<Subject, 'exampleConfig'>,
  { config }: { readonly config?: Readonly<Record<string, unknown>> },
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries({ ...exampleConfig, ...config }).filter(([, value]) => value !== null))
}

/** The settings of one fixture, parsed as the hub parses them before it hands them to the connector. */
export function configOf(subject: Subject, fixture: { readonly config?: Readonly<Record<string, unknown>> }): unknown {
  return subject.connector.config.parse(settingsOf(subject, fixture))
}

/** As it would look after a trip through JSON: an absent field and an undefined one are the same. */
export function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}
