/** Reads a body that a client wrote. Limits come before parsing, so that no input costs more than its bytes. Pure. */
import { Problem } from './problem.ts'

export const bodyLimits = { bytes: 1024 * 1024, depth: 64, values: 50_000 }

const poisoned = new Set(['__proto__', 'constructor', 'prototype'])

/** @throws Problem malformed */
export function parseJson(body: Buffer): unknown {
  const text = decode(body)
  const problem = measure(text)
  if (problem) throw new Problem('malformed', problem)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Problem('malformed', 'the body is not JSON; check quotes, commas and brackets')
  }
  checkValues(value)
  return value
}

function decode(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    throw new Problem('malformed', 'the body is not UTF-8')
  }
}

/** Depth and number of values, counted outside strings in one pass. */
function measure(text: string): string | undefined {
  let depth = 0
  let values = 1
  let quoted = false
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (quoted) {
      if (code === 0x5c) index += 1
      else if (code === 0x22) quoted = false
    } else if (code === 0x22) quoted = true
    else if (code === 0x7b || code === 0x5b) {
      depth += 1
      if (depth > bodyLimits.depth) return `the body is nested deeper than ${bodyLimits.depth} levels`
    } else if (code === 0x7d || code === 0x5d) depth -= 1
    else if (code === 0x2c) {
      values += 1
      if (values > bodyLimits.values) return `the body holds more than ${bodyLimits.values} values`
    }
  }
  return undefined
}

function checkValues(value: unknown): void {
  const waiting: unknown[] = [value]
  while (waiting.length > 0) {
    const next = waiting.pop()
    if (typeof next === 'string') checkText(next, 'the body')
    else if (Array.isArray(next)) waiting.push(...next)
    else if (typeof next === 'object' && next !== null) {
      for (const [key, child] of Object.entries(next)) {
        if (poisoned.has(key)) throw new Problem('malformed', `the key ${key} is refused in any object`, { field: key })
        checkText(key, 'the body')
        waiting.push(child)
      }
    }
  }
}

/**
 * PostgreSQL holds neither the character 0 nor half a surrogate pair.
 * @throws Problem malformed
 */
export function checkText(text: string, where: string): void {
  if (text.includes('\0')) throw new Problem('malformed', `${where} holds the character U+0000; leave it out`)
  if (!text.isWellFormed()) throw new Problem('malformed', `${where} holds half of a surrogate pair; leave it out`)
}
