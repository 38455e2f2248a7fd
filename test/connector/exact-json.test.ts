import { describe, expect, it } from 'vitest'
import { parseExact } from '#hub/connector/exact-json.ts'

describe('exact JSON', () => {
  it('gives whole numbers beyond 2^53 as their digits, and leaves all else as it is', () => {
    expect(parseExact('{"id":9007199254740993,"minus":-9007199254740993,"small":42,"half":0.5,"e":1e300}')).toEqual({
      id: '9007199254740993',
      minus: '-9007199254740993',
      small: 42,
      half: 0.5,
      e: 1e300,
    })
  })

  it('throws a SyntaxError on what is not JSON', () => {
    expect(() => parseExact('{"id":')).toThrow(SyntaxError)
  })
})
