import { describe, expect, it } from 'vitest'
import { localPart, normaliseDomain, normaliseEmail } from '#hub/identity/email.ts'
import { isRoleAddress } from '#hub/identity/role-addresses.ts'

describe('an e-mail address as a key', () => {
  it.each([
    [' Ana@Example.COM ', 'ana@example.com'],
    ['ana@bücher.example', 'ana@xn--bcher-kva.example'],
    ['e\u0301va@acme.example', 'éva@acme.example'],
    ['ana@ａｃｍｅ.example', 'ana@acme.example'],
    ['"x@y"@acme.example', undefined],
    ['ana+news@acme.example', 'ana+news@acme.example'],
    ['a.n.a@gmail.com', 'a.n.a@gmail.com'],
    ['ana@localhost', undefined],
    ['ana@10.0.0.1', undefined],
    ['Ana <ana@acme.example>', undefined],
    ['ana\u200b@acme.example', undefined],
    ['@acme.example', undefined],
    ['ana', undefined],
    ['', undefined],
    [`${'a'.repeat(320)}@acme.example`, undefined],
  ])('%j is %j', (text, normal) => {
    expect(normaliseEmail(text)).toBe(normal)
  })

  it('keeps a look-alike domain apart from the real one', () => {
    expect(normaliseEmail('ana@\u0430cme.example')).not.toBe(normaliseEmail('ana@acme.example'))
    expect(normaliseEmail('\u0430na@acme.example')).not.toBe(normaliseEmail('ana@acme.example'))
  })

  it('reads a domain with or without capitals and accents', () => {
    expect(normaliseDomain('Müller.Example')).toBe('xn--mller-kva.example')
    expect(normaliseDomain('not a domain')).toBeUndefined()
  })
})

describe('an address of a function', () => {
  it.each([
    'info',
    'support',
    'support+id77',
    'no-reply',
    'noreply',
    'do-not-reply',
    'donotreply',
    'no_reply-orders',
    'noreply2',
    'mailer-daemon',
    'bounce-7f3',
    'bounces+9-ana=acme.example',
    'customer-service',
    'ventas',
    'reply+case-12',
  ])('%s belongs to nobody', (local) => {
    expect(isRoleAddress(local)).toBe(true)
  })

  it.each(['ana', 'ana.ruiz', 'noreen', 'replyana', 'infoana', 'salesh', 'norman-reply', 'adminton'])(
    '%s belongs to a person',
    (local) => {
      expect(isRoleAddress(local)).toBe(false)
    },
  )

  it('is told by what stands before the @', () => {
    expect(localPart('"odd"@x@acme.example')).toBe('"odd"@x')
  })
})
