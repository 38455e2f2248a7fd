/** Every card as Slack and Teams draw it, for people without either: `npm run preview` (PORT=4300). */
import { startPreview } from './preview/server.ts'

if (process.env['NODE_ENV'] === 'production') {
  console.error('The preview of cards is for development; NODE_ENV is "production".')
  process.exit(1)
}
const { url } = await startPreview(Number(process.env['PORT'] ?? 4300))
console.log(`The cards are at ${url} and ${url}?lang=es`)
