/** What all routes of the sandbox's API are made of. */
import { parseExact } from '#hub/connector/exact-json.ts'
import type { SandboxAnswer, SandboxRequest, SandboxRoute } from '#hub/connector/sandbox.ts'

/** A route of the API below `/api/v2`, whose refusals are in Zendesk's words. */
export type Route = (method: string, path: string, answer: SandboxRoute['answer'], budget?: string) => SandboxRoute[]

export function json(body: object, status = 200): SandboxAnswer {
  return { status, json: body }
}

export function bodyOf(request: SandboxRequest): unknown {
  return parseExact(request.body.toString())
}

export function idOf(request: SandboxRequest): string {
  return (request.params['id'] ?? '').replace(/\.json$/, '')
}
