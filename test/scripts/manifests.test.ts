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

  it('writes nothing when a vendor does not take an option', async () => {
    const options = { baseUrl: 'http://hub.example.com', name: 'Acme Support', isSocketMode: false }
    await expect(writeManifests(folder, options)).rejects.toThrow('expected https')
    expect(() => readFileSync(new URL('slack/manifest.json', folder))).toThrow('ENOENT')
  })
})
