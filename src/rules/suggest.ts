/** "Did you mean": the option a person most likely wanted to write. */

/**
 * @param aliases words of other tools for ours, such as `resolved` for `solved`.
 * @returns the nearest option, or undefined when none is near.
 */
export function nearest(
  word: string,
  options: readonly string[],
  aliases: Readonly<Record<string, string>> = {},
): string | undefined {
  const wanted = fold(word)
  if (wanted === '') return undefined
  const alias = Object.hasOwn(aliases, wanted) ? aliases[wanted] : undefined
  if (alias !== undefined && options.includes(alias)) return alias
  const shortened = options.find((option) => fold(option).endsWith(`.${wanted}`))
  if (shortened !== undefined) return shortened
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1
  for (const option of options) {
    const distance = editDistance(wanted, fold(option), bestDistance)
    if (distance < bestDistance) [best, bestDistance] = [option, distance]
  }
  return best
}

export function didYouMean(
  word: string,
  options: readonly string[],
  aliases?: Readonly<Record<string, string>>,
): { hint?: string } {
  const option = nearest(word, options, aliases)
  return option === undefined ? {} : { hint: `did you mean "${option}"?` }
}

/** The nearest option, else all of them where they are few. */
export function suggestOneOf(
  word: string,
  options: readonly string[],
  aliases?: Readonly<Record<string, string>>,
): { hint?: string } {
  const near = didYouMean(word, options, aliases)
  if (near.hint || options.length === 0 || options.length > 16) return near
  return { hint: `use ${listOfWords(options)}` }
}

export function listOfWords(words: readonly string[]): string {
  if (words.length < 2) return words.join('')
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

function fold(word: string): string {
  return word
    .slice(0, 100)
    .toLowerCase()
    .trim()
    .replaceAll(/[\s-]+/g, '_')
}

/** Levenshtein with neighbours swapped counted as one; gives up at `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(at(row, j - 1) + 1, at(last, j) + 1, at(last, j - 1) + (same ? 0 : 1))
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) cost = Math.min(cost, at(beforeLast, j - 2) + 1)
      row.push(cost)
    }
    beforeLast = last
    last = row
  }
  return at(last, b.length)
}
function at(row: readonly number[], index: number): number {
  return row[index] ?? 0
}
