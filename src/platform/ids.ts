import { v7 } from 'uuid'

/** `case_0192…`: ids sort by time of making, and their beginning says what they are. */
export function newId(kind: string): string {
  return `${kind}_${v7().replaceAll('-', '')}`
}
