import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeManifests } from '../../scripts/manifests.ts'

describe('npm run manifests', () => {
  let folder: URL
  beforeEach(() => {
    folder = pathToFileURL(`${mkdtempSync(join(tmpdir(), 'deskweave-manifests-'))}/`)
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('writes what a Slack administrator uploads, and what the scopes are for', async () => {
    const files = await writeManifests(folder, {
      baseUrl: 'https://hub.example.com',
      name: 'Acme Support',
      isSocketMode: false,
    })
    expect(files).toEqual(expect.arrayContaining(['slack/manifest.json', 'slack/scopes.md']))
    const manifest: unknown = JSON.parse(readFileSync(new URL('slack/manifest.json', folder), 'utf8'))
    expect(manifest).toMatchObject({
      display_information: { name: 'Acme Support' },
      settings: { event_subscriptions: { request_url: 'https://hub.example.com/slack/events' } },
    })
    expect(readFileSync(new URL('slack/scopes.md', folder), 'utf8')).toContain('| `chat:write` | post case cards')
  })

  it('writes what a Teams administrator uploads, for their bot, and what the permissions are for', async () => {
    const options = { baseUrl: 'https://hub.example.com', name: 'Acme Support', isSocketMode: false }
    const packageFor = async (teamsBotId?: string) => {
      const files = await writeManifests(folder, { ...options, ...(teamsBotId ? { teamsBotId } : {}) })
      expect(files).toEqual(expect.arrayContaining(['teams/app.zip', 'teams/permissions.md']))
      return readFileSync(new URL('teams/app.zip', folder))
    }
    const withoutBot = await packageFor()
    const withBot = await packageFor('0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9')
    expect(withBot.subarray(0, 4).toString('latin1')).toBe('PK\u0003\u0004')
    expect(withBot.equals(withoutBot)).toBe(false)
    expect(readFileSync(new URL('teams/permissions.md', folder), 'utf8')).toContain('| `ChannelMessage.Read.Group` |')
    await expect(packageFor('my bot')).rejects.toThrow('bot id "my bot"')
  })

  it('writes nothing when a vendor does not take an option', async () => {
    const options = { baseUrl: 'http://hub.example.com', name: 'Acme Support', isSocketMode: false }
    await expect(writeManifests(folder, options)).rejects.toThrow('expected https')
    expect(() => readFileSync(new URL('slack/manifest.json', folder))).toThrow('ENOENT')
  })
})
