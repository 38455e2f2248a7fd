/** Reads what a card shows, in a handful of statements however much there is. Nothing here is decided or written. */
import { getCase } from '#hub/api/store/cases.ts'
import type { FieldValue } from '#hub/connector/facts.ts'
import { conversationOf } from '#hub/delivery/store.ts'
import { findByIdentity, type ProfileDetails, profileDetails, searchProfiles } from '#hub/identity/index.ts'
import { snoozeOf } from '#hub/snoozes/index.ts'
import { byUrgency } from './case-line.ts'
import { similarSolved, withWords } from './full-text.ts'
import { type CardSources, loadRows } from './load-rows.ts'
import type { ShownCase, ShownQueue, ShownRequester, ShownRow, ShownSearch, ShownTool, ShownWay } from './shown.ts'
import * as store from './store.ts'

const messagesOnCard = 5
const rowsInList = 20

/** @returns undefined when there is no such case. */
export async function loadCase(hub: CardSources, id: string, now: Date): Promise<ShownCase | undefined> {
  const { db } = hub
  const [found, rows, said, deliveries, snoozed] = await Promise.all([
    getCase(db, id),
    loadRows(hub, [id]),
    store.latestMessages(db, id, messagesOnCard),
    store.undelivered(db, id, now),
    snoozeOf(db, id),
  ])
  const [row] = rows
  if (!found || !row) return undefined
  const profile =
    found.profile_id === null ? undefined : (await profileDetails(db, [found.profile_id])).get(found.profile_id)
  const way = await loadWay(hub, row.tools, profile)
  const customer = profile ? toRequester(profile, way?.address ?? null) : null
  return {
    ...row,
    requester: row.requester ?? customer?.address ?? null,
    channel: found.channel,
    team: found.team,
    tags: found.tags,
    category: textOf(found.custom['category']),
    snoozedUntil: snoozed?.until.toISOString() ?? null,
    customer,
    way,
    createdAt: found.created_at.toISOString(),
    messages: said.messages.toReversed().map(({ author, visibility, text, attachments, sent_at }) => ({
      author: { kind: author.kind, name: author.name ?? author.email ?? null },
      visibility,
      text,
      at: sent_at.toISOString(),
      files: attachments.map((file) => file.name),
    })),
    earlierMessages: said.count - said.messages.length,
    deliveries,
  }
}

/** The tool and the address that a reply goes to, as delivery will find them. */
async function loadWay(
  { db }: CardSources,
  tools: readonly ShownTool[],
  profile: ProfileDetails | undefined,
): Promise<ShownWay | null> {
  const tool = tools.find(({ takesMessages }) => takesMessages)
  if (!tool) return null
  const { addresses = [] } = (await conversationOf(db, tool.connectionId, tool.externalId)) ?? {}
  const to = addresses.find(({ bounced }) => bounced === null) ?? addresses[0]
  return {
    connectionId: tool.connectionId,
    tool: tool.name,
    address: to?.email ?? null,
    name: to?.name ?? profile?.name ?? null,
    isDead: to !== undefined && to.bounced !== null,
  }
}

/** @param emails the agent's, as the tools know them. */
export async function loadQueue(hub: CardSources, emails: readonly string[], now: Date): Promise<ShownQueue> {
  const known = emails.map((email) => email.toLowerCase())
  const [ids, figures] = await Promise.all([store.openCasesOf(hub.db, known), store.figuresOf(hub.db, known, now)])
  const rows = (await loadRows(hub, ids)).toSorted(byUrgency)
  return {
    rows: rows.slice(0, rowsInList),
    figures: {
      open: rows.length,
      waiting: rows.filter(({ waitingSince }) => waitingSince !== null).length,
      pressing: rows.filter(({ priority }) => priority === 'high' || priority === 'urgent').length,
      solvedLast7Days: figures.solved,
      satisfaction: figures.satisfaction,
    },
  }
}

/** By a case's number, a customer's address, number or name, or the words of cases; in this order. */
export async function loadSearch(hub: CardSources, text: string): Promise<ShownSearch> {
  const { db } = hub
  const wanted = text.trim()
  if (!wanted) return { text: wanted, rows: [] }
  const connectionIds = hub.connections.all().map(({ id }) => id)
  const [numbered, byWords, people] = await Promise.all([
    store.casesNumbered(db, connectionIds, wanted.replace(/^#/, '')),
    withWords(db, wanted, rowsInList),
    peopleNamed(hub, wanted),
  ])
  const theirs = people.length > 0 ? await store.allCasesFrom(db, people) : []
  const ids = [...new Set([...numbered, ...theirs, ...byWords])].slice(0, rowsInList)
  return { text: wanted, rows: await loadRows(hub, ids) }
}

/** The one case with this number in a tool, or with this id here. @returns its id; undefined for none and for several. */
export async function findCase(hub: CardSources, number: string): Promise<string | undefined> {
  const wanted = number.trim().replace(/^#/, '')
  if (!wanted) return undefined
  const connectionIds = hub.connections.all().map(({ id }) => id)
  const found = new Set(await store.casesNumbered(hub.db, connectionIds, wanted))
  if (found.size === 0 && (await getCase(hub.db, wanted))) return wanted
  const [only, ...others] = found
  return others.length === 0 ? only : undefined
}

/** @returns leaves. */
async function peopleNamed({ db }: CardSources, text: string): Promise<readonly string[]> {
  if (text.includes('@') || /^\+?[\d ()-]{7,}$/.test(text)) {
    const root = await findByIdentity(db, `${text.includes('@') ? 'email' : 'phone'}:${text}`)
    const details = root === undefined ? undefined : (await profileDetails(db, [root])).get(root)
    return details?.leaves ?? []
  }
  if (text.length < 3) return []
  const { data } = await searchProfiles(db, text)
  return data.slice(0, 10).flatMap(({ leaves }) => leaves)
}

/** Solved cases like this one, the most alike first. */
export async function loadSimilar(hub: CardSources, caseId: string, limit = 5): Promise<readonly ShownRow[]> {
  return await loadRows(hub, await similarSolved(hub.db, caseId, limit))
}

function textOf(value: FieldValue | undefined): string | null {
  return value === undefined || value === null || value === '' ? null : String(value)
}

function toRequester(profile: ProfileDetails, address: string | null): ShownRequester {
  const { id, name, identities, company, traits } = profile
  const plan = traits['plan']?.value ?? company?.traits['plan']
  return {
    id,
    name,
    address: address ?? identities.find(({ kind }) => kind === 'email')?.value ?? null,
    company: company?.name ?? company?.domain ?? null,
    plan: plan === undefined || plan === null ? null : String(plan),
  }
}
