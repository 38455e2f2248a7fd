/** The three kinds of survey and the scale that each asks on. */
import type { SurveyScale } from '#hub/connector/facts.ts'

export const surveyKinds = ['csat', 'nps', 'ces'] as const
export type SurveyKind = (typeof surveyKinds)[number]

export interface Scale {
  readonly name: SurveyScale
  readonly min: number
  readonly max: number
  /** Scores up to this one are low, unless the survey says otherwise. For NPS: its detractors. */
  readonly lowAtMost: number
}

export const scaleOf = {
  csat: { name: 'csat_5', min: 1, max: 5, lowAtMost: 2 },
  nps: { name: 'nps_11', min: 0, max: 10, lowAtMost: 6 },
  ces: { name: 'ces_7', min: 1, max: 7, lowAtMost: 3 },
} as const satisfies Record<SurveyKind, Scale>

export function scoresOf(kind: SurveyKind): readonly number[] {
  const { min, max } = scaleOf[kind]
  return Array.from({ length: max - min + 1 }, (_, index) => min + index)
}
