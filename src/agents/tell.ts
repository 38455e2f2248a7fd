/** What is said in the chat tool about a claim: to the admins who decide, then to the one who waits. */
import type { ChatLanguage, ChatPerson } from '#hub/connector/chat.ts'
import type { ChatTarget } from '#hub/outbox/action.ts'
import { effectKey, putInOutbox } from '#hub/outbox/index.ts'
import type { Db } from '#hub/platform/db/database.ts'
import { fill, type Messages, messagesIn } from '#hub/workbench/messages/index.ts'
import { toldAt } from './agent.ts'
import { type Account, adminsAt } from './store.ts'

/** To every admin who works in the same tool, after their quiet hours. */
export async function tellAdmins(db: Db, account: Account, person: ChatPerson, email: string, now: Date) {
  const admins = await adminsAt(db, account.connectionId)
  const entries = admins.map((admin) => {
    const { title, text } = messagesIn[admin.language ?? 'en'].chat.claim.asked
    const filled = fill(text, { name: person.name ?? person.id, email })
    const dueAt = toldAt(admin, now, false)
    const entry = entryTo(account, { agent: admin.email }, { title, text: filled, tone: 'attention' }, now)
    return dueAt ? { ...entry, dueAt } : entry
  })
  await putInOutbox(db, entries)
}

export async function tellClaimant(
  db: Db,
  account: Account,
  person: ChatPerson,
  outcome: Exclude<keyof Messages['chat']['claim'], 'asked'>,
  now: Date,
): Promise<void> {
  const { title, text } = messagesIn[languageOf(person)].chat.claim[outcome]
  const tone = outcome === 'confirmed' ? 'good' : 'neutral'
  await putInOutbox(db, [entryTo(account, { user: account.externalId }, { title, text, tone }, now)])
}

function languageOf({ locale }: ChatPerson): ChatLanguage {
  return locale?.toLowerCase().startsWith('es') ? 'es' : 'en'
}

interface Said {
  readonly title: string
  readonly text: string
  readonly tone: 'attention' | 'good' | 'neutral'
}

function entryTo({ connectionId, externalId }: Account, to: ChatTarget, said: Said, now: Date) {
  const key = effectKey('seat claim', connectionId, externalId, JSON.stringify(to), said.title, now.toISOString())
  return {
    key,
    lane: connectionId,
    orderKey: externalId,
    connectionId,
    action: { type: 'chat.show', show: { what: 'notice', to, key: `seat:${externalId}`, ...said } },
    cause: { depth: 0 },
  } as const
}
