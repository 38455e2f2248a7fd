import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newConnector } from '../../scripts/new-connector.ts'
import { type ProjectCopy, projectCopy } from './project-copy.ts'

const run = promisify(execFile)

let copy: ProjectCopy
let written: readonly string[]
beforeAll(async () => {
  copy = projectCopy()
  // As an author does it; in a process of its own, because the index it writes belongs to the copy.
  const script = join(copy.folder, 'scripts/new-connector.ts')
  const { stdout } = await run(process.execPath, [script, 'request-tracker', '--name', 'Request Tracker'])
  written = [...stdout.matchAll(/^wrote (.+)$/gm)].map((match) => match[1] ?? '')
})
afterAll(() => copy.remove())

/** Runs all checks of the kit on the new connector, and gives the names of those that fail. */
const runKit = `
  import { checks } from './test/kit/conformance/checks.ts'
  import { signHmac } from '#hub/connector/hmac.ts'
  import { requestTracker } from './connectors/request-tracker/connector.ts'
  import { profile } from './connectors/request-tracker/receive.ts'
  import { startSandbox } from './connectors/request-tracker/sandbox.ts'
  const folder = new URL('connectors/request-tracker/', 'file://' + process.cwd() + '/')
  const config = { subdomain: 'acme', api_token: 'made-up-token-0001' }
  const sign = (request, secret, now) => signHmac(request, secret, profile, now)
  const failed = []
  let ran = 0
  for (const { name, skip, run } of checks(requestTracker, folder, config, { sandbox: startSandbox, sign })) {
    if (skip !== undefined) continue
    ran += 1
    try { await run() } catch (error) { failed.push(name) }
  }
  console.log(JSON.stringify({ ran, failed }))
`

describe('npm run new:connector', () => {
  it('copies the template with its tests and fixtures under the vendor’s name', () => {
    expect(written).toContain('connectors/request-tracker/request-tracker.test.ts')
    expect(written).toContain('connectors/request-tracker/fixtures/inbound/ticket.json')
    const texts = written.map((file) => readFileSync(join(copy.folder, file), 'utf8')).join('\n')
    expect(texts).not.toMatch(/acme-desk|acmeDesk|AcmeDesk|Acme Desk/)
    expect(texts).toContain('Request Tracker')
  })

  it('puts the connector into the index', () => {
    expect(readFileSync(join(copy.folder, 'connectors/index.ts'), 'utf8')).toContain(
      "'request-tracker': async () => (await import('./request-tracker/connector.ts')).requestTracker,",
    )
  })

  it('gives code that compiles', async () => {
    const tsc = join(copy.folder, 'node_modules/typescript/bin/tsc')
    const { stdout } = await run(process.execPath, [tsc, '--noEmit'], { cwd: copy.folder }).catch(
      (failure: { readonly stdout: string }) => failure,
    )
    expect(stdout.split('\n').filter((line) => /^connectors\/(request-tracker|index)/.test(line))).toEqual([])
  }, 60_000)

  it('gives tests that are red exactly where something is to do', async () => {
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', runKit], { cwd: copy.folder })
    const { ran, failed } = JSON.parse(stdout)
    expect(failed).toEqual([
      'manifest: documentation and hosts are the vendor’s own, not placeholders',
      'fixture own-note: is real',
      'fixture ticket: is real',
      'fixture changes: is real',
      'fixture check: is real',
      'fixture create: is real',
      'fixture note: is real',
      'fixture update: is real',
    ])
    expect(ran).toBeGreaterThan(50)
  }, 60_000)

  it('refuses to overwrite', async () => {
    await expect(newConnector(copy.root, 'request-tracker')).rejects.toThrow(/is there already/)
  })

  it.each(['', 'Zendesk', 'a b', '../x', '_template', '1desk', 'desk-', 'new', 'await'])(
    'refuses the name "%s"',
    async (id) => {
      await expect(newConnector(copy.root, id)).rejects.toThrow(/expected the vendor in lower case|word of JavaScript/)
    },
  )

  it('refuses a display name that would not fit into code', async () => {
    await expect(newConnector(copy.root, 'other', "O'*/Neil")).rejects.toThrow(/as the vendor writes it/)
    expect(existsSync(join(copy.folder, 'connectors/other'))).toBe(false)
  })
})
