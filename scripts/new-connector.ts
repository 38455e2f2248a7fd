/** Copies `connectors/_template` for a new vendor: `npm run new:connector -- <vendor> [--name "Vendor"]`. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { displayName, exportName, idProblem } from './generate/naming.ts'
import { generate } from './generate.ts'

/**
 * @param id the folder's name, such as `request-tracker`.
 * @returns the files written, relative to `root`.
 * @throws when the name cannot be used or the folder is there; then nothing is written.
 */
export async function newConnector(root: URL, id: string, name = displayName(id)): Promise<readonly string[]> {
  const problem = idProblem(id)
  if (problem !== undefined) throw new Error(problem)
  if (!/^[\p{L}\p{N}][\p{L}\p{N} .&+'-]{1,59}$/u.test(name)) {
    throw new Error(`name "${name}": expected 2 to 60 letters, digits and spaces, as the vendor writes it`)
  }
  const folder = new URL(`connectors/${id}/`, root)
  if (existsSync(folder)) throw new Error(`connectors/${id} is there already; nothing was written`)
  const template = new URL('connectors/_template/', root)
  const rename = renamer(id, name)
  const files = readdirSync(template, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const written = files.map((entry) => {
    const from = new URL(entry.name, pathToFileURL(`${entry.parentPath}/`))
    const path = from.href.slice(template.href.length)
    const target = new URL(path === 'test.ts' ? `${id}.test.ts` : path, folder)
    mkdirSync(dirname(fileURLToPath(target)), { recursive: true })
    writeFileSync(target, rename(readFileSync(from, 'utf8')), { flag: 'wx' })
    return target.href.slice(root.href.length)
  })
  await generate(root, { check: false })
  return written.sort()
}

/** The template's vendor is Acme Desk. */
function renamer(id: string, name: string): (text: string) => string {
  const identifier = exportName(id)
  const type = `${identifier.slice(0, 1).toUpperCase()}${identifier.slice(1)}`
  return (text) =>
    text
      .replaceAll('acme-desk', id)
      .replaceAll('acmeDesk', identifier)
      .replaceAll('AcmeDesk', type)
      .replaceAll('Acme Desk', name)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values, positionals } = parseArgs({ options: { name: { type: 'string' } }, allowPositionals: true })
  const [id, ...rest] = positionals
  if (id === undefined || rest.length > 0) {
    console.error('usage: npm run new:connector -- <vendor> [--name "Vendor"]')
    process.exit(2)
  }
  try {
    for (const file of await newConnector(new URL('../', import.meta.url), id, values.name))
      console.log(`wrote ${file}`)
    console.log(
      `and its line in connectors/index.ts and README.md\n\nNext: npx vitest run connectors/${id}\nEach red test is one thing to do; docs/connector-authors.md says how.`,
    )
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  }
}
