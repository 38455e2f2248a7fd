import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { afterQuietHours, isQuiet } from '#hub/platform/quiet-hours.ts'

const nights = { from: '20:00', to: '08:00', time_zone: 'Europe/Madrid' }
const endOf = (at: string, quiet = nights) => afterQuietHours(new Date(at), quiet).toISOString()

describe('quiet hours', () => {
  it.each([
    ['in the afternoon nothing moves', '2026-11-22T14:30:15.000Z', '2026-11-22T14:30:15.000Z'],
    ['in the evening it waits for the next morning', '2026-11-22T19:00:00.000Z', '2026-11-23T07:00:00.000Z'],
    ['after midnight it waits for the same morning', '2026-11-23T02:12:34.567Z', '2026-11-23T07:00:00.000Z'],
    ['the last minute is quiet', '2026-11-23T06:59:59.999Z', '2026-11-23T07:00:00.000Z'],
    ['the end is not', '2026-11-23T07:00:00.000Z', '2026-11-23T07:00:00.000Z'],
    ['clocks go forward that night', '2026-03-28T21:00:00.000Z', '2026-03-29T06:00:00.000Z'],
    ['clocks go back that night', '2026-10-24T20:00:00.000Z', '2026-10-25T07:00:00.000Z'],
  ])('%s', (_, at, expected) => {
    expect(endOf(at)).toBe(expected)
  })

  it('know spans within a day and zones that are half an hour off', () => {
    const lunch = { from: '12:00', to: '13:30', time_zone: 'Asia/Kolkata' }
    expect(endOf('2026-11-22T06:30:00.000Z', lunch)).toBe('2026-11-22T08:00:00.000Z')
    expect(endOf('2026-11-22T06:29:00.000Z', lunch)).toBe('2026-11-22T06:29:00.000Z')
  })

  it('end at a time that is not quiet, never earlier, within a day and an hour', () => {
    const time = fc.tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
    const text = ([hour, minute]: [number, number]) =>
      `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`
    const zone = fc.constantFrom('Europe/Madrid', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'UTC')
    const date = fc.date({ min: new Date('2026-01-01'), max: new Date('2027-12-31'), noInvalidDate: true })
    fc.assert(
      fc.property(date, time, time, zone, (at, from, to, time_zone) => {
        const quiet = { from: text(from), to: text(to), time_zone }
        fc.pre(quiet.from !== quiet.to)
        const end = afterQuietHours(at, quiet)
        expect(isQuiet(end, quiet)).toBe(false)
        expect(end.getTime()).toBeGreaterThanOrEqual(at.getTime())
        expect(end.getTime() - at.getTime()).toBeLessThanOrEqual(25 * 3_600_000)
      }),
      { numRuns: 2000 },
    )
  })
})
