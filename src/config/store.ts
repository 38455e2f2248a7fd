import { type Db, json, type Trx } from '#hub/platform/db/database.ts'

export async function workspaceName(db: Db | Trx): Promise<string | undefined> {
  return (await db.selectFrom('workspaces').select('name').executeTakeFirst())?.name
}

export async function renameWorkspace(trx: Trx, name: string): Promise<void> {
  await trx.updateTable('workspaces').set({ name }).execute()
}

export async function readSetting(db: Db | Trx, key: string): Promise<unknown> {
  return (await db.selectFrom('settings').select('value').where('key', '=', key).executeTakeFirst())?.value
}

export async function writeSetting(trx: Trx, key: string, value: unknown, now: Date): Promise<void> {
  const row = { value: json(value), updated_at: now }
  await trx
    .insertInto('settings')
    .values({ key, ...row })
    // The column is filled by the connection; Kysely's types do not list it.
    .onConflict((conflict) => conflict.constraint('settings_pkey').doUpdateSet(row))
    .execute()
}
