/** What the workspace says about identity: who is never a key, whose word counts more. */
import { IdentitySettings } from '#hub/identity/index.ts'
import { audit } from '#hub/platform/db/audit.ts'
import { json } from '#hub/platform/db/database.ts'
import { route } from '../route.ts'
import { readSetting } from '../store/settings.ts'

const tag = 'settings'
const key = 'identity'

export const settingRoutes = [
  route({
    id: 'getIdentitySettings',
    method: 'GET',
    path: '/settings/identity',
    summary: 'How people are told apart',
    tag,
    response: IdentitySettings,
    handler: async (hub) => IdentitySettings.parse((await readSetting(hub.db, key)) ?? {}),
  }),
  route({
    id: 'putIdentitySettings',
    method: 'PUT',
    path: '/settings/identity',
    summary: 'Replace them; they hold for what arrives from now on',
    tag,
    body: IdentitySettings,
    response: IdentitySettings,
    async handler(hub, { body, actor }) {
      const row = { value: json(body), updated_at: hub.now() }
      await hub.db.transaction().execute(async (trx) => {
        await trx
          .insertInto('settings')
          .values({ key, ...row })
          .onConflict((conflict) => conflict.constraint('settings_pkey').doUpdateSet(row))
          .execute()
        await audit(trx, actor, 'settings.changed', key)
      })
      return body
    },
  }),
]
