/**
 * Some chat tools say of a message only that it has files: which, is asked before the message is worked on. What was said
 * never waits for that: where the tool does not tell at once, the files are shown as the connector could name them.
 */
import type { LoadedConnection } from '#hub/connections/index.ts'
import type { ChatMessage } from '#hub/connector/chat.ts'
import type { Context } from '#hub/connector/contract.ts'
import { ConnectorError, reaction } from '#hub/connector/errors.ts'
import type { Attachment, Observation } from '#hub/connector/facts.ts'
import { realTiming, within } from '#hub/platform/timing.ts'
import { clean } from './clean.ts'
import type { NotRead, Observed } from './index.ts'
import { withMessage, withSource } from './sources.ts'

/** The whole batch waits as long: people have pressed buttons meanwhile. */
const patienceMs = 1_500
/** The tool may tell of a message a moment before it can be read. */
const pauseMs = 300
/** A tool that did not answer is not asked for a while, so that its trouble costs a batch now and then, not each. */
const restMs = 30_000

const restsUntil = new Map<string, number>()

type Read = Exclude<Observed, NotRead>

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
      const ask = async (at: string) => clean(await filesOf(context, at))
      const told = unnamed.map(async ({ at, seen }): Promise<readonly [string, readonly Attachment[]]> => {
        if (context.now().getTime() < (restsUntil.get(connection.id) ?? 0)) return [at, seen]
        try {
          const asking = ask(at).catch((error) => askAgain(error, () => ask(at), context.signal))
          return [at, await within(patienceMs, asking, 'the tool did not tell in time')]
        } catch (error) {
          if (!isRefusal(error)) restsUntil.set(connection.id, context.now().getTime() + restMs)
          context.log.warn({ err: error }, "a message's files cannot be told: they are shown as links to it")
          return [at, seen]
        }
      })
      return named(one, new Map(await Promise.all(told)), connection.id)
    }),
  )
}

async function askAgain<T>(error: unknown, ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const isEarly = error instanceof ConnectorError && error.code === 'not_found'
  if (isRefusal(error) && !isEarly) throw error
  await realTiming.wait(pauseMs, signal)
  if (signal.aborted) throw error
  return await ask()
}

/** Then it says the same tomorrow. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof ConnectorError)) return false
  return reaction[error.code] === 'dead_letter' || reaction[error.code] === 'pause_connection'
}

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
