/** What nobody uses yet must not cost memory: a hub that rests holds what its start loads. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { testDatabase } from '#kit'
import { startHubProcess, temporaryFolder } from '#kit/hub-process.ts'

const database = testDatabase()
const preload = new URL('./programs/note-modules.mjs', import.meta.url).href
const root = new URL('../../', import.meta.url)

describe('the start of a hub without connections', () => {
  let loaded: readonly string[] = []
  const ofPackage = (name: string) => loaded.filter((url) => url.includes(`/node_modules/${name}/`))

  beforeAll(async () => {
    const folder = temporaryFolder()
    const list = join(folder.path, 'loaded')
    const hub = await startHubProcess({
      dataDir: folder.path,
      env: { DATABASE_URL: database.url, NODE_OPTIONS: `--import=${preload}`, LOADED_MODULES: list },
    })
    await hub.api('GET', '/connections')
    await hub.stop()
    loaded = readFileSync(list, 'utf8').split('\n')
    folder.remove()
  })

  it('loads what it needs, as far as this test can see', () => {
    expect(loaded).toContain(new URL('src/rooms.ts', root).href)
    expect(ofPackage('pg-boss')).not.toEqual([])
  })

  it('loads no connector and no sandbox', () => {
    const connectors = new URL('connectors/', root).href
    const index = new URL('connectors/index.ts', root).href
    expect(loaded.filter((url) => url.startsWith(connectors) && url !== index)).toEqual([])
    expect(loaded.filter((url) => url.includes('/sandbox'))).toEqual([])
  })

  it('loads neither the demo nor the reader of configuration files nor another command', () => {
    for (const folder of ['demo', 'config']) {
      expect(loaded.filter((url) => url.startsWith(new URL(`src/${folder}/`, root).href))).toEqual([])
    }
    const commands = readdirSync(new URL('src/cli', root)).filter((name) => name.endsWith('.ts'))
    const here = commands.filter((name) => loaded.includes(new URL(`src/cli/${name}`, root).href))
    expect(here.sort()).toEqual(['program.ts', 'start.ts'])
  })

  it.each([
    '@hubspot/api-client',
    '@microsoft/teams.apps',
    '@slack/bolt',
    '@slack/web-api',
    'imapflow',
    'jsonata',
    'libphonenumber-js',
    'mailparser',
    'node-zendesk',
    'nodemailer',
    'sanitize-html',
    'smtp-server',
    'undici',
    'yaml',
  ])('does not load %s', (name) => {
    expect(ofPackage(name)).toEqual([])
  })
})
