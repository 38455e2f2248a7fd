/** A process that starts the embedded server in the folder it is given, says so, and stops it at the end of its input. */
import { startEmbedded } from '#hub/platform/embedded-postgres.ts'

const [dataDir = ''] = process.argv.slice(2)
const silent = () => {}
const server = await startEmbedded({ dataDir, log: { debug: silent, info: silent, warn: silent, error: silent } })
console.log(JSON.stringify({ url: server.url, adopted: server.adopted }))
process.stdin.resume().once('end', async () => {
  await server.stop()
  process.exit(0)
})
