/**
 * What happened in chat tools, as the pipeline takes it: what customers say in their channels becomes facts like any desk's,
 * what agents do becomes wishes on cases. Read in the batch's transaction; carried out by `wishes.ts`.
 */
import type { Agent } from '#hub/agents/index.ts'
import type { LoadedConnection } from '#hub/connections/index.ts'
import type { Act } from '#hub/connector/card.ts'
import type { ChatHappening, ChatPerson, ChatSettings, ReactionAct } from '#hub/connector/chat.ts'
import type { Attachment } from '#hub/connector/facts.ts'
import type { Hub } from '#hub/hub.ts'
import type { Trx } from '#hub/platform/db/database.ts'
import { acts, findCase, messagesIn, readingActs, splitValue } from '#hub/workbench/index.ts'
import { type CustomerFact, customerFacts } from './customer-channel.ts'
import { isRead } from './happenings.ts'
import { type Actor, actorOf } from './people.ts'
import { problemsOf, textIn } from './problems.ts'
import * as store from './store.ts'
import { caseOfValue, spotsOf } from './where.ts'

export interface ChatStep {
  readonly row: { readonly seq: number; readonly source: 'webhook' | 'reconcile'; readonly attempts: number }
  readonly connectionId: string
  readonly occurredAt: string
  readonly happening: ChatHappening
}

/** What somebody wants; `cause` is the same however often the row is worked. */
export interface Wish {
  readonly step: ChatStep
  readonly caseId?: string
  readonly want:
    | { readonly kind: 'act'; readonly agent: Agent; readonly act: Act; readonly intoCaseId?: string }
    | {
        readonly kind: 'note'
        readonly agent: Agent
        readonly text: string
        readonly files: readonly Attachment[]
        readonly spot: store.SpotKey
      }
    /** Without text: it was deleted. */
    | { readonly kind: 'revise'; readonly agent: Agent; readonly spot: store.SpotKey; readonly text?: string }
    | { readonly kind: 'answer'; readonly person: ChatPerson; readonly invitationId: string; readonly score: number }
    | { readonly kind: 'claim'; readonly person: ChatPerson; readonly email: string }
}

export interface ChatWork {
  readonly facts: readonly { readonly step: ChatStep; readonly fact: CustomerFact }[]
  readonly wishes: readonly Wish[]
  /** The hub's cases that wishes are about. */
  readonly caseIds: readonly string[]
  /** Rows that tell of what the hub does not know yet: they are looked at again. */
  readonly early: ReadonlySet<number>
}

/** Longer than the lease on a card whose worker died; later it is taken for talk that is about no case. */
const looksForMissing = 12

export type WorkHub = Pick<Hub, 'connections' | 'now'>

export async function readChat(trx: Trx, hub: WorkHub, steps: readonly ChatStep[]): Promise<ChatWork> {
  const facts: ChatWork['facts'][number][] = []
  const wishes: Wish[] = []
  const early = new Set<number>()
  if (steps.length === 0) return { facts, wishes, caseIds: [], early }
  await noteChannels(trx, hub, steps)
  const spots = await store.casesAt(
    trx,
    steps.flatMap(({ connectionId, happening }) => spotsOf(connectionId, happening.place)),
  )
  const opened = new Set<string>()
  const taken = new Set<string>()
  const whoDid = actorsIn(trx, hub.now())
  for (const step of steps) {
    const connection = hub.connections.all().find(({ id }) => id === step.connectionId)
    const settings = connection?.connector.can.chat?.settings(connection.config)
    if (!connection || !settings || isRead(step.happening)) continue
    const told = await customerFacts(trx, step, connection, settings, opened)
    if (told) facts.push(...told.map((fact) => ({ step, fact })))
    else {
      const wanted = await wishesOf(trx, { ...hub, db: trx }, step, connection, settings, spots, whoDid)
      if (wanted === 'too early') early.add(step.row.seq)
      else wishes.push(...wanted.filter(({ want }) => want.kind !== 'note' || isNew(taken, store.spotKey(want.spot))))
    }
  }
  const caseIds = wishes.flatMap(({ caseId, want }) => [
    ...(caseId === undefined ? [] : [caseId]),
    ...(want.kind === 'act' && want.intoCaseId !== undefined ? [want.intoCaseId] : []),
  ])
  return { facts, wishes, caseIds: [...new Set(caseIds)], early }
}

