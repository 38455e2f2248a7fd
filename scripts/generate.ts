/**
 * Writes what would otherwise be typed twice: `npm run generate`. With `--check` it writes nothing and fails when a file
 * is out of date.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { chatFunctions } from './generate/chat-functions.ts'
import { connectorIndex, connectorTable } from './generate/connectors.ts'
import { environmentTable } from './generate/environment.ts'
import { openApiFile } from './generate/openapi.ts'

export interface Generator {
  /** Relative to the project's root. */
  readonly file: string
  /** @param before what the file holds now; undefined when there is none. @returns what it should hold; undefined: nothing. */
  render(root: URL, before: string | undefined): Promise<string | undefined>
}

const generators: readonly Generator[] = [connectorIndex, connectorTable, environmentTable, openApiFile, chatFunctions]

/** @returns the files that were out of date. */
export async function generate(root: URL, options: { readonly check: boolean }): Promise<readonly string[]> {
  const stale: string[] = []
  for (const { file, render } of generators) {
    const url = new URL(file, root)
    const before = existsSync(url) ? readFileSync(url, 'utf8') : undefined
    const after = await render(root, before)
    if (after === undefined || after === before) continue
    stale.push(file)
    if (!options.check) writeFileSync(url, after)
  }
  return stale
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const check = process.argv.includes('--check')
  const stale = await generate(new URL('../', import.meta.url), { check })
  if (!check) for (const file of stale) console.log(`wrote ${file}`)
  else if (stale.length > 0) {
    console.error(`out of date: ${stale.join(', ')}. Run: npm run generate`)
    process.exitCode = 1
  }
}
