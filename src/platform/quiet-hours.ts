/** When nobody wants to hear from us: a span of the day in a time zone, over midnight too, and over clock changes. Pure. */
import { z } from 'zod'
import type { QuietHours } from './db/schema.ts'

const TimeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time of day such as "21:30"')
const TimeZone = z
  .string()
  .refine(isTimeZone, 'expected a time zone of the IANA list, such as "Europe/Madrid" or "UTC"')

/** As people write them. */
export const WrittenQuietHours = z
  .strictObject({ from: TimeOfDay, to: TimeOfDay, time_zone: TimeZone })
  .refine(({ from, to }) => from !== to, { path: ['to'], message: 'expected another time than "from"' })

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

const minuteMs = 60_000
const dayMinutes = 24 * 60

export function isQuiet(at: Date, quiet: QuietHours): boolean {
  const { from, to } = minutesOf(quiet)
  const minute = localMinute(at, quiet.time_zone)
  return from < to ? minute >= from && minute < to : minute >= from || minute < to
}

/** @returns `at`, or the end of the quiet hours it falls in. */
export function afterQuietHours(at: Date, quiet: QuietHours | undefined): Date {
  if (!quiet || !isQuiet(at, quiet)) return at
  const { to } = minutesOf(quiet)
  const start = Math.floor(at.getTime() / minuteMs) * minuteMs
  const wait = (to - localMinute(at, quiet.time_zone) + dayMinutes) % dayMinutes
  const end = new Date(start + wait * minuteMs)
  // The clocks changed in between: the local time is off by the change. A time that the change left out stays after it.
  const off = to - localMinute(end, quiet.time_zone)
  const corrected = new Date(end.getTime() + (((off + 1.5 * dayMinutes) % dayMinutes) - dayMinutes / 2) * minuteMs)
  return isQuiet(corrected, quiet) ? end : corrected
}

function minutesOf({ from, to }: QuietHours) {
  return { from: minuteOfDay(from), to: minuteOfDay(to) }
}

function minuteOfDay(text: string): number {
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5))
}

const formats = new Map<string, Intl.DateTimeFormat>()

function localMinute(at: Date, timeZone: string): number {
  const options = { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const
  const format = formats.get(timeZone) ?? new Intl.DateTimeFormat('en-GB', options)
  formats.set(timeZone, format)
  return minuteOfDay(format.format(at))
}
