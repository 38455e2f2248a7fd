/**
 * Writes what an administrator uploads to a vendor to make the company's own app:
 * `npm run manifests -- --base-url https://hub.example.com --name "Acme Support"`.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { scopesExplained, slackManifest } from '../connectors/slack/manifest.ts'

export interface ManifestOptions {
  readonly baseUrl: string
  readonly name: string
  readonly isSocketMode: boolean
}

/** File names → what they hold. @throws when the vendor does not take an option. */
type ManifestFiles = (options: ManifestOptions) => Promise<Readonly<Record<string, string | Uint8Array>>>

/** By vendor, which is also the folder. */
const vendors: Readonly<Record<string, ManifestFiles>> = {
  slack: async (options) => ({
    'manifest.json': `${JSON.stringify(slackManifest(options), undefined, 2)}\n`,
    'scopes.md': scopesExplained(),
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
      options: { 'base-url': { type: 'string' }, name: { type: 'string' }, 'socket-mode': { type: 'boolean' } },
    })
    const { 'base-url': baseUrl, name, 'socket-mode': isSocketMode = false } = values
    if (baseUrl === undefined || name === undefined) {
      throw new Error('expected --base-url https://hub.example.com --name "Acme Support" [--socket-mode]')
    }
    const folder = new URL('../manifests/', import.meta.url)
    for (const file of await writeManifests(folder, { baseUrl, name, isSocketMode })) {
      console.log(`wrote ${fileURLToPath(new URL(file, folder))}`)
    }
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
