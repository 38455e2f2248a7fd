import fc from 'fast-check'
import { expect, test } from 'vitest'
import { escaped } from './text.ts'

test('a text is made harmless within any room, also within one that is smaller than its first character', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 40 }), (text, longest) => {
      const result = escaped(text, longest)
      expect(result.length).toBeLessThanOrEqual(longest)
      expect(result).not.toMatch(/[<>]/)
    }),
  )
  expect(escaped('&&', 1)).toBe('…')
  expect(escaped('&', 4)).toBe('…')
  expect(escaped('a & b', 9)).toBe('a &amp; b')
})
