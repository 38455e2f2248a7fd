/** The admin's mapping, from the desk's JSON to the hub's event format, under a budget of time, depth, size and memory. */
import { Worker } from 'node:worker_threads'
import { UnreadableInput } from '#hub/connector/errors.ts'

export interface MappingTask {
  readonly expression: string
  readonly input: string
  /** What `$now()` is: ISO 8601 in UTC. */
  readonly now: string
}
/** `result` is JSON text. */
export type MappingAnswer = { readonly result: string } | { readonly problem: string }

/**
 * The worker checks 200 ms between the steps of an expression; a single step that takes longer (a slow regular expression)
 * is ended from outside, with its thread.
 */
const endedAfterMs = 1_000

let worker: Worker | undefined
let last: Promise<unknown> = Promise.resolve()

/** @returns JSON text; `[]` when the expression gives nothing. @throws UnreadableInput */
export async function applyMapping(task: MappingTask): Promise<string> {
  // One after the other, so that a thread that is ended takes only its own task with it.
  const mine = last.then(() => inWorker(task))
  last = mine.catch(() => undefined)
  const answer = await mine
  if ('problem' in answer) throw new UnreadableInput(`desk webhook: the mapping failed: ${answer.problem}`)
  return answer.result
}

async function inWorker(task: MappingTask): Promise<MappingAnswer> {
  const thread = worker ?? (await startWorker())
  worker = thread
  return new Promise((resolve) => {
    const settle = (answer: MappingAnswer, over: boolean): void => {
      clearTimeout(timer)
      thread.off('message', onMessage).off('error', onError)
      thread.unref()
      if (over) {
        worker = undefined
        void thread.terminate()
      }
      resolve(answer)
    }
    const onMessage = (answer: MappingAnswer): void => settle(answer, false)
    const onError = (error: Error): void => settle({ problem: `it ended its thread: ${error.message}` }, true)
    const timer = setTimeout(() => settle({ problem: `it took longer than ${endedAfterMs} ms` }, true), endedAfterMs)
    thread.ref()
    thread.once('message', onMessage).once('error', onError)
    thread.postMessage(task)
  })
}

function startWorker(): Promise<Worker> {
  const thread = new Worker(new URL('./mapping-worker.ts', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 },
  })
  // An error outside any task must not end the process; the next task starts a new thread.
  thread.on('error', () => {
    if (worker === thread) worker = undefined
  })
  return new Promise((resolve, reject) => {
    thread.once('error', reject)
    // Its first message says that everything is loaded, so that loading does not count as working.
    thread.once('message', () => {
      thread.off('error', reject)
      resolve(thread)
    })
  })
}
