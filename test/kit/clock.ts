/** A clock that stands still until told otherwise. */
export interface FakeClock {
  now(): Date
  advance(ms: number): void
  set(time: Date | string): void
}

export function fakeClock(start: Date | string = '2026-11-22T10:00:00Z'): FakeClock {
  let time = new Date(start).getTime()
  return {
    now: () => new Date(time),
    advance(ms) {
      time += ms
    },
    set(to) {
      time = new Date(to).getTime()
    },
  }
}
