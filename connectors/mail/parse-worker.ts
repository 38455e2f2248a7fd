/** The thread in which mails are parsed; parser.ts ends it when it takes too long. */
import { parentPort } from 'node:worker_threads'
import { parseMail } from './body.ts'
import type { ParseAnswer, ParseTask } from './parsed.ts'

async function answer(task: ParseTask): Promise<ParseAnswer> {
  try {
    return { mail: await parseMail(task) }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}

parentPort?.on('message', (task: ParseTask) => {
  void answer(task).then((message) => parentPort?.postMessage(message))
})
parentPort?.postMessage('ready')
