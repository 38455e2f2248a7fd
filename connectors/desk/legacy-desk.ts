/** The state of the "Legacy desk" sandbox: its people, cases and messages, and what the hub asked of it. No HTTP here. */
import { z } from 'zod'

const person = z.object({
  name: z.string().optional(),
  emails: z.array(z.string()).default([]),
  phones: z.array(z.string()).default([]),
  company: z.object({ id: z.string().optional(), name: z.string(), domain: z.string().optional() }).optional(),
  locale: z.string().optional(),
  traits: z.record(z.string(), z.unknown()).default({}),
})
const statuses = ['new', 'open', 'pending', 'on_hold', 'solved', 'closed'] as const
const priorities = ['low', 'normal', 'high', 'urgent'] as const
const newCase = z.object({
  subject: z.string(),
  text: z.string(),
  visibility: z.enum(['public', 'internal']).default('public'),
  requester_id: z.string().optional(),
  requester: person.optional(),
  status: z.enum(statuses).default('new'),
  priority: z.enum(priorities).default('normal'),
  tags: z.array(z.string()).default([]),
  team: z.string().nullable().default(null),
  custom: z.record(z.string(), z.unknown()).default({}),
})
const change = z.object({
  status: z.enum(statuses).optional(),
  priority: z.enum(priorities).optional(),
  subject: z.string().optional(),
  add_tags: z.array(z.string()).default([]),
  remove_tags: z.array(z.string()).default([]),
  assignee_email: z.string().nullable().optional(),
  team: z.string().nullable().optional(),
  custom: z.record(z.string(), z.unknown()).optional(),
  if_version: z.string().optional(),
})
const newMessage = z.object({
  visibility: z.enum(['public', 'internal']),
  text: z.string(),
  html: z.string().optional(),
  by: z.enum(['customer', 'agent']).default('agent'),
  /** The colleague on whose behalf the hub writes. */
  author: z.object({ name: z.string().optional(), email: z.string().optional(), id: z.string().optional() }).optional(),
  attachments: z.array(z.object({ name: z.string(), url: z.string().optional() })).default([]),
})
const revision = z.object({ id: z.string(), text: z.string().optional() })
const rating = z.object({
  scale: z.enum(['csat_5', 'nps_11', 'ces_7']).default('csat_5'),
  score: z.int(),
  comment: z.string().optional(),
})
const notice = z.object({ to: z.string(), text: z.string(), url: z.string().optional() })

type DeskPerson = z.output<typeof person> & { readonly id: string }
interface DeskMessage {
  readonly id: string
  readonly case_id: string
  readonly visibility: 'public' | 'internal'
  readonly author: { readonly kind: 'customer' | 'agent'; readonly id: string; readonly name?: string }
  text: string
  readonly html?: string
  readonly attachments: readonly { readonly name: string; readonly url?: string | undefined }[]
  readonly sent_at: string
}
export interface DeskCase {
  readonly id: string
  subject: string
  status: (typeof statuses)[number]
  priority: (typeof priorities)[number]
  tags: string[]
  readonly requester: DeskPerson
  assignee: { readonly id: string; readonly name: string; readonly email: string } | null
  team: string | null
  custom: Record<string, unknown>
  rating: z.output<typeof rating> | null
  readonly url: string
  readonly messages: DeskMessage[]
  readonly created_at: string
  updated_at: string
  /** Counts the writes. */
  version: string
}

/** What happened, for the desk's webhooks. `by_hub`: the hub asked for it. */
export type DeskNews = { readonly at: string; readonly by_hub: boolean } & (
  | { readonly type: 'case'; readonly case: DeskCase }
  | { readonly type: 'message'; readonly message: DeskMessage }
  | { readonly type: 'person'; readonly person: DeskPerson }
  | { readonly type: 'rating'; readonly case_id: string; readonly rating: z.output<typeof rating> }
)

export class DeskRefusal extends Error {
  override readonly name = 'DeskRefusal'
  readonly status: 404 | 409
  constructor(status: 404 | 409, message: string) {
    super(message)
    this.status = status
  }
}

const agents = [
  { id: 'A-1', name: 'Leo Martín', email: 'leo@desk.example' },
  { id: 'A-2', name: 'Noor Haddad', email: 'noor@desk.example' },
  { id: 'A-3', name: 'Jo Weber', email: 'jo@acme.example' },
]

export interface LegacyDesk {
  readonly people: ReadonlyMap<string, DeskPerson>
  readonly cases: ReadonlyMap<string, DeskCase>
  readonly notices: readonly z.output<typeof notice>[]
  addPerson(input: unknown, byHub?: boolean): DeskPerson
  openCase(input: unknown, byHub?: boolean): DeskCase
  /** @throws DeskRefusal 404, or 409 when `if_version` is not the case's own any more. */
  changeCase(id: string, input: unknown, byHub?: boolean): DeskCase
  addMessage(caseId: string, input: unknown, byHub?: boolean): DeskMessage
  /** Without a text it is gone. @throws DeskRefusal 404 */
  reviseMessage(caseId: string, input: unknown): void
  rate(caseId: string, input: unknown, byHub?: boolean): DeskCase
  notify(input: unknown): void
}

