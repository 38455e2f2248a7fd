/** `deskweave migrate` */
import { readEnv } from '#hub/platform/env.ts'
import { withHub } from './open-hub.ts'

export async function migrateDatabase(): Promise<void> {
  await withHub(readEnv(), async ({ db }) => {
    const { name } = await db.selectFrom('workspaces').select('name').executeTakeFirstOrThrow()
    console.log(`the database is ready (workspace "${name}")`)
  })
}
