import { describe, expect, it } from 'vitest'
import { questionIn, validateSurvey } from '#hub/surveys/definition.ts'
import { surveyOf } from './survey.ts'

const minimal = { id: 'csat', name: 'After a solved case', kind: 'csat' }

describe('a survey definition', () => {
  it('needs an id, a name and a kind; the rest has defaults', () => {
    expect(surveyOf(minimal)).toEqual({
      ...minimal,
      enabled: true,
      question: {},
      comment_question: {},
      default_language: 'en',
      when: { after: 'case.solved', delay_s: 3600, not_tags: [], max_age_hours: 72, max_silence_days: 14 },
      throttle_days: 30,
      sampling: 1,
      expires_days: 14,
      low_score_at_most: 2,
    })
  })

  it('is the same when it is read again after it was stored', () => {
    const survey = surveyOf({
      ...minimal,
      kind: 'nps',
      quiet_hours: { from: '20:00', to: '08:00', time_zone: 'UTC' },
    })
    expect(surveyOf(JSON.parse(JSON.stringify(survey)))).toEqual(survey)
  })

  it.each([
    ['csat', 2],
    ['nps', 6],
    ['ces', 3],
  ])('takes the low scores of its kind: %s up to %i', (kind, low) => {
    expect(surveyOf({ ...minimal, kind }).low_score_at_most).toBe(low)
  })

  it('asks its own question in the languages it has, and the shipped one in the others', () => {
    const survey = surveyOf({ ...minimal, question: { es: '¿Todo bien?' } })
    expect(questionIn(survey, 'es')).toBe('¿Todo bien?')
    expect(questionIn(survey, 'en')).toBe('How satisfied are you with the help you received?')
  })

  it.each([
    [{ ...minimal, kind: 'stars' }, ['kind']],
    [{ ...minimal, colour: 'red' }, ['colour']],
    [{ ...minimal, when: { delay: 5 } }, ['when', 'delay']],
    [{ ...minimal, when: { channels: ['fax'] } }, ['when', 'channels', 0]],
    [{ ...minimal, when: { delay_s: 7200, max_age_hours: 2 } }, ['when', 'delay_s']],
    [{ ...minimal, question: { fr: 'Ça va ?' } }, ['question', 'fr']],
    [{ ...minimal, sampling: 1.5 }, ['sampling']],
    [{ ...minimal, low_score_at_most: 5 }, ['low_score_at_most']],
    [{ ...minimal, quiet_hours: { from: '25:00', to: '08:00', time_zone: 'UTC' } }, ['quiet_hours', 'from']],
    [{ ...minimal, quiet_hours: { from: '20:00', to: '08:00', time_zone: 'Madrid' } }, ['quiet_hours', 'time_zone']],
    [{ ...minimal, quiet_hours: { from: '20:00', to: '20:00', time_zone: 'UTC' } }, ['quiet_hours', 'to']],
    ['csat', []],
  ])('names the place of what is wrong: %j', (value, path) => {
    const result = validateSurvey(value)
    expect(result.ok ? [] : result.issues.map((issue) => issue.path)).toEqual([path])
  })
})
