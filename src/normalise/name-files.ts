/** Some chat tools say of a message only that it has files: which, is asked before the message is worked on. */
import type { LoadedConnection } from '#hub/connections/index.ts'
import type { ChatMessage } from '#hub/connector/chat.ts'
import type { Context } from '#hub/connector/contract.ts'
import { ConnectorError, reaction } from '#hub/connector/errors.ts'
import type { Attachment, Observation } from '#hub/connector/facts.ts'
import { clean } from './clean.ts'
import type { NotRead, Observed } from './index.ts'
import { withMessage, withSource } from './sources.ts'

/** What came in the same batch waits as long: people have pressed buttons meanwhile. */
const patienceMs = 5_000
/** Then the message goes on without: what was said must not wait for what is attached to it. */
const triesForNames = 4

type Read = Exclude<Observed, NotRead>

/** A message whose files cannot be told now waits for the next try; the others do not. */
export async function withNamedFiles(
  connection: LoadedConnection,
  observed: readonly Observed[],
  contextFor: (signal: AbortSignal) => Context<unknown>,
  signal: AbortSignal,
): Promise<Observed[]> {
  const { filesOf } = connection.connector.can.chat ?? {}
  if (!filesOf) return [...observed]
  return await Promise.all(
    observed.map(async (one): Promise<Observed> => {
      if ('failed' in one) return one
      const unnamed = one.observations.flatMap(unnamedIn)
      if (unnamed.length === 0) return one
      const context = contextFor(AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]))
      try {
        const asked = unnamed.map(async ({ at }) => [at, clean(await filesOf(context, at))] as const)
        return named(one, new Map(await Promise.all(asked)), connection.id)
      } catch (error) {
        const mayPass = error instanceof ConnectorError && passing.has(reaction[error.code])
        if (mayPass && one.row.attempts + 1 < triesForNames) {
          return { row: one.row, failed: 'retry', reason: error.message, ...waitOf(error) }
        }
        context.log.warn({ err: error }, "a message's files cannot be told: they are shown as links to it")
        return named(one, new Map(unnamed.map(({ at, seen }) => [at, seen])), connection.id)
      }
    }),
  )
}

/** Nothing is changed by asking again, whatever became of the answer. */
const passing: ReadonlySet<string> = new Set(['retry', 'resolve_unknown'])

const waitOf = ({ retryAfterMs }: ConnectorError) => (retryAfterMs === undefined ? {} : { retryAfterMs })

function unnamedIn(observation: Observation): readonly NonNullable<ChatMessage['unnamed']>[] {
  const what = observation.type === 'chat' ? observation.happening.what : undefined
  const unnamed = what && 'message' in what ? what.message?.unnamed : undefined
  return unnamed ? [unnamed] : []
}

function named(one: Read, files: ReadonlyMap<string, readonly Attachment[]>, connectionId: string): Read {
  const observations = one.observations.map((observation) => {
    if (observation.type !== 'chat') return observation
    const happening = withMessage(observation.happening, (message) => ({
      ...message,
      files: [...message.files, ...(files.get(message.unnamed?.at ?? '') ?? [])],
    }))
    return withSource({ ...observation, happening }, connectionId)
  })
  return { row: one.row, observations }
}
