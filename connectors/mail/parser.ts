/**
 * Parses mails in a thread of its own with a budget of time: a mail that is made to keep a parser busy takes its own thread
 * with it and nothing else. The thread starts with the first mail and ends when there is none for a while.
 */
import { Worker } from 'node:worker_threads'
import type { ParseAnswer, ParseTask } from './parsed.ts'

const budgetMs = 5_000
const idleMs = 30_000

let worker: Worker | undefined
let idle: NodeJS.Timeout | undefined
let last: Promise<unknown> = Promise.resolve()

/** One after the other. @throws the signal's reason when it aborts. */
export function parseInWorker(task: ParseTask, signal?: AbortSignal): Promise<ParseAnswer> {
  const mine = last.then(() => inWorker(task, signal))
  last = mine.catch(() => undefined)
  return mine
}

async function inWorker(task: ParseTask, signal: AbortSignal | undefined): Promise<ParseAnswer> {
  signal?.throwIfAborted()
  clearTimeout(idle)
  const thread = worker ?? (await startWorker())
  worker = thread
  return new Promise((resolve, reject) => {
    const settle = (isThreadLost: boolean): void => {
      clearTimeout(timer)
      thread.off('message', onMessage).off('error', onError).off('exit', onExit)
      signal?.removeEventListener('abort', onAbort)
      thread.unref()
      if (isThreadLost) endWorker(thread)
      else idle = setTimeout(() => endWorker(thread), idleMs).unref()
    }
    const fail = (problem: string): void => {
      settle(true)
      resolve({ problem })
    }
    const onMessage = (answer: ParseAnswer): void => {
      settle(false)
      resolve(answer)
    }
    const onError = (error: Error): void => fail(`reading it ended its thread: ${error.message}`)
    const onExit = (): void => fail('reading it ended its thread')
    const onAbort = (): void => {
      settle(true)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => fail(`reading it takes longer than ${budgetMs / 1000} s`), budgetMs)
    signal?.addEventListener('abort', onAbort, { once: true })
    thread.ref()
    thread.once('message', onMessage).once('error', onError).once('exit', onExit)
    // One copy that belongs to the thread: a view would drag along all of the memory that it is a view of.
    const body = new Uint8Array(task.body)
    thread.postMessage({ ...task, body }, [body.buffer])
  })
}

function endWorker(thread: Worker): void {
  if (worker === thread) worker = undefined
  void thread.terminate()
}

function startWorker(): Promise<Worker> {
  const thread = new Worker(new URL('./parse-worker.ts', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32 },
  })
  // An error outside any task must not end the process; the next task starts a new thread.
  thread.on('error', () => {
    if (worker === thread) worker = undefined
  })
  return new Promise((resolve, reject) => {
    thread.once('error', reject)
    // Its first message says that everything is loaded, so that loading does not count as parsing.
    thread.once('message', () => {
      thread.off('error', reject)
      resolve(thread)
    })
  })
}
