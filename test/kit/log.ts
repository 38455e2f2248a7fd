import type { Log } from '#hub/connector/contract.ts'

/** For tests that provoke warnings and do not look at them. */
export const quietLog: Log = { debug() {}, info() {}, warn() {}, error() {} }

export interface Line {
  readonly level: keyof Log
  readonly message: string
  readonly data: object
}

/** For tests that look at what is logged. */
export function recordingLog(): Log & { readonly lines: readonly Line[] } {
  const lines: Line[] = []
  const write = (level: keyof Log) => (data: object, message: string) => void lines.push({ level, message, data })
  return { lines, debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}
