import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { joinConfig, keepSecrets, secretTexts, splitConfig } from '#hub/connections/secret-fields.ts'

const secret = () => z.string().meta({ secret: true })

const schema = z
  .object({
    subdomain: z.string(),
    token: secret().optional(),
    wrapped: z.string().optional().meta({ secret: true }),
    trimmed: z.preprocess((value) => value, z.string().min(3).meta({ secret: true })).nullable(),
    auth: z.union([
      z.object({ kind: z.literal('a'), key: secret() }),
      z.object({ kind: z.literal('b'), key: z.string(), user: z.string() }),
    ]),
    accounts: z.array(z.object({ name: z.string(), password: secret().default('x') })),
    headers: z.record(z.string(), secret()),
    pair: z.tuple([z.string(), secret()]),
    deep: z.lazy(() => z.object({ inner: z.object({ pin: secret() }).readonly() })),
    both: z.intersection(z.object({ left: secret() }), z.object({ right: z.string() })),
    free: z.unknown(),
    key_file: z.object({ json: z.string() }).meta({ secret: true }),
  })
  .superRefine(() => {})

const config = {
  subdomain: 'acme',
  token: 's1',
  wrapped: 's2',
  trimmed: 's3x',
  auth: { kind: 'b', key: 's4', user: 'ana' },
  accounts: [
    { name: 'one', password: 's5' },
    { name: 'two', password: 's6' },
  ],
  headers: { 'x-key': 's7' },
  pair: ['open', 's8'],
  deep: { inner: { pin: 's9' } },
  both: { left: 's10', right: 'open' },
  free: { any: { thing: 1 } },
  key_file: { json: 's11' },
}

describe('splitConfig', () => {
  it('finds every secret, however it is wrapped, nested or one branch of a union', () => {
    const { open, secrets, unknown } = splitConfig(schema, config)
    expect([...secretTexts(secrets)].sort()).toEqual([
      's1',
      's10',
      's11',
      's2',
      's3x',
      's4',
      's5',
      's6',
      's7',
      's8',
      's9',
    ])
    expect(open).toEqual({
      subdomain: 'acme',
      auth: { kind: 'b', user: 'ana' },
      accounts: [{ name: 'one' }, { name: 'two' }],
      headers: {},
      pair: ['open', null],
      deep: { inner: {} },
      both: { right: 'open' },
      free: { any: { thing: 1 } },
    })
    expect(unknown).toEqual([])
  })

  it('gives the settings back as they were when joined again', () => {
    const { open, secrets } = splitConfig(schema, config)
    expect(joinConfig(open, secrets)).toEqual(config)
  })

  it('keeps out fields that the schema does not know', () => {
    const { open, unknown } = splitConfig(schema, { subdomain: 'acme', tokn: 's1', auth: { kind: 'b', pass: 's2' } })
    expect(unknown).toEqual(['tokn', 'auth.pass'])
    expect(JSON.stringify(open)).not.toMatch(/s1|s2/)
  })
})

describe('keepSecrets', () => {
  it('keeps what was not entered again and takes what was', () => {
    const before = splitConfig(schema, config).secrets
    const given = splitConfig(schema, { subdomain: 'acme', token: 'new' })
    const kept = keepSecrets(given, before)
    expect(kept).toHaveLength(before.length)
    expect(kept.find(({ path }) => path[0] === 'token')?.value).toBe('new')
    expect(kept.find(({ path }) => path[0] === 'wrapped')?.value).toBe('s2')
  })
})
