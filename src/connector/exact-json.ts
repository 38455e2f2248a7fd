/** JSON from vendors whose ids are longer than a JavaScript number can hold. Pure. */

/** Parses JSON; whole numbers that a double cannot hold come out as text, digit by digit. @throws SyntaxError */
export function parseExact(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '')
      ? context?.source
      : value,
  )
}
