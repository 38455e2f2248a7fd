/** What can be seen without running the connector: manifest, settings, documentation, declarations. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { type Check, configOf, type Subject } from './check.ts'
import { reasonAgainst } from './quality.ts'

const manifestSchema = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/),
  name: z.string().min(2),
  docs: z.url({ protocol: /^https$/ }),
  path: z
    .string()
    .regex(/^\/[a-z]+\/[a-z]+$/)
    .exactOptional(),
  hosts: z.array(z.string().regex(/^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$/)),
  limits: z
    .array(
      z.strictObject({
        budget: z.string().min(1),
        requests: z.number().int().positive(),
        perSeconds: z.number().positive(),
        each: z.literal(true).exactOptional(),
      }),
    )
    .min(1),
})

export function staticChecks(subject: Subject): Check[] {
  const { connector, folder, quality } = subject
  const file = (name: string) => new URL(name, folder)
  const readme = () => (existsSync(file('README.md')) ? readFileSync(file('README.md'), 'utf8') : '')
  return [
    {
      name: 'manifest: complete, its id is the folder, one budget is called default',
      run() {
        const manifest = manifestSchema.parse(connector.manifest)
        assert.equal(manifest.id, basename(fileURLToPath(folder)))
        const budgets = manifest.limits.map((limit) => limit.budget)
        assert.ok(budgets.includes('default'), 'limits: one budget must be "default"')
        const shared = manifest.limits.filter((limit) => !limit.each).map((limit) => limit.budget)
        assert.equal(new Set(shared).size, shared.length, 'limits: a budget is named twice')
        const windows = manifest.limits.filter((limit) => limit.each)
        assert.ok(
          !windows.some(({ budget }) => shared.includes(budget)),
          'limits: a budget is shared, or each has its own',
        )
      },
    },
    {
      name: 'manifest: documentation and hosts are the vendor’s own, not placeholders',
      run() {
        const placeholders = [connector.manifest.docs, ...connector.manifest.hosts].filter((text) =>
          /\.example(\/|$)/.test(text),
        )
        assert.deepEqual(
          placeholders,
          [],
          'manifest.json still has the addresses of the template: put the vendor’s own',
        )
        assert.ok(
          connector.manifest.hosts.length > 0 || connector.hostsOf,
          'no host: give hosts, or hostsOf for self-hosted ones',
        )
      },
    },
    {
      name: 'settings: the example is accepted, and every secret is marked .meta({ secret: true })',
      run() {
        configOf(subject, {})
        assert.deepEqual(
          unmarkedSecrets(settingsSchema(subject)),
          [],
          'config.ts: fields that are named like secrets; mark them .meta({ secret: true }), or name them otherwise',
        )
      },
    },
    {
      name: 'capabilities: every call says how a lost answer is settled, and probed calls can be found',
      run() {
        for (const [capability, of] of Object.entries(connector.can)) {
          if (!hasEffects(of)) continue
          const calls = callsOf(of).filter((call) => !readingCalls.has(call))
          assert.deepEqual(Object.keys(of.effects).sort(), calls.sort(), `${capability}.effects`)
          const probed = Object.values(of.effects).includes('probed')
          assert.equal(
            callsOf(of).includes('find'),
            probed,
            `${capability}: find() is there when a call is probed, and only then`,
          )
        }
      },
    },
    {
      name: 'README: says how to set up, what the limits are and how to remove',
      run() {
        const text = readme()
        const rules = { setup_docs: '## Set up', limits_documented: '## Limits', removal_docs: '## Remove' } as const
        for (const [rule, heading] of Object.entries(rules)) {
          const claimed = rule === 'limits_documented' ? quality.limits_documented === 'done' : true
          assert.ok(!claimed || text.includes(`\n${heading}`), `README.md: the section "${heading}" is missing`)
        }
      },
    },
    {
      name: 'quality.json: what the kit must see done is not excused',
      run() {
        for (const rule of ['conformance', 'check_before_save', 'setup_docs', 'removal_docs'] as const) {
          const excuse = reasonAgainst(quality, rule)
          assert.ok(excuse === undefined || excuse.startsWith('to do'), `quality.json: ${rule} cannot be exempt`)
        }
      },
    },
    {
      name: 'fixtures: every declared call and both directions are shown',
      run() {
        const shown = new Set(subject.outbound.map((fixture) => fixture.call))
        assert.deepEqual(
          subject.sockets ? [] : declaredCalls(subject).filter((call) => !shown.has(call)),
          [],
          'declared in connector.ts and shown by no file in fixtures/outbound',
        )
        if (connector.can.receive)
          assert.ok(subject.inbound.length > 0, 'fixtures/inbound: none, but the connector receives')
      },
    },
    ...pointerChecks(subject),
    ...[...subject.inbound, ...subject.outbound].flatMap(({ name, todo }) =>
      todo === undefined
        ? []
        : [
            {
              name: `fixture ${name}: is real`,
              run: () => assert.fail(`todo: ${todo}`),
            },
          ],
    ),
  ]
}

/** The hub reads what a thin webhook points to, or knows nothing of it. */
function pointerChecks({ connector, inbound }: Subject): Check[] {
  const readers = { case: 'readCases', person: 'readPeople' } as const
  const observations = inbound.flatMap(({ expected }) => ('items' in expected ? expected.observations : []))
  const entities = new Set(
    observations.map(
      (one) => z.object({ type: z.literal('pointer'), entity: z.enum(['case', 'person']) }).safeParse(one).data?.entity,
    ),
  )
  return [...entities].flatMap((entity) =>
    entity === undefined
      ? []
      : [
          {
            name: `pointers: the hub can read the ${entity} that a webhook points to`,
            run: () =>
              assert.ok(
                connector.can[readers[entity]],
                `webhooks point to a ${entity}, and the connector has no ${readers[entity]}: nothing would come of them`,
              ),
          },
        ],
  )
}

