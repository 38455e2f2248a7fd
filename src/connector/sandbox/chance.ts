/** Numbers that look random and are the same for the same seed, so that a failing scene can be played again. */
export type Chance = (share: number) => boolean

/** mulberry32. @param seed any integer. @returns numbers from 0 up to, not including, 1 */
export function seededNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** `chance(0.2)` is true for a fifth of the calls; 0 never draws, 1 is always true. */
export function seededChance(seed: number): Chance {
  const next = seededNumbers(seed)
  return (share) => share > 0 && (share >= 1 || next() < share)
}
