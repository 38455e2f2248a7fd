import type { SandboxCall } from '#hub/connector/sandbox.ts'

/** All that a vendor got: a key, a name, a value must be somewhere in it. */
export function wireTexts(calls: readonly SandboxCall[]): string[] {
  return calls.map((call) => `${call.path} ${JSON.stringify([call.query, call.headers])} ${call.body.toString('utf8')}`)
}
