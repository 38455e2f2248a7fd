/** How long something has taken, in one rounded word. */
import { fill, type Messages } from './messages/index.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** Rounded down; days from 48 hours on. */
export function durationWords(since: string, now: Date, { duration }: Messages): string {
  const ms = Math.max(0, now.getTime() - new Date(since).getTime())
  if (ms >= 2 * dayMs) return fill(duration.days, { count: Math.floor(ms / dayMs) })
  if (ms >= hourMs) return fill(duration.hours, { count: Math.floor(ms / hourMs) })
  if (ms >= minuteMs) return fill(duration.minutes, { count: Math.floor(ms / minuteMs) })
  return duration.now
}
