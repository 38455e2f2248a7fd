/** Authentic does not mean readable: whatever the body is, the connector says `UnreadableInput` or reads it; nothing else. */
import assert from 'node:assert/strict'
import { UnreadableInput } from '#hub/connector/errors.ts'
import { cpuTimeMs } from '../cpu-time.ts'
import type { Check } from './check.ts'
import type { MakeCheck, Received } from './inbound-checks.ts'
import { withMemberEverywhere } from './json-text.ts'
import { observationSchema } from './observation.ts'

export function hostileChecks(check: MakeCheck): Check[] {
  return [
    check('a body that is cut, empty or garbage is unreadable', async (given) => {
      const { body } = given.request
      const isJson = /^\s*[[{]/.test(body.toString('utf8'))
      for (const broken of [body.subarray(0, body.length - 1), Buffer.from('{'), Buffer.from('{"a":1}}')]) {
        if (isJson)
          assert.equal(await outcome(given, broken), 'unreadable', `read: ${broken.toString('utf8').slice(-20)}`)
      }
      const garbage = [
        '',
        ' ',
        'null',
        'true',
        '0',
        '"text"',
        '[]',
        '{}',
        '[null]',
        '[[]]',
        '[1,"a"]',
        '\ufeff',
        '\u0000',
        '<xml/>',
        'a=b&c',
      ]
      for (const text of garbage) await outcome(given, Buffer.from(text))
      await outcome(given, Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28]))
    }),
    check('nesting 100,000 levels deep is unreadable or read, within two seconds of work', async (given) => {
      const startedMs = cpuTimeMs()
      const depth = 100_000
      await outcome(given, Buffer.from('['.repeat(depth)))
      await outcome(given, Buffer.from(`${'['.repeat(depth)}${']'.repeat(depth)}`))
      await outcome(given, Buffer.from(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`))
      assert.ok(cpuTimeMs() - startedMs < 2_000, 'it took too long')
    }),
    check('any value of another type in its place is unreadable or read', async (given) => {
      for (const changed of mutations(given.request.body.toString('utf8'))) await outcome(given, Buffer.from(changed))
    }),
    check('__proto__ and constructor keys change nobody', async (given) => {
      const added = await addedToPrototypes(async () => {
        for (const changed of poisoned(given.request.body.toString('utf8'))) await outcome(given, Buffer.from(changed))
      })
      assert.deepEqual(added, [], 'added to the prototypes of all objects')
    }),
  ]
}

/** What the work added to Object.prototype and Array.prototype; taken away again, so that the next check starts clean. */
async function addedToPrototypes(work: () => Promise<void>): Promise<PropertyKey[]> {
  const prototypes = [Object.prototype, Array.prototype].map((prototype) => ({
    prototype,
    before: Reflect.ownKeys(prototype),
  }))
  const added: PropertyKey[] = []
  try {
    await work()
  } finally {
    for (const { prototype, before } of prototypes) {
      const news = Reflect.ownKeys(prototype).filter((key) => !before.includes(key))
      for (const key of news) Reflect.deleteProperty(prototype, key)
      added.push(...news)
    }
  }
  return added
}

async function outcome({ receive, request, ctx }: Received, body: Buffer): Promise<'read' | 'unreadable'> {
  try {
    for (const item of receive.items({ ...request, body }, ctx)) {
      assert.equal(typeof item.key, 'string')
      for (const observation of await receive.normalise(item, ctx)) observationSchema.parse(observation)
    }
    return 'read'
  } catch (error) {
    if (error instanceof UnreadableInput) return 'unreadable'
    const start = body.toString('utf8', 0, 120)
    throw new Error(`${error instanceof Error ? `${error.name}: ${error.message}` : error} for the body ${start}…`, {
      cause: error,
    })
  }
}

const marks = [null, true, -1, 1.5, 1e300, '', '\ud800', 'text \u0000', '9'.repeat(400), [], {}, [null], { a: 1 }]

/** The body once for each value in it and each strange replacement; a fixture with a big body is sampled. */
function* mutations(text: string): Generator<string> {
  const root = parsed(text)
  if (root === undefined) return
  const places: [object, string][] = []
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [key, inner] of Object.entries(value)) {
      places.push([value, key])
      visit(inner)
    }
  }
  visit(root)
  const step = Math.ceil(places.length / 60)
  for (const [index, [holder, key]] of places.entries()) {
    if (index % step !== 0) continue
    const before: unknown = Reflect.get(holder, key)
    for (const mark of marks) {
      Reflect.set(holder, key, mark)
      yield JSON.stringify(root)
    }
    // Absent altogether; in an array, JSON has null instead.
    Reflect.set(holder, key, undefined)
    yield JSON.stringify(root)
    Reflect.set(holder, key, before)
  }
}

function poisoned(text: string): string[] {
  const keys = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']
  const values = ['{"polluted":true}', '{"prototype":{"polluted":true}}', '"polluted"', 'null']
  return keys.flatMap((key) => values.map((value) => withMemberEverywhere(text, `"${key}":${value}`)))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