/** Who presses does it more than once: within a batch nobody is looked up twice. */
function actorsIn(trx: Trx, now: Date): (connectionId: string, user: string) => Promise<Actor> {
  const actors = new Map<string, Promise<Actor>>()
  return (connectionId, user) => {
    const key = JSON.stringify([connectionId, user])
    const actor = actors.get(key) ?? actorOf(trx, connectionId, user, now)
    actors.set(key, actor)
    return actor
  }
}

function isNew(taken: Set<string>, key: string): boolean {
  const isKnown = taken.has(key)
  taken.add(key)
  return !isKnown
}

/** In the order in which it happened: what is told of a whole team may be told otherwise of one channel afterwards. */
async function noteChannels(trx: Trx, { connections, now }: WorkHub, steps: readonly ChatStep[]): Promise<void> {
  for (const { connectionId, happening } of steps) {
    const { place, what } = happening
    if (what.kind === 'uninstalled') await store.closeChannelsOf(trx, connectionId, what.install, now())
    if (!place || (what.kind !== 'channel' && place.reference === undefined)) continue
    const { channel, reference } = place
    const news = {
      ...{ connectionId, channel },
      ...(reference === undefined ? {} : { reference }),
      ...(what.kind === 'channel' ? { state: what.state } : { state: 'open' as const }),
      ...(what.kind === 'channel' && what.name !== undefined ? { name: what.name } : {}),
    }
    await store.saveChannels(trx, [news], now())
    if (what.kind !== 'channel' || what.group === undefined) continue
    const { chat } = connections.all().find(({ id }) => id === connectionId)?.connector.can ?? {}
    await noteGroup(trx, connectionId, what.group, what.state, chat?.groupOf, now())
  }
}

/** All channels of a team at once. Of those where a card was refused and nobody has spoken yet, no team is known. */
async function noteGroup(
  trx: Trx,
  connectionId: string,
  group: string,
  state: 'open' | 'gone',
  groupOf: ((reference: string) => string | undefined) | undefined,
  now: Date,
): Promise<void> {
  const known = await store.channelsOf(trx, connectionId)
  const own = known.filter(({ reference }) => reference !== null && groupOf?.(reference) === group)
  await store.setChannels(
    trx,
    connectionId,
    own.map(({ channel }) => channel),
    state,
    now,
  )
  if (state === 'open') await store.tryUnheardOf(trx, connectionId)
}

