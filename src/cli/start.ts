/** `deskweave start` */
import { startHub, stopOnSignal } from '#hub/main.ts'
import { readEnv } from '#hub/platform/env.ts'

/** By then whoever waited for the start has had a first answer. */
const settledMs = 2_000
/** Who has more in hand is at work already, and would stand still for longer than the 50 ms it takes in a quiet hub. */
const quietBytes = 100 * 1024 * 1024

export async function start(): Promise<void> {
  stopOnSignal(await startHub(readEnv()))
  setTimeout(giveMemoryBack, settledMs).unref()
}

/**
 * What only starting needed goes back to the machine, some 20 MB of 125: left alone, Node keeps room for young objects that a
 * quiet hub never has. Needs `--expose-gc`, as `npm start` has it.
 */
function giveMemoryBack(): void {
  if (process.memoryUsage().heapUsed > quietBytes) return
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
