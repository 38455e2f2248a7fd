/** Why a trait has its value: the record it came from, and the merges that made that record this person's. Pure. */
import type { JournalEntry } from './journal.ts'

/** The live merges on the way from one leaf to another; empty for one and the same leaf. */
export function mergesBetween(from: string, to: string, journal: readonly JournalEntry[]): readonly JournalEntry[] {
  const live = journal.filter((entry) => entry.undone_at === null)
  const cameBy = new Map<string, { readonly entry: JournalEntry; readonly before: string }>()
  const queue = [from]
  for (const leaf of queue) {
    for (const entry of live) {
      const next = neighbour(entry, leaf)
      if (next === undefined || next === from || cameBy.has(next)) continue
      cameBy.set(next, { entry, before: leaf })
      queue.push(next)
    }
  }
  const path: JournalEntry[] = []
  for (let step = cameBy.get(to); step; step = cameBy.get(step.before)) path.unshift(step.entry)
  return path
}

function neighbour(entry: JournalEntry, leaf: string): string | undefined {
  if (entry.kept_id === leaf) return entry.merged_id
  return entry.merged_id === leaf ? entry.kept_id : undefined
}
