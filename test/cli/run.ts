/** The command line as a user runs it: a process of its own. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const entry = fileURLToPath(new URL('../../src/cli/deskweave.mjs', import.meta.url))

export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** @param env beside PATH and HOME; nothing else of this process's environment. */
export function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  node = process.execPath,
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(node, [entry, ...args], {
      env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString()
    })
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, out, err }))
  })
}
