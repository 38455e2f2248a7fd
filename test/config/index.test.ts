import { beforeEach, describe, expect, it } from 'vitest'
import { findAgents } from '#hub/agents/index.ts'
import { applyConfig, type Config, type ConfigHub, formatPlan, planConfig, validateConfig } from '#hub/config/index.ts'
import { loadMacros } from '#hub/macros/index.ts'
import { getRule, listRules } from '#hub/rules/index.ts'
import { loadSurveys } from '#hub/surveys/index.ts'
import { testDatabase } from '#kit'
import { acme, goodToken, mute, type Office, openOffice, openVendor, type Vendor } from '../connections/vendor.ts'

const database = testDatabase()
let vendor: Vendor
let office: Office
let hub: ConfigHub

const now = () => new Date('2026-11-22T10:00:00Z')

beforeEach(async () => {
  await database.reset()
  vendor = await openVendor()
  office = await openOffice(database, vendor, { now })
  hub = { db: database.db, now, signals: office.signals, connections: office.connections }
})

function config(text: string, token = goodToken): Config {
  const main = { name: 'deskweave.yaml', text }
  const result = validateConfig({ main, included: [] }, { env: { ACME_TOKEN: token }, connectors: { acme, mute } })
  if ('problems' in result) throw new Error(JSON.stringify(result.problems))
  return result.config
}

const desk = (more = '') => `
  - name: Acme desk
    connector: acme
    config: { api_base: "${vendor.url}", auth: { kind: token, token: "\${ACME_TOKEN}" }${more} }
`
const rule = (id: string, more = '') => `
  - { id: ${id}, name: Rule ${id}, on: case.created, then: [{ webhook: { url: "https://x.example/" } }], mode: on${more} }`
const whole = () => `
workspace: Acme support
identity: { own_agents: [leo@acme.example] }
connections: ${desk()}
rules: ${rule('a')} ${rule('b')}
surveys:
  - { id: csat, name: How was it, kind: csat }
`
const apply = (text: string, token?: string) => applyConfig(hub, config(text, token), { author: 'ana@example.com' })
const plan = async (text: string, token?: string) => formatPlan(await planConfig(hub, config(text, token)))

