/** What a person reads of a card, wherever it is nested: the strings that stand at the given keys, in order. */
export function linesOf(value: unknown, keys: readonly string[], hidden: readonly string[] = []): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((one) => linesOf(one, keys, hidden))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    if (hidden.includes(key)) return []
    if (typeof inner !== 'string') return linesOf(inner, keys, hidden)
    return keys.includes(key) && inner !== '' ? [inner] : []
  })
}