async function wishesOf(
  trx: Trx,
  hub: WorkHub & { readonly db: Trx },
  step: ChatStep,
  connection: LoadedConnection,
  settings: ChatSettings,
  spots: ReadonlyMap<string, string>,
  whoDid: ReturnType<typeof actorsIn>,
): Promise<readonly Wish[] | 'too early'> {
  const { user, place, what } = step.happening
  if (what.kind === 'channel' || what.kind === 'uninstalled' || user === '') return []
  const actor = await whoDid(connection.id, user)
  if (what.kind === 'press' || what.kind === 'submit') {
    const { act } = what
    if (act.act === acts.answerSurvey) return actor.person ? answerWish(step, actor.person, act) : []
    if (act.act === acts.claimSeat) {
      return actor.person && !(await isRefused(hub, act)) ? claimWish(step, actor.person, act) : []
    }
    if (!actor.may || readingActs.has(act.act)) return []
    // They were told what is wrong, in a dialog that is still open: nothing of it may happen.
    if (what.kind === 'submit' && (await isRefused(hub, act))) return []
    const intoCaseId = act.act === acts.merge ? await findCase(hub, textIn(act.fields, 'into')) : undefined
    const caseId = act.act === acts.createCase ? undefined : await caseOfAct(trx, act)
    return [
      {
        step,
        ...(caseId === undefined ? {} : { caseId }),
        want: { kind: 'act', agent: actor.agent, act, ...(intoCaseId === undefined ? {} : { intoCaseId }) },
      },
    ]
  }
  const here = spotsOf(connection.id, place)
  const caseId = here.map((spot) => spots.get(store.spotKey(spot))).find((id) => id !== undefined)
  if (!actor.may || !place) return []
  const mayWait = step.row.attempts < looksForMissing
  if (caseId === undefined) return mayWait && (await mayBeOfCard(trx, step)) ? 'too early' : []
  const spot = (messageId: string) => ({ connectionId: connection.id, channel: place.channel, messageId })
  const isKnown = (messageId: string) => spots.has(store.spotKey(spot(messageId)))
  const { agent } = actor
  switch (what.kind) {
    case 'message':
      // Only what stands in the thread of a case belongs to it; the tool may tell of it twice under different names.
      return place.thread === undefined || isKnown(what.message.id)
        ? []
        : [
            {
              step,
              caseId,
              want: {
                kind: 'note',
                agent,
                text: what.message.text,
                files: what.message.files,
                spot: spot(what.message.id),
              },
            },
          ]
    case 'edited':
      if (!isKnown(what.message.id)) return mayWait ? 'too early' : []
      return [{ step, caseId, want: { kind: 'revise', agent, spot: spot(what.message.id), text: what.message.text } }]
    case 'deleted':
      if (!isKnown(what.messageId)) return mayWait ? 'too early' : []
      return [{ step, caseId, want: { kind: 'revise', agent, spot: spot(what.messageId) } }]
    case 'reaction': {
      const name = Object.hasOwn(settings.reactions, what.name) ? settings.reactions[what.name] : undefined
      return name === undefined
        ? []
        : [{ step, caseId, want: { kind: 'act', agent, act: actOfReaction(name, caseId) } }]
    }
    default:
      return []
  }
}

/** A card is answered as soon as it is seen, which may be before the tool's word of where it stands is written down. */
async function mayBeOfCard(trx: Trx, { connectionId, happening: { place, what } }: ChatStep): Promise<boolean> {
  if (!place || (what.kind !== 'reaction' && place.thread === undefined)) return false
  return await store.isCardUnderWay(trx, connectionId, place.channel)
}

async function isRefused(hub: Parameters<typeof problemsOf>[0], act: Act): Promise<boolean> {
  return Object.keys(await problemsOf(hub, act, messagesIn.en)).length > 0
}

/** Most acts are on the case that stands first in their value; an approval knows its own. */
async function caseOfAct(trx: Trx, { act, value }: Act): Promise<string | undefined> {
  if (act !== acts.approve && act !== acts.reject) return caseOfValue(value) || undefined
  const row = await trx.selectFrom('approvals').select('case_id').where('id', '=', value).executeTakeFirst()
  return row?.case_id
}

function actOfReaction(name: ReactionAct, caseId: string): Act {
  const act = (name: string, fields: Act['fields'] = {}): Act => ({ act: name, value: caseId, fields })
  switch (name) {
    case 'take':
      return act(acts.takeCase)
    case 'resolve':
      return act(acts.resolve, { reason: 'answered' })
    case 'reopen':
      return act(acts.reopen)
    case 'escalate':
      return act(acts.escalate)
    case 'urgent':
      return act(acts.priority, { chosen: 'urgent' })
  }
}

function answerWish(step: ChatStep, person: ChatPerson, { value }: Act): readonly Wish[] {
  const [invitationId = '', score = ''] = splitValue(value)
  return /^\d{1,2}$/.test(score) ? [{ step, want: { kind: 'answer', person, invitationId, score: Number(score) } }] : []
}

function claimWish(step: ChatStep, person: ChatPerson, { fields }: Act): readonly Wish[] {
  const email = textIn(fields, 'email').toLowerCase()
  return email === '' ? [] : [{ step, want: { kind: 'claim', person, email } }]
}
