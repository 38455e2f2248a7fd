import { describe, expect, it } from 'vitest'
import { clearlyDiffer, fitTogether, nameWords } from '#hub/identity/names.ts'

const mayBeOne = (a: string, b: string) => fitTogether(nameWords(a), nameWords(b))
const differ = (a: string, b: string) => clearlyDiffer(nameWords(a), nameWords(b))

describe('two names on one phone number', () => {
  it.each([
    ['Ana Ruiz', 'Ruiz, Ana'],
    ['Ana', 'Ana Ruiz'],
    ['A. Ruiz', 'Ana Ruiz'],
    ['Ana María Ruiz García', 'Ana Ruiz'],
    ['MÜLLER, Jürgen', 'jurgen muller'],
    ['Visitor 12', 'Ana Ruiz'],
    ['ana@acme.example', 'Bob Stone'],
    ['Caller +34 600 111 222', 'Bob Stone'],
    ['Sra. Ana de la Cruz', 'Ana Cruz'],
  ])('%s and %s may be one person', (a, b) => {
    expect(mayBeOne(a, b)).toBe(true)
    expect(mayBeOne(b, a)).toBe(true)
  })

  it.each([
    ['Ana Ruiz', 'Bob Stone'],
    ['Ana Ruiz', 'Luis Ruiz'],
    ['Ana de la Cruz', 'Luis de la Torre'],
    ['Ana', 'Bob'],
  ])('%s and %s are two', (a, b) => {
    expect(mayBeOne(a, b)).toBe(false)
    expect(mayBeOne(b, a)).toBe(false)
  })
})

describe('two names on one e-mail address', () => {
  it.each([
    ['Ana Ruiz', 'Ana Stone'],
    ['Ana Ruiz', 'aruiz'],
    ['李 雷', 'Li Lei'],
    ['A. R.', 'Ana Ruiz'],
    ['', 'Ana Ruiz'],
  ])('%s and %s may be one person', (a, b) => {
    expect(differ(a, b)).toBe(false)
    expect(differ(b, a)).toBe(false)
  })

  it('two full names without a common word are two people', () => {
    expect(differ('Ana Ruiz', 'Bob Stone')).toBe(true)
  })
})
