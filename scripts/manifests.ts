/**
 * Writes what an administrator uploads to a vendor to make the company's own app:
 * `npm run manifests -- --base-url https://hub.example.com --name "Acme Support"`.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { scopesExplained, slackManifest } from '../connectors/slack/manifest.ts'
import { teamsAppPackage, teamsPermissionsExplained } from '../connectors/teams/app-package.ts'

export interface ManifestOptions {
  readonly baseUrl: string
  readonly name: string
  readonly isSocketMode: boolean
  /** The "Microsoft App ID" of the Azure Bot; without it the Teams package is complete but for the bot. */
  readonly teamsBotId?: string
}

const botToCome = '00000000-0000-0000-0000-000000000000'

/** File names → what they hold. @throws when the vendor does not take an option. */
type ManifestFiles = (options: ManifestOptions) => Promise<Readonly<Record<string, string | Uint8Array>>>

/** By vendor, which is also the folder. */
const vendors: Readonly<Record<string, ManifestFiles>> = {
  slack: async (options) => ({
    'manifest.json': `${JSON.stringify(slackManifest(options), undefined, 2)}\n`,
    'scopes.md': scopesExplained(),
  }),
  teams: async ({ baseUrl, name, teamsBotId = botToCome }) => ({
    'app.zip': teamsAppPackage({ baseUrl, name, botId: teamsBotId }),
    'permissions.md': teamsPermissionsExplained(),
  }),
}

/** @param folder where each vendor gets a folder of its own. @returns the files written, relative to `folder`. */
export async function writeManifests(folder: URL, options: ManifestOptions): Promise<readonly string[]> {
  const made = await Promise.all(
    Object.entries(vendors).map(async ([vendor, files]) => [vendor, await files(options)] as const),
  )
  return made.flatMap(([vendor, files]) => {
    mkdirSync(new URL(`${vendor}/`, folder), { recursive: true })
    return Object.entries(files).map(([name, content]) => {
      writeFileSync(new URL(`${vendor}/${name}`, folder), content)
      return `${vendor}/${name}`
    })
  })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    const { values } = parseArgs({
      options: {
        'base-url': { type: 'string' },
        name: { type: 'string' },
        'socket-mode': { type: 'boolean' },
        'teams-bot-id': { type: 'string' },
      },
    })
    const { 'base-url': baseUrl, name, 'socket-mode': isSocketMode = false, 'teams-bot-id': teamsBotId } = values
    if (baseUrl === undefined || name === undefined) {
      throw new Error(
        'expected --base-url https://hub.example.com --name "Acme Support" [--socket-mode] [--teams-bot-id <id>]',
      )
    }
    const folder = new URL('../manifests/', import.meta.url)
    const options = { baseUrl, name, isSocketMode, ...(teamsBotId === undefined ? {} : { teamsBotId }) }
    for (const file of await writeManifests(folder, options)) {
      console.log(`wrote ${fileURLToPath(new URL(file, folder))}`)
    }
    if (teamsBotId === undefined) {
      console.log('teams/app.zip names no bot yet: pass --teams-bot-id with the Microsoft App ID of your Azure Bot')
    }
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
