import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shareOf, summarise } from '#hub/surveys/statistics.ts'

describe('a share with its interval', () => {
  // Reference values: Wilson's score interval without continuity correction, z = 1.959964 (R: binom::binom.wilson).
  it.each([
    [8, 10, 0.490162, 0.943318],
    [1, 10, 0.017876, 0.40415],
    [50, 100, 0.403832, 0.596168],
    [0, 10, 0, 0.277533],
    [10, 10, 0.722467, 1],
  ])('%i of %i lies between %f and %f', (count, of, low, high) => {
    const share = shareOf(count, of)
    expect(share.low).toBeCloseTo(low, 5)
    expect(share.high).toBeCloseTo(high, 5)
    expect(share.value).toBe(count / of)
  })

  it('has no value where nobody was asked', () => {
    expect(shareOf(0, 0)).toEqual({ count: 0, of: 0, value: null, low: null, high: null })
  })

  it('always lies within its interval, and the interval between 0 and 1', () => {
    const pair = fc
      .integer({ min: 1, max: 5000 })
      .chain((of) => fc.tuple(fc.integer({ min: 0, max: of }), fc.constant(of)))
    fc.assert(
      fc.property(pair, ([count, of]) => {
        const { low, value, high } = shareOf(count, of)
        expect([0, low, value, high, 1]).toEqual([0, low, value, high, 1].toSorted((a, b) => Number(a) - Number(b)))
      }),
    )
  })
})

describe('what scores say', () => {
  it('counts the best score, the best two and the low ones of CSAT', () => {
    const counts = [
      { score: 5, count: 6 },
      { score: 4, count: 2 },
      { score: 1, count: 2 },
      { score: 9, count: 50 },
    ]
    expect(summarise('csat', counts, 2)).toMatchObject({
      n: 10,
      mean: 4,
      top_box: { count: 6, of: 10, value: 0.6 },
      top_2_box: { count: 8, of: 10, value: 0.8 },
      low: { count: 2 },
      nps: null,
      distribution: [
        { score: 1, count: 2 },
        { score: 2, count: 0 },
        { score: 3, count: 0 },
        { score: 4, count: 2 },
        { score: 5, count: 6 },
      ],
    })
  })

  it('takes detractors from promoters for NPS', () => {
    const counts = [
      { score: 10, count: 5 },
      { score: 9, count: 1 },
      { score: 8, count: 2 },
      { score: 0, count: 2 },
    ]
    const { nps } = summarise('nps', counts, 6)
    expect(nps?.value).toBeCloseTo(40)
    expect(nps?.low).toBeCloseTo(-9.58, 1)
    expect(nps?.high).toBeCloseTo(89.58, 1)
  })

  it('says nothing before the first answer', () => {
    expect(summarise('nps', [], 6)).toMatchObject({ n: 0, mean: null, nps: null, top_box: { value: null } })
  })
})
