/** A copy of the project's sources in a folder of its own, so that scripts can write into it. */
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const projectRoot = new URL('../../', import.meta.url)

export interface ProjectCopy {
  readonly root: URL
  readonly folder: string
  remove(): void
}

export function projectCopy(): ProjectCopy {
  const folder = mkdtempSync(join(tmpdir(), 'deskweave-copy-'))
  const from = (name: string) => fileURLToPath(new URL(name, projectRoot))
  for (const name of [
    'src',
    'connectors',
    'scripts',
    'test/kit',
    'test/acceptance',
    'package.json',
    'tsconfig.json',
    'README.md',
    'docs',
  ]) {
    if (existsSync(from(name))) cpSync(from(name), join(folder, name), { recursive: true })
  }
  symlinkSync(from('node_modules'), join(folder, 'node_modules'), 'junction')
  return {
    root: pathToFileURL(`${folder}/`),
    folder,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
