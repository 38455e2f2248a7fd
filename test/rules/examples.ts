/** A case of Acme's, and short ways to write rules about it. */
import { type RuleDefinition, validateRule } from '#hub/rules/index.ts'
import type { CaseView, ProfileView, RuleContext } from '#hub/rules/plan.ts'

export const now = new Date('2026-11-22T10:00:00Z')

export const theCase: CaseView = {
  id: 'case_1',
  subject: 'Refund for invoice 42',
  status: 'open',
  priority: 'high',
  channel: 'email',
  tags: ['billing', 'VIP'],
  team: 'Billing',
  assignee: { name: 'Leo', email: 'leo@desk.example' },
  custom: { product: 'Router', seats: 40, beta: true, areas: ['north', 'south'], renewal: '2026-11-20T10:00:00Z' },
  url: 'https://desk.example/T-1',
  connection: 'Legacy desk',
  connector: 'desk',
  created_at: '2026-11-21T10:00:00.000Z',
  updated_at: '2026-11-22T09:00:00.000Z',
  solved_at: null,
}

export const theProfile: ProfileView = {
  id: 'profile_1',
  name: 'Ana García',
  emails: ['ana@acme.example', 'ana@home.example'],
  phones: ['+34600111222'],
  locale: 'es-ES',
  traits: { plan: 'Pro', score: '17', vip: true },
  company: { name: 'Acme', domain: 'acme.example', plan: 'enterprise', renewal_at: '2027-01-31' },
  open_cases: 3,
}

export function contextOf(changes: Partial<RuleContext> = {}): RuleContext {
  return {
    event: { type: 'case.updated', changes: {}, connection: 'Legacy desk', at: '2026-11-22T10:00:00.000Z' },
    case: theCase,
    profile: theProfile,
    message: null,
    rating: null,
    approval: null,
    ...changes,
  }
}

/** A checked rule on `case.updated`; the given keys replace those of the example. */
export function rule(keys: Readonly<Record<string, unknown>> = {}): RuleDefinition {
  const read = validateRule({
    id: 'example',
    name: 'Example',
    on: ['case.updated'],
    then: [{ tag: { add: ['seen'] } }],
    mode: 'on',
    ...keys,
  })
  if (!read.ok) throw new Error(JSON.stringify(read.issues))
  return read.rule
}
