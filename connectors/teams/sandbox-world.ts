/** What is in the made-up company's Teams: people, channels, and everything that was written. */
import { SandboxFiles } from './sandbox-files.ts'

export interface SandboxPerson {
  /** The bot's own name for the person: `29:…`. */
  readonly id: string
  readonly aadObjectId: string
  readonly name: string
  readonly email: string
  readonly tenantId: string
  readonly userRole: 'user' | 'guest'
}

export interface SandboxChannel {
  readonly id: string
  readonly name: string
  readonly kind: 'channel' | 'group' | 'personal'
  readonly members: readonly SandboxPerson[]
}

export type Json = Readonly<Record<string, unknown>>

export interface SandboxMessage {
  readonly id: string
  readonly channel: SandboxChannel
  /** The message that opened its thread; in a channel its own id for one that opens one. */
  readonly thread: string | undefined
  /** Absent for the bot. */
  readonly author: SandboxPerson | undefined
  /** Of the bot: as it was posted. */
  activity: Json
  isDeleted: boolean
  /** How often the bot has put something in its place. */
  updates: number
  /** What Action.Execute gave to single persons in the card's place. */
  readonly views: Map<string, Json>
  /** Files, as Microsoft Graph and the message's own menu tell of them. */
  readonly attached: readonly SandboxReference[]
}

export interface SandboxReference {
  readonly id: string
  readonly contentType: 'reference'
  readonly contentUrl: string
  readonly name: string
}

const home = '2f0e4b7c-5d1a-4c3e-9b8a-1d2c3e4f5a6b'
const elsewhere = '9c8b7a6d-1e2f-4a3b-8c4d-5e6f7a8b9c0d'

export const bot = { appId: '0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9', name: 'Acme Support', tenantId: home } as const

/** Somebody of the company, unless `more` says otherwise. */
export const person = (
  number: number,
  name: string,
  email: string,
  more: Partial<SandboxPerson> = {},
): SandboxPerson => ({
  id: `29:1${name.toLowerCase().replaceAll(/\W/g, '')}QwErTzUiOpAsDfGhJk`,
  aadObjectId: `c1d2e3f4-0a1b-4c2d-8e3f-00000000000${number}`,
  name,
  email,
  tenantId: home,
  userRole: 'user',
  ...more,
})

export const people = {
  jo: person(1, 'Jo Weber', 'jo@acme.example'),
  kim: person(2, 'Kim Park', 'kim@acme.example'),
  gus: person(3, 'Gus Lang', 'gus@partner.example', { userRole: 'guest' }),
  /** Of another company, in a channel shared with it. */
  rita: person(4, 'Rita Sosa', 'rita@globex.example', { tenantId: elsewhere }),
} as const

const { jo, kim, gus, rita } = people
export const team = {
  id: '19:0a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d@thread.tacv2',
  /** What Microsoft Graph calls it. */
  aadGroupId: '7d6c5b4a-3f2e-4d1c-8b0a-9f8e7d6c5b4a',
  name: 'Support',
} as const
export const channels = {
  /** Each team has it from the start, under the team's own id. */
  general: { id: team.id, name: 'General', kind: 'channel', members: [jo, kim, gus] },
  cases: {
    id: '19:8f2b6d4c1a0e4f5b9c7d3e2f1a0b9c8d@thread.tacv2',
    name: 'Cases',
    kind: 'channel',
    members: [jo, kim, gus],
  },
  globex: {
    id: '19:3d4e5f6a7b8c4d9e8f0a1b2c3d4e5f6a@thread.tacv2',
    name: 'Globex',
    kind: 'channel',
    members: [jo, kim, rita],
  },
  group: {
    id: '19:7e6d5c4b3a2f4e1d9c8b7a6f5e4d3c2b@thread.v2',
    name: 'Night shift',
    kind: 'group',
    members: [jo, kim],
  },
  /** One of each kind of person in one place: for the conformance kit. */
  lobby: {
    id: '19:5f4e3d2c1b0a4c9d8e7f6a5b4c3d2e1f@thread.tacv2',
    name: 'Lobby',
    kind: 'channel',
    members: [jo, kim, gus, rita],
  },
} as const satisfies Record<string, SandboxChannel>

export class World {
  readonly messages: SandboxMessage[] = []
  readonly files = new SandboxFiles()
  readonly conversations = new Map<string, SandboxChannel>(Object.values(channels).map((one) => [one.id, one]))
  /** Where the app is not (any more), and why that matters to calls. */
  readonly gone = new Map<string, 'BotNotInConversationRoster' | 'MessageWritesBlocked'>()
  #lastId = 0
  readonly #now: () => Date
  readonly #people: SandboxPerson[] = Object.values(people)

  constructor(now: () => Date) {
    this.#now = now
  }

  /** Teams' ids are times in milliseconds. */
  nextId(): string {
    this.#lastId = Math.max(this.#lastId + 1, this.#now().getTime())
    return String(this.#lastId)
  }

  /** The private conversation of a person with the bot. */
  personal(of: SandboxPerson): SandboxChannel {
    const id = `a:1${of.id.slice(3)}`
    const known = this.conversations.get(id) ?? { id, name: of.name, kind: 'personal' as const, members: [of] }
    this.conversations.set(id, known)
    return known
  }

  add(
    channel: SandboxChannel,
    author: SandboxPerson | undefined,
    activity: Json,
    {
      thread,
      attached = [],
    }: { readonly thread?: string | undefined; readonly attached?: readonly SandboxReference[] } = {},
  ): SandboxMessage {
    const id = this.nextId()
    const hangsOn = channel.kind === 'channel' ? (thread ?? id) : undefined
    const state = { isDeleted: false, updates: 0, views: new Map() }
    const added = { id, channel, thread: hangsOn, author, activity, ...state, attached }
    this.messages.push(added)
    return added
  }

  /** @throws Error naming the id. */
  message(id: string): SandboxMessage {
    const found = this.messages.find((one) => one.id === id)
    if (found) return found
    throw new Error(`no message ${id} in the sandbox`)
  }

  /** What the bot wrote, in order. */
  get posted(): readonly SandboxMessage[] {
    return this.messages.filter(({ author, isDeleted }) => author === undefined && !isDeleted)
  }

  addPerson(added: SandboxPerson): SandboxPerson {
    this.#people.push(added)
    return added
  }

  addChannel(added: SandboxChannel): SandboxChannel {
    this.conversations.set(added.id, added)
    return added
  }

  personOf(id: string): SandboxPerson | undefined {
    return this.#people.find((one) => one.id === id || one.aadObjectId === id)
  }
}
