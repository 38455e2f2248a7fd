/** One thing that was looked at. */
export interface Check {
  readonly name: string
  /** `notice`: works, and somebody should know. `wrong`: does not work, or not safely. */
  readonly state: 'ok' | 'notice' | 'wrong'
  readonly detail: string
  /** What to do. */
  readonly todo?: string
}

export function ok(name: string, detail: string): Check {
  return { name, state: 'ok', detail }
}
export function notice(name: string, detail: string, todo?: string): Check {
  return { name, state: 'notice', detail, ...(todo === undefined ? {} : { todo }) }
}
export function wrong(name: string, detail: string, todo: string): Check {
  return { name, state: 'wrong', detail, todo }
}

export function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

export function counted(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`
}
