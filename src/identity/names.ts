/**
 * Do two names clearly mean different people? A shared mailbox, a family's phone and a number that was given to somebody
 * else show themselves so. Names that say nothing ("Visitor 12", an address as a name) never disagree.
 */
const silent = new Set(
  'anonymous caller client cliente customer desconocido guest n/a na none unknown user usuario visitor'.split(' '),
)
const particles = new Set(
  'al and da das de del der di do dos dr dra e el la las le los mr mrs ms prof sr sra the van von y'.split(' '),
)

/** The words of a name, folded; empty for a name that says nothing about who it is. */
export function nameWords(name: string | null | undefined): readonly string[] {
  if (!name || name.includes('@') || /\d{4}/.test(name)) return []
  const words = name
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '' && !particles.has(word))
  return words.some((word) => silent.has(word)) ? [] : words
}

/**
 * For a phone number: two names must fit into each other (`Ana`, `A. Ruiz`, `Ruiz, Ana María`). `Luis Ruiz` and `Ana Ruiz`
 * may share a phone.
 */
export function fitTogether(a: readonly string[], b: readonly string[]): boolean {
  if (a.length === 0 || b.length === 0) return true
  const [few, many] = a.length <= b.length ? [a, b] : [b, a]
  return few.every((word) => many.some((other) => meansSame(word, other)))
}

/** For an e-mail address: only two full names in one script without one word in common speak against it. */
export function clearlyDiffer(a: readonly string[], b: readonly string[]): boolean {
  if (a.length < 2 || b.length < 2 || isLatin(a) !== isLatin(b)) return false
  return !a.some((word) => b.some((other) => meansSame(word, other)))
}

function meansSame(a: string, b: string): boolean {
  return a === b || (a.length === 1 && b.startsWith(a)) || (b.length === 1 && a.startsWith(b))
}

function isLatin(words: readonly string[]): boolean {
  return /\p{Script=Latin}/u.test(words.join(''))
}
