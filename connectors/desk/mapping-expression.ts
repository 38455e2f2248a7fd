/** The admin's JSONata expression, checked when it is entered. */
import jsonata from 'jsonata'

/** Why an expression cannot be used, with its place; undefined when it compiles. */
export function mappingProblem(expression: string): string | undefined {
  try {
    jsonata(expression)
    return undefined
  } catch (error) {
    return `JSONata: ${describeJsonata(error)}`
  }
}

/** JSONata throws plain objects with a code, a message and often a position. */
export function describeJsonata(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error)
  const message: unknown = Reflect.get(error, 'message')
  const position: unknown = Reflect.get(error, 'position')
  const text = typeof message === 'string' && message !== '' ? message : 'it could not be worked out'
  return typeof position === 'number' ? `${text} (at character ${position})` : text
}
