/**
 * Works out mappings in a thread of its own, so that an endless expression or a slow regular expression holds up nobody:
 * mapper.ts ends this thread when it takes too long or too much memory.
 */
import { parentPort } from 'node:worker_threads'
import jsonata from 'jsonata'
import { parseExactJson } from './exact-json.ts'
import type { MappingAnswer, MappingTask } from './mapper.ts'
import { describeJsonata } from './mapping-expression.ts'

const maxResultBytes = 1_048_576
const limits = { timeout: 200, stack: 200, sequence: 100_000 }
const compiled = new Map<string, jsonata.Expression>()

function compile(expression: string): jsonata.Expression {
  const known = compiled.get(expression)
  if (known) return known
  if (compiled.size >= 100) compiled.clear()
  const fresh = jsonata(expression, limits)
  compiled.set(expression, fresh)
  return fresh
}

async function answer({ expression, input, now }: MappingTask): Promise<MappingAnswer> {
  try {
    const bindings = { now: () => now, millis: () => Date.parse(now) }
    const result: unknown = await compile(expression).evaluate(parseExactJson(input), bindings)
    const text: string | undefined = JSON.stringify(result)
    if (text !== undefined && text.length > maxResultBytes)
      return { problem: `its result is longer than ${maxResultBytes} bytes` }
    return { result: text ?? '[]' }
  } catch (error) {
    return {
      problem: error instanceof RangeError ? 'its input or result is too deep or too long' : describeJsonata(error),
    }
  }
}

parentPort?.on('message', (task: MappingTask) => {
  void answer(task).then((message) => parentPort?.postMessage(message))
})
parentPort?.postMessage('ready')