describe('a configuration', () => {
  it('is planned in plain words, applied, and then needs nothing more', async () => {
    const planned = await plan(whole())
    expect(planned).toBe(
      [
        '+ connection Acme desk',
        '    connects acme',
        '~ workspace Acme support',
        '    its name was "test"',
        '~ identity settings',
        '+ rule a',
        '    "Rule a", mode on',
        '+ rule b',
        '    "Rule b", mode on',
        '+ survey csat',
        '    "How was it", enabled',
      ].join('\n'),
    )
    expect(await office.connections.list()).toEqual([])
    const applied = await apply(whole())
    expect(formatPlan(applied.plan)).toBe(planned)
    expect(applied.webhooks).toMatchObject([
      { connection: 'Acme desk', url: expect.stringContaining('/hooks/con_'), secret: expect.any(String) },
    ])
    expect(await office.connections.list()).toMatchObject([
      { name: 'Acme desk', status: 'connected', account: 'ana@acme.example' },
    ])
    expect(await getRule(database.db, 'a')).toMatchObject({ version: 1, source: 'file', author: 'ana@example.com' })
    expect(await loadSurveys(database.db)).toMatchObject([{ id: 'csat' }])
    expect(await plan(whole())).toBe('nothing to do: the hub is as the files say')
    expect(await apply(whole())).toEqual({ plan: [], webhooks: [] })
    const audit = await database.db.selectFrom('audit').select(['actor', 'act']).orderBy('seq').execute()
    expect(audit).toEqual([
      { actor: 'ana@example.com', act: 'connection.installed' },
      { actor: 'ana@example.com', act: 'config.applied' },
    ])
  })

  it('holds agents and macros, which stay when a file no longer names them', async () => {
    const macro = (id: string) =>
      `\n  - { id: ${id}, name: Macro ${id}, actions: [{ webhook: { url: "https://x.example/hello" } }] }`
    const people = (more = '') => `agents:\n  - { email: Leo@acme.example, name: Leo${more} }\n`
    const text = `${people()}macros: ${macro('b')} ${macro('a')}\n`
    const created = [
      '+ agent leo@acme.example',
      '    Leo, agent',
      '+ macro b',
      '    "Macro b"',
      '+ macro a',
      '    "Macro a"',
    ]
    expect(await plan(text)).toBe(created.join('\n'))
    await apply(text)
    expect(await plan(text)).toBe('nothing to do: the hub is as the files say')
    expect(await plan(people(', role: lead, active: false'))).toBe(
      '~ agent leo@acme.example\n    changes role\n    changes active',
    )
    const other = `macros: ${macro('a')} ${macro('b').replace('hello', 'bye')}\n`
    const changed = ['~ macro b', '    changes actions', '~ macro order', '    the menu has another order']
    expect(await plan(other)).toBe(changed.join('\n'))
    await apply(other)
    expect(await plan(other)).toBe('nothing to do: the hub is as the files say')
    await apply(`macros: ${macro('a')}`)
    expect((await loadMacros(database.db)).map(({ id }) => id)).toEqual(['a', 'b'])
    expect(await findAgents(database.db, ['leo@acme.example'])).toMatchObject([{ role: 'agent', active: true }])
  })

  it('changes only what differs', async () => {
    await apply(whole())
    const changed = whole()
      .replace('Rule a', 'Better a')
      .replace(rule('b'), rule('c'))
      .replace('How was it', 'How are we')
    expect(await plan(changed)).toBe(
      [
        '+ rule c',
        '    "Rule c", mode on',
        '~ rule a',
        '    name: "Rule a" becomes "Better a"',
        '- rule b',
        '    it is no longer in the files; its history stays',
        '~ survey csat',
        '    changes name',
      ].join('\n'),
    )
    await apply(changed)
    expect((await listRules(database.db)).map(({ id, version }) => [id, version])).toEqual([
      ['a', 2],
      ['c', 1],
    ])
  })

  it('leaves alone what the files do not mention', async () => {
    await apply(whole())
    await apply('workspace: Another name\n')
    expect(await listRules(database.db)).toHaveLength(2)
    expect(await office.connections.list()).toHaveLength(1)
    expect(await loadSurveys(database.db)).toHaveLength(1)
  })

  it('removes all rules of the files when their list is empty', async () => {
    await apply(whole())
    await apply('rules: []\n')
    expect(await listRules(database.db)).toEqual([])
  })
})

describe('a connection', () => {
  it('is updated when a setting or the secret changes, which the plan names but does not show', async () => {
    await apply(whole())
    const region = whole().replace(desk(), desk(', region: us'))
    expect(await plan(region)).toBe('~ connection Acme desk\n    changes the setting region')
    await apply(region)
    expect(await office.connections.list()).toMatchObject([{ config: { region: 'us' } }])
    const secret = 'tok-other-9876543210'
    const planned = await plan(region, secret)
    expect(planned).toBe('~ connection Acme desk\n    changes the setting auth')
    expect(planned).not.toContain(secret)
  })

  it('of another connector under the same name is refused before anything is done', async () => {
    await apply(whole())
    const other = 'connections: [{ name: Acme desk, connector: mute }]\nrules: []\n'
    expect(await plan(other)).toContain('! connection Acme desk\n    it is a acme connection; remove it first')
    await expect(apply(other)).rejects.toThrow('connection "Acme desk": it is a acme connection')
    expect(await listRules(database.db)).toHaveLength(2)
  })

  it('that its vendor refuses stops everything after it', async () => {
    await expect(apply(whole(), 'tok-wrong-000000')).rejects.toThrow('the check failed')
    expect(await listRules(database.db)).toEqual([])
    await apply(whole())
    expect(await listRules(database.db)).toHaveLength(2)
  })
})

it('tells the workers about new rules when it commits', async () => {
  const heard: string[] = []
  const told = new Promise<void>((resolve) => {
    office.signals.on('rules', () => {
      heard.push('rules')
      resolve()
    })
  })
  await apply(whole())
  await told
  expect(heard).toEqual(['rules'])
})