function hasEffects(value: unknown): value is { readonly effects: Readonly<Record<string, unknown>> } {
  return typeof value === 'object' && value !== null && 'effects' in value
}

/** They look, or show something that passes: when their answer is lost, nothing has to be settled. */
const readingCalls = new Set(['find', 'show', 'whoIs', 'filesOf', 'direct'])

/** `writeRating.changes` tells beforehand what `record` will change; the others are as pure. */
const pureFunctions = new Set([
  'changes',
  'takesCustom',
  'normaliseTag',
  'settings',
  'reply',
  'groupOf',
  'missing',
  'authorizeUrl',
])

/** A call may be an object with a `run`, such as `revise`. */
function callsOf(capability: object): string[] {
  return Object.entries(capability).flatMap(([name, value]) => {
    const isCall = typeof value === 'function' || (typeof value === 'object' && value !== null && 'run' in value)
    return isCall && !pureFunctions.has(name) ? [name] : []
  })
}

/** Calls that go out: `check`, `writeCase.update`, … */
export function declaredCalls({ connector }: Pick<Subject, 'connector'>): string[] {
  const calls = Object.entries(connector.can).flatMap(([name, capability]) =>
    name === 'receive' || capability === undefined
      ? []
      : typeof capability === 'function'
        ? [name]
        : callsOf(capability).map((call) => `${name}.${call}`),
  )
  return ['check', ...calls]
}

type JsonSchema = { readonly [key: string]: unknown }
function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The settings as JSON Schema, with the marks of their fields. */
export function settingsSchema({ connector }: Pick<Subject, 'connector'>): JsonSchema {
  return z.toJSONSchema(connector.config, { io: 'input', unrepresentable: 'any' })
}

const secretName = /(secret|token|passw(or)?d|passphrase|api_?key|private_?key|credentials?)$/i

function unmarkedSecrets(schema: unknown, path = ''): string[] {
  if (!isSchema(schema)) return []
  const alternatives = ['anyOf', 'oneOf', 'allOf'].flatMap((key) => (Array.isArray(schema[key]) ? schema[key] : []))
  const properties = isSchema(schema['properties']) ? Object.entries(schema['properties']) : []
  return [
    ...alternatives.flatMap((alternative: unknown) => unmarkedSecrets(alternative, path)),
    ...properties.flatMap(([name, property]) => {
      const here = path === '' ? name : `${path}.${name}`
      if (isSchema(property) && property['secret'] === true) return []
      const free =
        isSchema(property) && property['type'] === 'string' && !('enum' in property) && !('const' in property)
      return free && secretName.test(name) ? [here] : unmarkedSecrets(property, here)
    }),
  ]
}

/** The values of the fields marked as secret. */
export function secretValues(schema: unknown, value: unknown): string[] {
  if (!isSchema(schema)) return []
  if (schema['secret'] === true) return typeof value === 'string' ? [value] : []
  const alternatives = ['anyOf', 'oneOf', 'allOf'].flatMap((key) => (Array.isArray(schema[key]) ? schema[key] : []))
  const properties = isSchema(schema['properties']) && isSchema(value) ? Object.entries(schema['properties']) : []
  return [
    ...alternatives.flatMap((alternative: unknown) => secretValues(alternative, value)),
    ...properties.flatMap(([name, property]) => (isSchema(value) ? secretValues(property, value[name]) : [])),
  ]
}
