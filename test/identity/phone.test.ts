import { describe, expect, it } from 'vitest'
import { countryOf, phoneReader } from '#hub/identity/phone.ts'

describe('a phone number as a key', async () => {
  const read = await phoneReader()

  it.each([
    ['+34 600 111 222', undefined, '+34600111222'],
    ['600 111 222', 'ES', '+34600111222'],
    ['(020) 7946 0018', 'GB', '+442079460018'],
    ['600 111 222', undefined, undefined],
    ['600 111 222', 'XX', undefined],
    ['+44 20 7946 0018 ext. 5', undefined, undefined],
    ['0000000000', 'US', undefined],
    ['999 999 999', 'ES', undefined],
    ['call me', 'ES', undefined],
    ['', undefined, undefined],
  ])('%j in %s is %s', (text, country, e164) => {
    expect(read(text, country)).toBe(e164)
  })

  it('takes the country from the locale', () => {
    expect(['es-ES', 'zh-Hans-CN', 'pt_br', 'es', 'es-419', undefined].map(countryOf)).toEqual([
      'ES',
      'CN',
      'BR',
      undefined,
      undefined,
      undefined,
    ])
  })
})
