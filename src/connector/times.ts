/** Which times the hub takes: news from the far future would make all later news of a case look old. */
import { UnreadableInput } from './errors.ts'
import type { Observation } from './facts.ts'

const earliest = Date.UTC(1970, 0, 1)
/** Clocks of vendors may be ahead, and some tell local time as UTC. */
const aheadMs = 24 * 3_600_000

/** @throws UnreadableInput naming the first time that cannot be meant. */
export function checkTimes(observations: readonly Observation[], now: Date): void {
  for (const observation of observations) {
    for (const [name, time] of timesOf(observation)) {
      if (time === undefined) continue
      const at = Date.parse(time)
      if (at >= earliest && at <= now.getTime() + aheadMs) continue
      throw new UnreadableInput(
        `${name} "${time.slice(0, 40)}" is not a time between 1970 and tomorrow (ISO 8601, UTC)`,
      )
    }
  }
}

function timesOf(observation: Observation): readonly (readonly [string, string | undefined])[] {
  const common = [['occurred_at', observation.occurredAt]] as const
  switch (observation.type) {
    case 'case':
      return [
        ...common,
        ['case.created_at', observation.case.createdAt],
        ['case.updated_at', observation.case.updatedAt],
        ['requester.updated_at', observation.case.requester?.updatedAt],
      ]
    case 'message':
      return [...common, ['message.sent_at', observation.message.sentAt]]
    case 'person':
      return [...common, ['person.updated_at', observation.person.updatedAt]]
    case 'threaded':
      return [
        ...common,
        ['message.sent_at', observation.message.sentAt],
        ['case.created_at', observation.thread.opens.createdAt],
      ]
    case 'bounce':
    case 'chat':
    case 'file':
    case 'rating':
    case 'pointer':
      return common
  }
}
