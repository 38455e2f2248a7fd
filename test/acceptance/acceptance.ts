/** Every function of agents in one chat tool: a hub, two desks and the tool over real HTTP, with real signatures. */
import { afterAll, beforeAll, describe, it } from 'vitest'
import { testDatabase } from '#kit'
import { groups } from './functions.ts'
import { openStage, type Stage } from './stage.ts'
import { type Tool, worlds } from './worlds.ts'

/** Called by one test file for each tool, so that they run beside each other. */
export function acceptance(tool: Tool): void {
  for (const [group, functions] of Object.entries(groups)) {
    describe(`${tool}, ${group}`, () => {
      const database = testDatabase()
      let stage: Stage
      beforeAll(async () => {
        stage = await openStage(database, worlds[tool])
      })
      afterAll(() => stage?.close())
      for (const { title, run } of functions) it(title.en, () => run(stage), 30_000)
    })
  }
}
