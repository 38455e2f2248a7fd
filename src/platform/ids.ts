import { randomFillSync } from 'node:crypto'
import { v7 } from 'uuid'

/** Randomness in stock: asking the system for each id would cost more than all the rest of it. */
const stock = Buffer.alloc(4096)
const bytes = Buffer.alloc(16)
let used = stock.length
let last = { msecs: 0, seq: 0 }

/** `case_0192…`: ids sort by time of making, and their beginning says what they are. */
export function newId(kind: string): string {
  if (used === stock.length) {
    randomFillSync(stock)
    used = 0
  }
  const random = stock.subarray(used, used + bytes.length)
  used += bytes.length
  const now = Date.now()
  // Within a millisecond, and when the clock goes back, it counts on: from 31 random bits, so 32 have room.
  last = now > last.msecs ? { msecs: now, seq: random.readUInt32BE(0) >>> 1 } : { ...last, seq: last.seq + 1 }
  return `${kind}_${v7({ random, ...last }, bytes).toString('hex')}`
}
