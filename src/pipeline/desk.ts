/**
 * Rows that were stored a moment ago by this process, already leased to its worker: they need no claim, and their bodies are
 * in memory. While there is a backlog nothing is taken here, so that nobody overtakes those who wait.
 */
import type { Taker } from '#hub/inbox/index.ts'
import type { InboxRow } from '#hub/normalise/index.ts'
import { type Hold, newHold } from '#hub/platform/ledger.ts'

export interface Desk extends Taker {
  readonly hold: Hold
  /** All that lies here, the oldest first. */
  next(): readonly InboxRow[]
  /** There may be rows to claim. */
  expectMore(): void
  /** Whether somebody expected more since the last time. */
  isMoreExpected(): boolean
  /** How the last claim went: a full one is the sign of a backlog. */
  claimed(isFull: boolean): void
  /** From now on rows are stored for anybody. @returns what lies here. */
  close(): readonly InboxRow[]
}

/** @param room rows that may lie here. */
export function createDesk(room: number, wake: () => void): Desk {
  const hold = newHold()
  let rows: InboxRow[] = []
  let announced = 0
  let isBehind = false
  let isMore = true
  let isClosed = false

  function next(): readonly InboxRow[] {
    const taken = rows.toSorted((a, b) => a.seq - b.seq)
    rows = []
    return taken
  }

  return {
    hold,
    next,
    reserve(count) {
      isBehind ||= rows.length + announced + count > room
      if (isBehind || isClosed) return undefined
      announced += count
      return hold
    },
    take(count, stored) {
      announced -= count
      rows.push(...stored)
      if (stored.length > 0) wake()
    },
    expectMore() {
      isMore = true
    },
    isMoreExpected() {
      const was = isMore
      isMore = false
      return was
    },
    claimed(isFull) {
      isBehind = isFull
      isMore ||= isFull
    },
    close() {
      isClosed = true
      return next()
    },
  }
}
