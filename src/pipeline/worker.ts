/**
 * Works what is put on its desk, and the inbox until it is empty; again when there is news: a signal at once, a look every
 * second in any case.
 */
import type { Taker } from '#hub/inbox/index.ts'
import { release } from '#hub/platform/ledger.ts'
import { createDesk } from './desk.ts'
import { batchSize, type PipelineHub, workInbox } from './index.ts'
import type { RuleBook } from './rule-book.ts'

const pollMs = 1_000
/** After an error that is about to pass (the database restarts), so that the log is not flooded. */
const restMs = 1_000

export interface Worker {
  /** Takes what this process stores. */
  readonly desk: Taker
  start(): void
  /** Finishes the batch in hand. */
  stop(): Promise<void>
}

export function createInboxWorker(hub: PipelineHub, rules: RuleBook): Worker {
  const stopping = new AbortController()
  let wake: () => void = () => {}
  let running: Promise<void> = Promise.resolve()
  let news = false
  const desk = createDesk(batchSize, hear)

  function hear() {
    news = true
    wake()
    if (stopping.signal.aborted) void clearDesk()
  }

  function look() {
    desk.expectMore()
    hear()
  }

  async function run() {
    while (!stopping.signal.aborted) {
      news = false
      try {
        await workInbox(hub, rules, stopping.signal, desk)
      } catch (error) {
        hub.log.error({ err: error }, 'the inbox could not be worked; trying again')
        await rest(restMs)
      }
      if (!news) await rest(pollMs)
      if (!news) desk.expectMore()
    }
  }

  /** Untouched, so that another worker need not wait for the lease to run out. */
  async function clearDesk() {
    const seqs = desk.close().map(({ seq }) => seq)
    if (seqs.length === 0) return
    await release(hub.db, 'inbox', desk.hold.fence, seqs).catch((error: unknown) => {
      hub.log.warn({ err: error }, 'inbox rows could not be given back; their lease has to run out')
    })
  }

  function rest(ms: number): Promise<void> {
    if (stopping.signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  return {
    desk,
    start() {
      hub.signals.on('inbox', look)
      running = run()
    },
    async stop() {
      stopping.abort()
      wake()
      await running
      await clearDesk()
    },
  }
}
