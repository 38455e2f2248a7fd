/**
 * Text as PostgreSQL can hold it. NUL and lone surrogates, which JSON may carry, become U+FFFD; keys that JavaScript could
 * take for a prototype are dropped. The raw bytes stay in the inbox as they came.
 */
const hostileKeys = new Set(['__proto__', 'constructor', 'prototype'])

export function clean<T>(value: T): T {
  return cleanValue(value) as T
}

function cleanValue(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value)
  if (Array.isArray(value)) return value.map(cleanValue)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !hostileKeys.has(key))
      .map(([key, inner]) => [cleanText(key), cleanValue(inner)]),
  )
}

function cleanText(text: string): string {
  const wellFormed = text.isWellFormed() ? text : text.toWellFormed()
  return wellFormed.includes('\0') ? wellFormed.replaceAll('\0', '\ufffd') : wellFormed
}