/** @param tell hears of everything that happened, in order. */
export function legacyDesk(options: {
  now: () => Date
  url: () => string
  tell: (news: DeskNews) => void
}): LegacyDesk {
  const people = new Map<string, DeskPerson>()
  const cases = new Map<string, DeskCase>()
  const notices: z.output<typeof notice>[] = []
  let messageCount = 0
  let lastMs = 0

  /** No two things happen in the same millisecond, so that news of a case can be put in order. */
  function moment(): string {
    lastMs = Math.max(options.now().getTime(), lastMs + 1)
    return new Date(lastMs).toISOString()
  }

  function caseOf(id: string): DeskCase {
    const found = cases.get(id)
    if (!found) throw new DeskRefusal(404, `no case ${id}`)
    return found
  }

  function touch(one: DeskCase, byHub: boolean): DeskCase {
    one.updated_at = moment()
    one.version = String(Number(one.version) + 1)
    options.tell({ type: 'case', at: one.updated_at, by_hub: byHub, case: one })
    return one
  }

  /** The same address is the same person. */
  function addPerson(input: unknown, byHub = false): DeskPerson {
    const given = person.parse(input)
    const known = [...people.values()].find((one) => one.emails.some((email) => given.emails.includes(email)))
    const saved = {
      ...known,
      ...given,
      traits: { ...known?.traits, ...given.traits },
      id: known?.id ?? `U-${people.size + 1}`,
    }
    people.set(saved.id, saved)
    options.tell({ type: 'person', at: moment(), by_hub: byHub, person: saved })
    return saved
  }

  function addMessage(caseId: string, input: unknown, byHub = false): DeskMessage {
    const one = caseOf(caseId)
    const { by, author, ...given } = newMessage.parse(input)
    const own = agents.find(({ id, email }) => id === author?.id || email === author?.email?.toLowerCase())
    const agent = own ?? one.assignee ?? agents[0]
    const writer = by === 'customer' ? one.requester : agent
    messageCount += 1
    const message: DeskMessage = {
      id: `M-${messageCount}`,
      case_id: caseId,
      author: { kind: by, id: writer?.id ?? 'A-1', ...(writer?.name === undefined ? {} : { name: writer.name }) },
      visibility: given.visibility,
      text: given.text,
      ...(given.html === undefined ? {} : { html: given.html }),
      attachments: given.attachments,
      sent_at: moment(),
    }
    one.messages.push(message)
    options.tell({ type: 'message', at: message.sent_at, by_hub: byHub, message })
    return message
  }

  return {
    people,
    cases,
    notices,
    addPerson,
    addMessage,
    openCase(input, byHub = false) {
      const { text, visibility, requester, requester_id, ...given } = newCase.parse(input)
      const asking = requester_id === undefined ? addPerson(requester ?? {}, byHub) : people.get(requester_id)
      if (!asking) throw new DeskRefusal(404, `no person ${requester_id}`)
      const id = `T-${cases.size + 1}`
      const at = moment()
      const one: DeskCase = {
        ...given,
        id,
        requester: asking,
        assignee: null,
        rating: null,
        messages: [],
        url: `${options.url()}/cases/${id}`,
        created_at: at,
        updated_at: at,
        version: '0',
      }
      cases.set(id, one)
      touch(one, byHub)
      addMessage(id, { visibility, text, by: byHub ? 'agent' : 'customer' }, byHub)
      return one
    },
    changeCase(id, input, byHub = false) {
      const one = caseOf(id)
      const { add_tags, remove_tags, assignee_email, custom, if_version, ...given } = change.parse(input)
      if (if_version !== undefined && if_version !== one.version) {
        throw new DeskRefusal(409, `case ${id} is at version ${one.version}, not ${if_version}`)
      }
      const stated = Object.entries(given).filter(([, value]) => value !== undefined)
      Object.assign(one, Object.fromEntries(stated))
      one.tags = [...new Set([...one.tags, ...add_tags])].filter((tag) => !remove_tags.includes(tag))
      one.custom = { ...one.custom, ...custom }
      if (assignee_email !== undefined) one.assignee = agents.find((agent) => agent.email === assignee_email) ?? null
      return touch(one, byHub)
    },
    reviseMessage(caseId, input) {
      const { id, text } = revision.parse(input)
      const { messages } = caseOf(caseId)
      const place = messages.findIndex((message) => message.id === id)
      const message = messages[place]
      if (!message) throw new DeskRefusal(404, `no message ${id}`)
      if (text === undefined) messages.splice(place, 1)
      else message.text = text
    },
    rate(caseId, input, byHub = false) {
      const one = caseOf(caseId)
      one.rating = rating.parse(input)
      options.tell({ type: 'rating', at: moment(), by_hub: byHub, case_id: caseId, rating: one.rating })
      return one
    },
    notify(input) {
      notices.push(notice.parse(input))
    },
  }
}
