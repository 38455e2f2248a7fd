/** What the API answers when it does not do what was asked: RFC 9457, with a `code` for programs and the `field` at fault. */
import { STATUS_CODES } from 'node:http'
import { z } from 'zod'

export const problemStatus = {
  malformed: 400,
  unauthorized: 401,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  too_large: 413,
  unsupported_media_type: 415,
  invalid: 422,
  too_many_requests: 429,
  internal: 500,
  unavailable: 503,
} as const
export type ProblemCode = keyof typeof problemStatus

const codes = Object.keys(problemStatus) as [ProblemCode, ...ProblemCode[]]

export const ProblemDocument = z
  .strictObject({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.int().min(400).max(599),
    detail: z.string().meta({ description: 'What is wrong here, and what to do.' }),
    code: z.enum(codes),
    field: z
      .string()
      .optional()
      .meta({ description: 'Where in the request, such as `config.api_token`, a query parameter or a header.' }),
  })
  .meta({ description: 'Nothing was changed. RFC 9457.' })
export type ProblemDocument = z.output<typeof ProblemDocument>

interface ProblemOptions {
  readonly field?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Thrown by handlers and by the edge. Its message goes to the client: value, place, expectation, next step; no secret. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: ProblemCode
  readonly field: string | undefined
  readonly headers: Readonly<Record<string, string>>
  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail)
    this.code = code
    this.field = options.field
    this.headers = options.headers ?? {}
  }
}

/** The same for an unknown address and an unknown id, so that an answer tells nothing about what exists. */
export function notFound(): Problem {
  return new Problem('not_found', 'there is nothing here; see /api/v1/openapi.json for every address')
}

export function toDocument(problem: Problem): ProblemDocument {
  const status = problemStatus[problem.code]
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: problem.message,
    code: problem.code,
    ...(problem.field === undefined ? {} : { field: problem.field }),
  }
}

/** What a schema found wrong: an unknown field before anything else, since it is often a misspelt one that is missed. */
export function invalid(issues: readonly z.core.$ZodIssue[]): Problem {
  const all = issues.flatMap(openUnion)
  const issue = all.find(({ code }) => code === 'unrecognized_keys') ?? all[0]
  if (!issue) return new Problem('invalid', 'the request is not as expected')
  const more = all.length > 1 ? ` (${all.length - 1} more)` : ''
  if (issue.code === 'unrecognized_keys') {
    const field = fieldOf([...issue.path, issue.keys[0] ?? ''])
    return new Problem('invalid', `${field}: there is no such field here; leave it out${more}`, { field })
  }
  const field = fieldOf(issue.path)
  return new Problem('invalid', `${field || 'the body'}: ${issue.message}${more}`, field ? { field } : {})
}

/** Of several forms that something could have had, the one that it misses least. */
function openUnion(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue]
  const [closest] = issue.errors.toSorted((a, b) => a.length - b.length)
  if (!closest || closest.length === 0) return [issue]
  return closest.flatMap((inner) => openUnion({ ...inner, path: [...issue.path, ...inner.path] }))
}

function fieldOf(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('')
  return shorten(text.replace(/^\./, ''))
}

/** Names come from the client. */
function shorten(text: string): string {
  return text.length > 120 ? `${text.slice(0, 119)}…` : text
}
