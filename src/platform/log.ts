/** One JSON line per message on standard output. Values under secret-looking names never get there. */
import { type DestinationStream, pino } from 'pino'
import type { Log } from '#hub/connector/contract.ts'

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

export function createLog(level: LogLevel, destination?: DestinationStream): Log {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    // Its own serialiser would copy everything that hangs on an error.
    serializers: { err: (value: unknown) => value },
    formatters: { level: (label: string) => ({ level: label }), log: (data: object) => redactFields(data, 0) },
  }
  return destination ? pino(options, destination) : pino(options)
}

const secretName = /authorization|cookie|secret|token|passw|sealed|api_?key|private_?key|credential|signature/i
/** `user:password@` of a URL. */
const userInfo = /(:\/\/)[^/\s@]+@/g
const deepest = 5

function redact(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.replace(userInfo, '$1[hidden]@')
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (value instanceof Error) return redactError(value, depth)
  if (depth >= deepest) return '[more]'
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1))
  return redactFields(value, depth)
}

function redactFields(data: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [name, secretName.test(name) ? '[hidden]' : redact(value, depth + 1)]),
  )
}

/** An error's own words only: drivers hang requests, headers and row values on their errors. */
function redactError(error: Error, depth: number): Record<string, unknown> {
  const hide = (text: string | undefined) => text?.replace(userInfo, '$1[hidden]@')
  return {
    type: error.name,
    message: hide(error.message),
    ...('code' in error ? { code: error.code } : {}),
    stack: hide(error.stack),
    ...(error.cause && depth < deepest ? { cause: redact(error.cause, depth + 1) } : {}),
  }
}
