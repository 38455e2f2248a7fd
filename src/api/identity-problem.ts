/** What the identity room refuses, in the API's words. */
import { IdentityError } from '#hub/identity/index.ts'
import { notFound, Problem } from './problem.ts'

/** For `catch`. @throws Problem for what it knows, else the error itself */
export function identityProblem(error: unknown): never {
  if (!(error instanceof IdentityError)) throw error
  throw error.code === 'not_found' ? notFound() : new Problem('conflict', error.message)
}
