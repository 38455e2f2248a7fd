/**
 * The line that stays open: IDLE on the inbox. In: a context. Out: a call for each arrival. Never here: reading mail.
 * A line that died without a word is noticed when IDLE is renewed. https://www.rfc-editor.org/rfc/rfc2177
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { ImapFlow } from 'imapflow'
import { ConnectorError } from '#hub/connector/errors.ts'
import { type Mailbox, openFolder, openImap, placeOf } from './imap.ts'
import { imapError } from './imap-error.ts'

export interface Pace {
  /** Servers may end an IDLE of 29 minutes; routers on the way forget quiet lines sooner. */
  readonly renewEveryMs: number
  readonly answerWithinMs: number
  /** Where the server has no IDLE. */
  readonly pollEveryMs: number
}

const usualPace: Pace = { renewEveryMs: 5 * 60_000, answerWithinMs: 30_000, pollEveryMs: 20_000 }

/** Ends when `ctx.signal` aborts. @throws ConnectorError as `openImap`, not_found, unavailable when the line is lost. */
export async function run(ctx: Mailbox, onNews: () => void, pace: Pace = usualPace): Promise<void> {
  const { config, signal } = ctx
  const session = await openImap(ctx, pace.renewEveryMs + 2 * pace.answerWithinMs)
  const { client } = session
  const closed = new Promise<'closed'>((resolve) => client.once('close', () => resolve('closed')))
  try {
    client.on('exists', ({ count, prevCount }) => {
      if (count > prevCount) onNews()
    })
    await openFolder(ctx, client, config.folder)
    // Mail may have come while no line was open.
    onNews()
    for (;;) {
      await stay(client, closed, pace)
      if (signal.aborted) return
      if (!(await answers(client, closed, pace.answerWithinMs))) break
    }
    if (signal.aborted) return
    client.close()
    throw new ConnectorError('unavailable', `${placeOf(config)}: the line was lost`, { cause: session.lost() })
  } catch (error) {
    if (signal.aborted) return
    throw imapError(error, placeOf(config))
  } finally {
    await session.close()
  }
}

/** Until it is time to ask whether the line is alive. */
async function stay(client: ImapFlow, closed: Promise<unknown>, pace: Pace): Promise<void> {
  const over = new AbortController()
  const wait = (ms: number) => pause(ms, 'time', { signal: over.signal }).catch(() => 'over')
  try {
    if (client.capabilities.has('IDLE')) {
      const idle = client.idle().then(() => 'ended')
      if ((await Promise.race([idle, closed, wait(pace.renewEveryMs)])) !== 'ended') return
    }
    // No IDLE here, or the server ended it by itself and must not be asked again without a pause.
    await Promise.race([closed, wait(pace.pollEveryMs)])
  } finally {
    over.abort()
  }
}

/** Asking ends an IDLE, and brings the news where there is none. */
async function answers(client: ImapFlow, closed: Promise<unknown>, withinMs: number): Promise<boolean> {
  const over = new AbortController()
  const late = pause(withinMs, 'late', { signal: over.signal }).catch(() => 'over')
  const answer = await Promise.race([client.noop().catch(() => {}), closed, late])
  over.abort()
  return answer !== 'late' && client.usable
}
