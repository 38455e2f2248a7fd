/** A survey as an admin writes it: names as on the wire, defaults filled in, every problem with its place. */
import { z } from 'zod'
import { channels } from '#hub/connector/facts.ts'
import { WrittenQuietHours } from '#hub/platform/quiet-hours.ts'
import { type Language, languages, messagesIn } from './messages/index.ts'
import { scaleOf, surveyKinds } from './scale.ts'

const language = z.enum(languages)
/** By language; where one is missing, the text that ships with the kind is used. */
const Texts = z.partialRecord(language, z.string().trim().min(1).max(300))

const When = z.strictObject({
  after: z.literal('case.solved').default('case.solved'),
  /** Seconds from the solution to the question. */
  delay_s: z.int().min(0).max(2_592_000).default(3600),
  /** Names of connections; absent: all. The one where the case was solved counts. */
  connections: z.array(z.string().min(1)).min(1).optional(),
  channels: z.array(z.enum(channels)).min(1).optional(),
  not_tags: z.array(z.string().min(1)).default([]),
  /** Nobody is asked later than this after the solution: not after an outage, not about cases of a first import. */
  max_age_hours: z.int().min(1).max(8760).default(72),
  /** Cases that were closed because nobody wrote for so long are not asked about. */
  max_silence_days: z.int().min(1).max(365).default(14),
})

const Survey = z
  .strictObject({
    id: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'expected 1 to 64 of a-z, 0-9, _ and -'),
    name: z.string().trim().min(1).max(120),
    kind: z.enum(surveyKinds),
    enabled: z.boolean().default(true),
    /** Who asks, as customers know you: stands at the top of message and page. */
    sender: z.string().trim().min(1).max(80).optional(),
    question: Texts.default({}),
    comment_question: Texts.default({}),
    /** For people whose language is not known or not shipped. */
    default_language: language.default('en'),
    when: When.default(() => When.parse({})),
    quiet_hours: WrittenQuietHours.optional(),
    throttle_days: z.int().min(0).max(365).default(30),
    /** Share of cases that are asked about. */
    sampling: z.number().min(0).max(1).default(1),
    expires_days: z.int().min(1).max(90).default(14),
    low_score_at_most: z.int().optional(),
  })
  .superRefine((survey, context) => {
    const { min, max } = scaleOf[survey.kind]
    const low = survey.low_score_at_most
    if (low !== undefined && (low < min || low >= max)) {
      const message = `expected ${min} to ${max - 1}: ${survey.kind} scores run from ${min} to ${max}`
      context.addIssue({ code: 'custom', path: ['low_score_at_most'], message })
    }
    if (survey.when.delay_s >= survey.when.max_age_hours * 3600) {
      const message = 'expected less than max_age_hours, else nobody is ever asked'
      context.addIssue({ code: 'custom', path: ['when', 'delay_s'], message })
    }
  })
  .transform((survey) => ({
    ...survey,
    low_score_at_most: survey.low_score_at_most ?? scaleOf[survey.kind].lowAtMost,
  }))

export type SurveyDefinition = z.output<typeof Survey>

interface SurveyIssue {
  readonly path: readonly (string | number)[]
  readonly message: string
  /** The key at the end of the path is meant, not its value. */
  readonly at?: 'key'
}

export type ValidatedSurvey =
  | { readonly ok: true; readonly value: SurveyDefinition }
  | { readonly ok: false; readonly issues: readonly SurveyIssue[] }

/** Never throws. Defaults are filled in, so that the result is also what is stored. */
export function validateSurvey(value: unknown): ValidatedSurvey {
  const parsed = Survey.safeParse(value)
  if (parsed.success) return { ok: true, value: parsed.data }
  return { ok: false, issues: parsed.error.issues.flatMap(toIssues) }
}

function toIssues(issue: z.core.$ZodIssue): SurveyIssue[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)))
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }]
  const where = path.length === 0 ? 'a survey' : `"${path.join('.')}"`
  return issue.keys.map((key) => ({ path: [...path, key], at: 'key', message: `"${key}" is not a key of ${where}` }))
}

export function questionIn(survey: SurveyDefinition, language: Language): string {
  return survey.question[language] ?? messagesIn[language].kinds[survey.kind].question
}

export function commentQuestionIn(survey: SurveyDefinition, language: Language): string {
  return survey.comment_question[language] ?? messagesIn[language].kinds[survey.kind].comment
}
