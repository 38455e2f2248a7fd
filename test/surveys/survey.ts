import { type SurveyDefinition, validateSurvey } from '#hub/surveys/definition.ts'

/** A CSAT survey as the hub keeps it, with what a test wants to be otherwise. @throws Error with the issues. */
export function surveyOf(more: object = {}): SurveyDefinition {
  const read = validateSurvey({ id: 'csat', name: 'CSAT', kind: 'csat', ...more })
  if (read.ok) return read.value
  throw new Error(JSON.stringify(read.issues))
}
