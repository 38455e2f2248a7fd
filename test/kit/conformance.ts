/** The conformance kit: turns a connector's fixtures, settings and sandbox into tests, so that its author writes JSON. */
import { describe, it } from 'vitest'
import { checks } from './conformance/checks.ts'

export type { ConformanceOptions } from './conformance/checks.ts'
export { checks }

/** Takes what `checks` takes; a check that is left out is shown with its reason. */
export function conformance(...given: Parameters<typeof checks>): void {
  const [connector] = given
  describe(`connector ${connector.manifest.id}`, () => {
    for (const { name, skip, run } of checks(...given)) {
      if (skip === undefined) it(name, run)
      else it.skip(`${name} (not run: ${skip})`, run)
    }
  })
}
