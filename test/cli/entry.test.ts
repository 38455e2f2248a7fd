import { execFileSync, spawn } from 'node:child_process'
import { copyFileSync, existsSync, realpathSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { freePort } from '#hub/platform/free-port.ts'
import { testDatabase } from '#kit'
import { adminToken, temporaryFolder } from '#kit/hub-process.ts'
import { entry, run } from './run.ts'

const folder = temporaryFolder()
afterAll(() => folder.remove())

/** A Node on this machine that does not run TypeScript. */
const old = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((part) => join(part, 'node'))
  .filter((path) => existsSync(path) && realpathSync(path) !== realpathSync(process.execPath))
  .find((path) => Number(execFileSync(path, ['--version']).toString().slice(1).split('.')[0]) < 22)

it('runs on the Node that runs the tests', async () => {
  expect(await run(['--version'])).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
})

describe.skipIf(old === undefined)('under a Node that is too old (skipped where the machine has none)', () => {
  const node = old ?? ''
  const database = testDatabase()

  it('hands over to the Node that belongs to the hub, with arguments and exit code', async () => {
    expect(await run(['--version'], {}, node)).toMatchObject({ code: 0 })
    expect(await run(['nonsense'], {}, node)).toMatchObject({ code: 2 })
  })

  it('says what to do when that Node is not installed', () => {
    const alone = join(folder.path, 'deskweave.mjs')
    copyFileSync(entry, alone)
    expect(() => execFileSync(node, [alone, '--version'], { stdio: 'pipe' })).toThrow(/Install Node 22\.18 or newer/)
  })

  it('passes a signal on, so that the hub stops cleanly', async () => {
    const port = await freePort()
    const child = spawn(node, [entry, 'start'], {
      env: {
        PATH: process.env['PATH'] ?? '',
        DATABASE_URL: database.url,
        DESKWEAVE_DATA: join(folder.path, 'data'),
        DESKWEAVE_ADMIN_TOKEN: adminToken,
        PORT: String(port),
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let out = ''
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the hub ended with ${code}: ${out}`)))
      child.stdout.on('data', (chunk: Buffer) => {
        out += chunk.toString()
        if (out.includes('the hub is ready')) resolve()
      })
    })
    const ended = new Promise((resolve) => child.removeAllListeners('exit').once('exit', resolve))
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow()
  })
})
