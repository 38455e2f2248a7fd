/** Effects that go to their lane with the commit that wrote them, where this process works the lane: without a claim. */
import type { Hold } from '#hub/platform/ledger.ts'
import type { OutboxEntry } from './action.ts'

export interface WrittenEntry {
  readonly seq: number
  readonly entry: OutboxEntry
  readonly createdAt: Date
}

/** A lane that this process works. */
export interface OwnLane {
  /** @returns under what to write one more entry; undefined when it has to wait for its turn in the ledger. */
  reserve(): Hold | undefined
  /** @param count as reserved; `written` are those that became its own. */
  take(count: number, written: readonly WrittenEntry[]): void
}

/** What one transaction writes; nothing reaches a lane before `committed`. */
export interface Handover {
  reserve(lane: string): Hold | undefined
  written(entry: WrittenEntry): void
  /** Not handed over: a lane has to look for it. */
  left(): void
  /** @returns whether lanes have to look for something. */
  committed(): boolean
  rolledBack(): void
}

export function createHandover(laneOf: (lane: string) => OwnLane | undefined): Handover {
  const reserved = new Map<string, { readonly lane: OwnLane; count: number; readonly written: WrittenEntry[] }>()
  let isLeft = false
  return {
    reserve(name) {
      const known = reserved.get(name)
      const lane = known?.lane ?? laneOf(name)
      const hold = lane?.reserve()
      if (!lane || !hold) return undefined
      const own = known ?? { lane, count: 0, written: [] }
      own.count += 1
      reserved.set(name, own)
      return hold
    },
    written(one) {
      reserved.get(one.entry.lane)?.written.push(one)
    },
    left() {
      isLeft = true
    },
    committed() {
      for (const { lane, count, written } of reserved.values()) lane.take(count, written)
      return isLeft
    },
    rolledBack() {
      for (const { lane, count } of reserved.values()) lane.take(count, [])
    },
  }
}
