import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { scopesExplained, slackFunctions, slackManifest } from './manifest.ts'

const schemas = new URL('../../test/fixtures/slack/', import.meta.url)
const schema = (name: string): object => JSON.parse(readFileSync(new URL(name, schemas), 'utf8'))
const published = 'https://raw.githubusercontent.com/slackapi/manifest-schema/v0.5.0/schemas/'
const validate = new Ajv({ strict: false, allErrors: true, formats: { uri: true } })
  .addSchema(schema('manifest.schema.1.0.0.json'), `${published}manifest.schema.1.0.0.json`)
  .addSchema(schema('manifest.schema.2.0.0.json'), `${published}manifest.schema.2.0.0.json`)
  .compile(schema('manifest.schema.json'))

/** https://docs.slack.dev/reference/events, read 2026-11: the scope without which an event never comes. */
const scopeOfEvent: Readonly<Record<string, string | undefined>> = {
  app_home_opened: undefined,
  app_mention: 'app_mentions:read',
  app_uninstalled: undefined,
  channel_archive: 'channels:read',
  channel_left: 'channels:read',
  channel_rename: 'channels:read',
  channel_shared: 'channels:read',
  channel_unarchive: 'channels:read',
  channel_unshared: 'channels:read',
  group_archive: 'groups:read',
  group_left: 'groups:read',
  group_rename: 'groups:read',
  group_unarchive: 'groups:read',
  link_shared: 'links:read',
  'message.channels': 'channels:history',
  'message.groups': 'groups:history',
  'message.im': 'im:history',
  member_joined_channel: 'channels:read',
  reaction_added: 'reactions:read',
  team_join: 'users:read',
  tokens_revoked: undefined,
  user_change: 'users:read',
}

const acme = { baseUrl: 'https://hub.example.com', name: 'Acme Support' }

describe("the Slack app's manifest", () => {
  it('is one that the published schema accepts', () => {
    expect(validate(slackManifest(acme)), JSON.stringify(validate.errors)).toBe(true)
    expect(validate(slackManifest({ ...acme, isSocketMode: true })), JSON.stringify(validate.errors)).toBe(true)
  })

  it('is checked by a schema that refuses what Slack refuses', () => {
    const manifest = slackManifest(acme)
    const { display_information: shown } = manifest
    expect(validate({ ...manifest, display_information: { ...shown, name: 'x'.repeat(36) } })).toBe(false)
    expect(
      validate({ ...manifest, features: { ...manifest.features, unfurl_domains: ['Hub.example.com:8443'] } }),
    ).toBe(false)
  })

  it('leads every request and every administrator to the hub', () => {
    expect(slackManifest({ ...acme, baseUrl: 'https://hub.example.com:8443/' })).toMatchObject({
      display_information: { name: 'Acme Support' },
      features: {
        bot_user: { display_name: 'Acme Support' },
        slash_commands: [{ command: '/deskweave', url: 'https://hub.example.com:8443/slack/events' }],
        unfurl_domains: ['hub.example.com'],
      },
      oauth_config: { redirect_urls: ['https://hub.example.com:8443/oauth/slack/callback'] },
      settings: {
        event_subscriptions: { request_url: 'https://hub.example.com:8443/slack/events' },
        interactivity: {
          request_url: 'https://hub.example.com:8443/slack/events',
          message_menu_options_url: 'https://hub.example.com:8443/slack/events',
        },
        socket_mode_enabled: false,
      },
    })
  })

  it('names no address that Slack would call when the hub opens the line', () => {
    const { settings, features } = slackManifest({ ...acme, isSocketMode: true })
    expect(settings.socket_mode_enabled).toBe(true)
    expect(JSON.stringify({ settings, commands: features.slash_commands })).not.toContain('hub.example.com')
  })

  it('makes an app whose token may be copied into the settings: it never runs out', () => {
    expect(slackManifest(acme).settings.token_rotation_enabled).toBe(false)
  })

  it('asks for the scope of every event, in the function that wants the event', () => {
    for (const { scopes, events = [] } of slackFunctions) {
      for (const event of events) {
        expect(Object.keys(scopeOfEvent)).toContain(event)
        const scope = scopeOfEvent[event]
        if (scope !== undefined) expect(scopes).toContain(scope)
      }
    }
  })

  it('asks for no scope twice and for none without a reason', () => {
    const asked = slackFunctions.flatMap(({ scopes }) => scopes)
    expect(new Set(asked).size).toBe(asked.length)
    expect(slackManifest(acme).oauth_config.scopes.bot).toEqual(asked.toSorted())
    for (const scope of asked) expect(scopesExplained()).toContain(`| \`${scope}\` | `)
  })

  it('asks for nothing that the Marketplace refuses', () => {
    const { scopes } = slackManifest(acme).oauth_config
    expect(Object.keys(scopes)).toEqual(['bot'])
    expect(scopes.bot.filter((scope) => /^(identity|search:read|read$|post$|client$|admin)/.test(scope))).toEqual([])
  })

  it.each([
    ['http://hub.example.com', 'https'],
    ['https://hub.example.com/desk', 'without a path'],
    ['https://user@hub.example.com', 'without a path'],
    ['https://[::1]', 'a host'],
    ['hub.example.com', 'https'],
  ])('refuses the address %s', (baseUrl, reason) => {
    expect(() => slackManifest({ ...acme, baseUrl })).toThrow(reason)
  })

  it.each(['', '   ', 'x'.repeat(36), 'two\nlines'])('refuses the name %j', (name) => {
    expect(() => slackManifest({ ...acme, name })).toThrow('1 to 35 characters')
  })
})
