/** Short ways to write files, with a mark where a problem is expected. */
import { z } from 'zod'
import { agentSection, identitySection } from '#hub/config/sections.ts'
import type { ConfigKnown, Sections } from '#hub/config/validate.ts'
import { defineConnector } from '#hub/connector/contract.ts'
import { validateSurvey } from '#hub/surveys/definition.ts'
import { chatTool } from '#kit/chat.ts'

const idle = async () => ({})
const manifest = (id: string) => ({ id, name: id, docs: 'https://example.org', hosts: [], limits: [] })
const check = async () => ({ account: 'example' })

const settings = z.strictObject({
  subdomain: z.string().regex(/^[a-z]+$/, 'expected the part before .example.org'),
  api_token: z.string().min(8).meta({ secret: true }),
  auth: z
    .strictObject({ mode: z.enum(['basic', 'oauth']), password: z.string().meta({ secret: true }).optional() })
    .optional(),
})

/** A desk that takes cases but no assignee; a pager that takes notices; a chat tool; a CRM that takes people; a mailbox. */
const connectors = {
  tickets: defineConnector({
    manifest: manifest('tickets'),
    config: settings,
    check,
    can: {
      writeCase: {
        fields: ['status', 'priority', 'tags', 'team'],
        create: idle,
        update: idle,
        message: idle,
        effects: { create: 'keyed', update: 'keyed', message: 'keyed' },
      },
    },
  }),
  chat: defineConnector({
    manifest: manifest('chat'),
    config: z.strictObject({}),
    check,
    can: { notify: { send: idle, effects: { send: 'keyed' } } },
  }),
  mailbox: defineConnector({
    manifest: manifest('mailbox'),
    config: z.strictObject({}),
    check,
    can: {
      writeCase: {
        fields: [],
        needsThread: true,
        isConversation: true,
        create: idle,
        update: idle,
        message: idle,
        effects: { create: 'keyed', update: 'keyed', message: 'keyed' },
      },
    },
  }),
  slack: chatTool('slack'),
  crm: defineConnector({
    manifest: manifest('crm'),
    config: z.strictObject({}),
    check,
    can: { writePerson: { upsert: idle, effects: { upsert: 'keyed' } } },
  }),
}

export const known: ConfigKnown & Sections = {
  env: { DESK_TOKEN: 'token-1234567', SHORT: 'abc', EMPTY: '' },
  connectors,
  survey: validateSurvey,
  identity: identitySection,
  agent: agentSection,
}

/** `▲` stands before the place where the problem is expected. */
export function marked(text: string): { text: string; place: string } {
  const before = text.slice(0, text.indexOf('▲')).split('\n')
  return { text: text.replace('▲', ''), place: `${before.length}:${(before.at(-1)?.length ?? 0) + 1}` }
}

export const connections = `connections:
  - name: Legacy desk
    connector: tickets
    config:
      subdomain: acme
      api_token: \${DESK_TOKEN}
  - { name: Chat, connector: chat }
  - { name: CRM, connector: crm }
`

/** A rule in a file with connections; the given lines replace those of the example. */
export function withRule(keys: Readonly<Record<string, string>>): string {
  const lines = { id: 'r', name: 'R', on: '[case.updated]', then: '[{ tag: { add: [seen] } }]', mode: 'on', ...keys }
  const written = Object.entries(lines).map(([key, value]) => `    ${key}: ${value}\n`)
  return `${connections}rules:\n  -\n${written.join('')}`
}
