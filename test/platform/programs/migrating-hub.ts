/** A process that migrates the database it is given with the files it is given, to be killed meanwhile. */
import { migrate } from '#hub/platform/db/migrate.ts'

const [url = '', folder = ''] = process.argv.slice(2)
const silent = () => {}
await migrate(url, { debug: silent, info: silent, warn: silent, error: silent }, { workspaceId: 'test', folder })
