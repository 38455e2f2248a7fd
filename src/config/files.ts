/** Reads the main file and the rules it names. Only files below its folder are read. */
import { glob, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { SourceFile } from './problem.ts'
import { type ConfigFiles, isInside } from './validate.ts'
import { readYaml } from './yaml.ts'

const maxBytes = 1_048_576
const maxFiles = 500

/** A file cannot be read; the message names it and says what to do. */
export class ConfigUnreadable extends Error {
  override readonly name = 'ConfigUnreadable'
}

/** @throws ConfigUnreadable */
export async function loadConfigFile(path: string): Promise<ConfigFiles> {
  const main = await readSource(path, path)
  const seen = new Set<string>()
  const included: { pattern: string; files: readonly SourceFile[] }[] = []
  for (const pattern of patternsIn(main)) {
    const names = isInside(pattern) ? await match(pattern, dirname(path)) : []
    const fresh = names.filter((name) => !seen.has(name))
    for (const name of fresh) seen.add(name)
    if (seen.size > maxFiles)
      throw new ConfigUnreadable(`${path}: rules_from finds more than ${maxFiles} files; narrow it`)
    included.push({ pattern, files: await Promise.all(fresh.map((name) => readSource(name, name))) })
  }
  return { main, included }
}

/** Problems in the file itself are found again, with their place, when it is validated. */
function patternsIn(main: SourceFile): string[] {
  const result = readYaml(main)
  const value = 'read' in result ? result.read.value : undefined
  const patterns: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'rules_from') : undefined
  return Array.isArray(patterns) ? [...new Set(patterns.filter((pattern) => typeof pattern === 'string'))] : []
}

async function match(pattern: string, folder: string): Promise<string[]> {
  const names: string[] = []
  for await (const name of glob(pattern, { cwd: folder })) names.push(join(folder, name))
  return names.sort()
}

async function readSource(path: string, name: string): Promise<SourceFile> {
  try {
    const { size } = await stat(path)
    if (size > maxBytes) throw new ConfigUnreadable(`${name}: a file may have 1 MiB, this has ${size} bytes`)
    return { name, text: await readFile(path, 'utf8') }
  } catch (error) {
    if (error instanceof ConfigUnreadable) throw error
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    const why =
      code === 'ENOENT'
        ? 'there is no such file'
        : code === 'EISDIR'
          ? 'this is a folder'
          : `it cannot be read (${String(code)})`
    throw new ConfigUnreadable(`${name}: ${why}; give the path of the configuration, such as deskweave.yaml`, {
      cause: error,
    })
  }
}
