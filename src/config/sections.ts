/** The parts of the configuration that other rooms read. */
import type { z } from 'zod'
import { WrittenAgent } from '#hub/agents/index.ts'
import { IdentitySettings } from '#hub/identity/index.ts'
import { type Issue, suggestOneOf } from '#hub/rules/index.ts'
import { type SurveyDefinition, validateSurvey } from '#hub/surveys/index.ts'
import { schemaIssue } from './schema-issue.ts'
import type { SectionCheck } from './validate.ts'

export function surveySection(value: unknown): SectionCheck<SurveyDefinition> {
  return validateSurvey(value)
}

export function agentSection(value: unknown): SectionCheck<WrittenAgent> {
  return readWith(WrittenAgent, 'a key of an agent', value)
}

export function identitySection(value: unknown): SectionCheck<IdentitySettings> {
  return readWith(IdentitySettings, 'a setting of identity', value)
}

function readWith<S extends z.ZodObject>(schema: S, what: string, value: unknown): SectionCheck<z.output<S>> {
  const read = schema.safeParse(value)
  if (read.success) return { ok: true, value: read.data }
  const names = Object.keys(schema.shape)
  const issues = read.error.issues.flatMap((issue): Issue[] => {
    const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)))
    if (issue.code !== 'unrecognized_keys') return [schemaIssue(issue, value, [])]
    return issue.keys.map((key) => ({
      path: [...path, key],
      at: 'key',
      message: `"${key}" is not ${path.length === 0 ? what : `a key of "${path.join('.')}"`}`,
      ...(path.length === 0 ? suggestOneOf(key, names) : {}),
    }))
  })
  return { ok: false, issues }
}
