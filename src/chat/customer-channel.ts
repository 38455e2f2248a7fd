/**
 * Channels that a customer's company and ours share: what customers write there opens cases and continues them, as mail does.
 * One thread is one case; what our people write in it is public.
 */
import type { LoadedConnection } from '#hub/connections/index.ts'
import { type ChatPerson, type ChatSettings, threadCaseId } from '#hub/connector/chat.ts'
import { type CaseFacts, channels, type MessageFacts, type PersonFacts } from '#hub/connector/facts.ts'
import type { Trx } from '#hub/platform/db/database.ts'
import { messagesIn } from '#hub/workbench/index.ts'
import { languageFor } from './languages.ts'
import { knownPeople } from './store.ts'
import type { ChatStep } from './work.ts'

export type CustomerFact =
  | { readonly type: 'case'; readonly case: CaseFacts }
  | { readonly type: 'message'; readonly caseId: string; readonly message: MessageFacts; readonly reopens: boolean }

/**
 * @param opened the cases that this batch opens already; those that it opens now are added.
 * @returns undefined for what happens elsewhere.
 */
export async function customerFacts(
  trx: Trx,
  step: ChatStep,
  connection: LoadedConnection,
  settings: ChatSettings,
  opened: Set<string>,
): Promise<readonly CustomerFact[] | undefined> {
  const { place, what, user } = step.happening
  const shared = settings.channels.find((one) => one.channel === place?.channel && one.for === 'customer')
  if (!shared || !place) return undefined
  if (what.kind === 'press' || what.kind === 'submit') return undefined
  if (what.kind !== 'message' && what.kind !== 'edited' && what.kind !== 'deleted') return []
  const person = (await knownPeople(trx, connection.id, [user])).get(user)?.person
  if (!person || person.kind === 'bot') return []
  const messageId = what.kind === 'deleted' ? what.messageId : what.message.id
  const caseId = threadCaseId(place.channel, place.thread ?? messageId)
  const isKnown = opened.has(caseId) || (await isLinked(trx, connection.id, caseId))
  const isOurs = person.kind === 'member'
  // Our own people begin no cases there: what they announce is no question.
  if (!isKnown && (isOurs || what.kind !== 'message')) return []
  // A card passed on, a quotation: nothing that is anybody's to answer.
  if (what.kind === 'message' && what.message.text === '' && what.message.files.length === 0) return []
  const language = languageFor(settings, { channel: place.channel })
  const text = what.kind === 'deleted' ? messagesIn[language].chat.deleted : what.message.text
  const message: MessageFacts = {
    id: threadCaseId(place.channel, messageId),
    visibility: 'public',
    author: authorOf(person, isOurs),
    text,
    ...(what.kind !== 'deleted' && what.message.files.length > 0 ? { attachments: what.message.files } : {}),
    sentAt: step.occurredAt,
  }
  const said: CustomerFact = { type: 'message', caseId, message, reopens: !isOurs && what.kind === 'message' }
  if (isKnown) return [said]
  opened.add(caseId)
  const channel = channels.find((name) => name === connection.connector.manifest.id)
  const first: CaseFacts = {
    id: caseId,
    subject: firstLine(text),
    status: 'new',
    ...(channel ? { channel } : {}),
    requester: requesterOf(person, shared.company),
    createdAt: step.occurredAt,
    updatedAt: step.occurredAt,
  }
  return [{ type: 'case', case: first }, said]
}

async function isLinked(trx: Trx, connectionId: string, externalId: string): Promise<boolean> {
  const row = await trx
    .selectFrom('case_links')
    .select('case_id')
    .where('connection_id', '=', connectionId)
    .where('external_id', '=', externalId)
    .executeTakeFirst()
  return row !== undefined
}

function authorOf({ id, name, email }: ChatPerson, isOurs: boolean): MessageFacts['author'] {
  return { kind: isOurs ? 'agent' : 'customer', id, ...(name ? { name } : {}), ...(email ? { email } : {}) }
}

function requesterOf({ id, name, email, locale }: ChatPerson, company: string | undefined): PersonFacts {
  return {
    id,
    ...(name ? { name } : {}),
    ...(email ? { emails: [email] } : {}),
    ...(company ? { company: { name: company } } : {}),
    ...(locale ? { locale } : {}),
  }
}

const longestSubject = 200

function firstLine(text: string): string {
  const line =
    text
      .split('\n')
      .map((one) => one.trim())
      .find(Boolean) ?? ''
  return line.length > longestSubject
    ? `${line
        .slice(0, longestSubject - 1)
        .toWellFormed()
        .trimEnd()}…`
    : line
}
