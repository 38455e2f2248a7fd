/** Works the inbox until it is empty, and again when there is news: a signal at once, a look every second in any case. */
import type { PipelineHub } from './index.ts'
import { workInbox } from './index.ts'
import type { RuleBook } from './rule-book.ts'

const pollMs = 1_000
/** After an error that is about to pass (the database restarts), so that the log is not flooded. */
const restMs = 1_000

export interface Worker {
  start(): void
  /** Finishes the batch in hand. */
  stop(): Promise<void>
}

export function createInboxWorker(hub: PipelineHub, rules: RuleBook): Worker {
  const stopping = new AbortController()
  let wake: () => void = () => {}
  let running: Promise<void> = Promise.resolve()
  let news = false

  async function run() {
    while (!stopping.signal.aborted) {
      news = false
      try {
        await workInbox(hub, rules, stopping.signal)
      } catch (error) {
        hub.log.error({ err: error }, 'the inbox could not be worked; trying again')
        await rest(restMs)
      }
      if (!news) await rest(pollMs)
    }
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
    start() {
      hub.signals.on('inbox', () => {
        news = true
        wake()
      })
      running = run()
    },
    async stop() {
      stopping.abort()
      wake()
      await running
    },
  }
}
