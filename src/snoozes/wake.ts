/** The time is over: the case comes back, and whoever has it is told. */
import { accountsOf, findAgents, toldAt } from '#hub/agents/index.ts'
import { type CaseInBrief, casesInBrief, type DomainEvent, eventBy } from '#hub/cases/index.ts'
import type { ChatSettings } from '#hub/connector/chat.ts'
import type { Hub } from '#hub/hub.ts'
import { effectKey, type OutboxEntry, putInOutbox } from '#hub/outbox/index.ts'
import type { Trx } from '#hub/platform/db/database.ts'
import { fill, messagesIn } from '#hub/workbench/messages/index.ts'
import { takeDue } from './store.ts'

export interface SnoozeHub {
  readonly signals: Pick<Hub['signals'], 'raise'>
  readonly now: Hub['now']
  readonly connections: { all(): readonly Tool[] }
  /** One transaction under the workspace's lock. */
  readonly inWorkspace: <T>(work: (trx: Trx) => Promise<T>) => Promise<T>
  /** Records events and lets rules follow them, in the given transaction. */
  readonly publish: (trx: Trx, events: readonly DomainEvent[]) => Promise<void>
}

/** What is asked of a connection: whether agents work there, and in which language. */
interface Tool {
  readonly id: string
  readonly config: unknown
  readonly connector: {
    readonly can: { readonly chat?: { settings(config: unknown): Pick<ChatSettings, 'language'> } }
  }
}

const batchSize = 200
/** As the histories of cases name it. */
export const hubItself = { kind: 'person', name: 'Deskweave' } as const

/**
 * Ends every snooze that is due, each once: its row, its event and its notice go in one transaction, and two hubs that look
 * at the same time do so one after the other. @returns how many.
 */
export async function wakeDue(hub: SnoozeHub, now: Date): Promise<number> {
  let woken = 0
  for (let some = await wakeSome(hub, now); some > 0; some = await wakeSome(hub, now)) woken += some
  if (woken > 0) hub.signals.raise('outbox')
  return woken
}

async function wakeSome(hub: SnoozeHub, now: Date): Promise<number> {
  return await hub.inWorkspace(async (trx) => {
    const due = await takeDue(trx, now, batchSize)
    const cases = await casesInBrief(
      trx,
      due.map(({ caseId }) => caseId),
    )
    const back = due.flatMap(({ caseId, until }) => {
      const about = cases.get(caseId)
      const data = { until: until.toISOString() }
      return about ? { about, event: eventBy(hubItself, 'case.unsnoozed', about, data, data.until, now) } : []
    })
    await hub.publish(
      trx,
      back.map(({ event }) => event),
    )
    await putInOutbox(trx, await notices(trx, hub, back, now))
    return due.length
  })
}

interface Back {
  readonly about: CaseInBrief
  readonly event: DomainEvent
}

/** To the assignee, in the first chat tool that knows them; whoever has no account there finds the case in their queue. */
async function notices(trx: Trx, hub: SnoozeHub, back: readonly Back[], now: Date): Promise<OutboxEntry[]> {
  const chats = new Map(
    hub.connections.all().flatMap((one) => (one.connector.can.chat ? [[one.id, one] as const] : [])),
  )
  if (chats.size === 0) return []
  const agents = await findAgents(
    trx,
    back.flatMap(({ about }) => about.assigneeEmail ?? []),
  )
  const accounts = await accountsOf(
    trx,
    agents.filter(({ active }) => active).map(({ id }) => id),
  )
  return back.flatMap(({ about, event }): OutboxEntry[] => {
    const agent = agents.find(({ email }) => email === about.assigneeEmail)
    const account = accounts.find(({ agentId, connectionId }) => agentId === agent?.id && chats.has(connectionId))
    const chat = account && chats.get(account.connectionId)
    if (!agent || !chat) return []
    const words = messagesIn[agent.language ?? chat.connector.can.chat?.settings(chat.config).language ?? 'en']
    const dueAt = toldAt(agent, now, about.priority === 'urgent')
    return [
      {
        key: effectKey(event.id, 'chat.show', chat.id),
        lane: chat.id,
        orderKey: about.id,
        connectionId: chat.id,
        caseId: about.id,
        action: {
          type: 'chat.show',
          show: {
            what: 'notice',
            to: { agent: agent.email },
            key: `snooze:${about.id}`,
            title: fill(words.snooze.over, { subject: about.subject ?? words.case.noSubject }),
            text: words.snooze.overText,
            tone: 'attention',
            caseId: about.id,
          },
        },
        cause: { eventId: event.id, depth: 0 },
        ...(dueAt ? { dueAt } : {}),
      },
    ]
  })
}
