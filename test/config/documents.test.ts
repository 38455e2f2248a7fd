/** What the documents show must work. */
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { connectors } from '#connectors'
import { eventTypes } from '#hub/cases/event.ts'
import { allFiles, type ConfigFiles, formatProblems, loadConfigFile, validateConfig } from '#hub/config/index.ts'
import type { Connector } from '#hub/connector/contract.ts'
import { actionNames } from '#hub/rules/definition.ts'
import { fieldNames, openPrefixes } from '#hub/rules/field.ts'
import { operatorNames } from '#hub/rules/operator.ts'

const env = {
  ZENDESK_CLIENT_SECRET: 'a-client-secret',
  MAIL_PASSWORD: 'a-password',
  MAIL_SIGNING_SECRET: 'a-signing-secret-of-some-length',
  HUBSPOT_TOKEN: 'a-token',
  HUBSPOT_CLIENT_SECRET: 'a-client-secret-of-some-length',
  LEGACY_DESK_SECRET: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
}

async function problems(files: ConfigFiles): Promise<string> {
  const loaded = Object.fromEntries(
    await Promise.all(
      Object.entries(connectors).map(async ([id, load]): Promise<[string, Connector]> => [id, await load()]),
    ),
  )
  const result = validateConfig(files, { env, connectors: loaded })
  return 'problems' in result ? formatProblems(result.problems, allFiles(files)) : ''
}

describe('docs/examples/deskweave.yaml', () => {
  it('is a configuration without a mistake', async () => {
    expect(await problems(await loadConfigFile('docs/examples/deskweave.yaml'))).toBe('')
  })
})

describe.each(['docs/agents.md', 'docs/es/agentes.md'])('%s', (path) => {
  it('shows only agents and macros without a mistake', async () => {
    const blocks = [...(await readFile(path, 'utf8')).matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text = '']) => text)
    expect(blocks.map((text) => text.split(':')[0])).toEqual(['agents', 'macros'])
    for (const text of blocks) expect(await problems({ main: { name: path, text }, included: [] })).toBe('')
  })
})

describe.each(['docs/rules.md', 'README.md'])('%s', (path) => {
  it('shows only rules without a mistake', async () => {
    const blocks = [...(await readFile(path, 'utf8')).matchAll(/^( *)```yaml\n(.*?)^ *```/gms)]
    const texts = blocks.map(([, indent = '', text = '']) => text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''))
    const rules = texts.filter((text) => text.startsWith('rules:'))
    expect(rules.length).toBeGreaterThan(0)
    for (const text of rules) expect(await problems({ main: { name: path, text }, included: [] })).toBe('')
  })
})

it('docs/rules.md names every event, field, operator and action', async () => {
  const text = await readFile('docs/rules.md', 'utf8')
  const names = [...eventTypes, ...fieldNames, ...openPrefixes.map((prefix) => `${prefix}<name>`), ...operatorNames]
  expect(names.filter((name) => !text.includes(`\`${name}\``))).toEqual([])
  expect(actionNames.filter((name) => !text.includes(`| \`${name}: `))).toEqual([])
})
