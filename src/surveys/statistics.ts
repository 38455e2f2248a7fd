/** What a survey's scores say, with how sure that is. Pure. */
import { type SurveyKind, scaleOf, scoresOf } from './scale.ts'

const z95 = 1.959_963_984_540_054

/** A share of a whole with its 95 % interval; without a whole there is no value. */
export interface Share {
  readonly count: number
  readonly of: number
  readonly value: number | null
  readonly low: number | null
  readonly high: number | null
}

/** Wilson's score interval: honest for small numbers and near 0 and 1, where the textbook interval is not. */
export function shareOf(count: number, of: number): Share {
  if (of === 0) return { count, of, value: null, low: null, high: null }
  const share = count / of
  const square = z95 ** 2
  const centre = (share + square / (2 * of)) / (1 + square / of)
  const reach = (z95 / (1 + square / of)) * Math.sqrt((share * (1 - share)) / of + square / (4 * of ** 2))
  return {
    count,
    of,
    value: share,
    low: count === 0 ? 0 : Math.max(0, centre - reach),
    high: count === of ? 1 : Math.min(1, centre + reach),
  }
}

export interface ScoreCount {
  readonly score: number
  readonly count: number
}

export interface Scores {
  readonly n: number
  readonly mean: number | null
  /** The best score alone, and the best two. */
  readonly top_box: Share
  readonly top_2_box: Share
  readonly low: Share
  /** Promoters (9, 10) minus detractors (0 to 6), −100 to 100; for NPS surveys. */
  readonly nps: { readonly value: number; readonly low: number; readonly high: number } | null
  /** Every score of the scale, lowest first. */
  readonly distribution: readonly ScoreCount[]
}

/** @param counts scores outside the scale are left out: the survey was of another kind when they were given. */
export function summarise(kind: SurveyKind, counts: readonly ScoreCount[], lowAtMost: number): Scores {
  const { max } = scaleOf[kind]
  const distribution = scoresOf(kind).map((score) => ({
    score,
    count: counts.filter((one) => one.score === score).reduce((sum, one) => sum + one.count, 0),
  }))
  const countWhere = (fits: (score: number) => boolean) =>
    distribution.filter(({ score }) => fits(score)).reduce((sum, { count }) => sum + count, 0)
  const n = countWhere(() => true)
  const total = distribution.reduce((sum, { score, count }) => sum + score * count, 0)
  return {
    n,
    mean: n === 0 ? null : total / n,
    top_box: shareOf(
      countWhere((score) => score === max),
      n,
    ),
    top_2_box: shareOf(
      countWhere((score) => score >= max - 1),
      n,
    ),
    low: shareOf(
      countWhere((score) => score <= lowAtMost),
      n,
    ),
    nps: kind === 'nps' && n > 0 ? netPromoters(countWhere((s) => s >= 9) / n, countWhere((s) => s <= 6) / n, n) : null,
    distribution,
  }
}

function netPromoters(promoters: number, detractors: number, n: number) {
  const value = promoters - detractors
  const reach = z95 * Math.sqrt(Math.max(0, promoters + detractors - value ** 2) / n)
  const percent = (share: number) => Math.min(1, Math.max(-1, share)) * 100
  return { value: percent(value), low: percent(value - reach), high: percent(value + reach) }
}
