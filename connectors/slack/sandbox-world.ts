/** What is in the stand-in's workspaces: people, channels, messages, dialogs, files, tokens. */

export interface SlackTeam {
  readonly id: string
  readonly name: string
  readonly botUser: string
  readonly botId: string
}

export interface SlackUser {
  readonly id: string
  readonly teamId: string
  readonly name: string
  readonly email?: string
  readonly locale?: string
  readonly kind: 'member' | 'guest' | 'stranger' | 'bot'
  readonly isSingleChannelGuest?: boolean
  isDeleted: boolean
}

export interface SlackFile {
  readonly id: string
  readonly name: string
  readonly contentType: string
  content: Buffer
  /** Below the sandbox's address. */
  readonly path: string
}

export interface SlackMessage {
  readonly channel: string
  readonly ts: string
  readonly thread_ts?: string
  readonly user: string
  readonly bot_id?: string
  readonly username?: string
  readonly metadata?: unknown
  readonly files: readonly SlackFile[]
  /** Who alone sees it. */
  readonly onlyFor?: string
  text: string
  blocks: readonly Block[]
  isDeleted: boolean
}

export interface SlackChannel {
  readonly id: string
  readonly teamId: string
  name: string
  readonly kind: 'channel' | 'im'
  readonly isShared: boolean
  isArchived: boolean
  /** Whether the app is a member. */
  hasApp: boolean
  /** Of a conversation with the app: the person. */
  readonly user?: string
  readonly messages: SlackMessage[]
}

export type Block = Readonly<Record<string, unknown>>

export interface SlackView {
  readonly id: string
  readonly teamId: string
  readonly user: string
  hash: string
  view: Readonly<Record<string, unknown>> & { readonly blocks: readonly Block[] }
}

export interface Trigger {
  readonly user: string
  readonly teamId: string
  readonly expiresAt: number
  isUsed: boolean
}

export interface ResponseAddress {
  readonly channel: string
  readonly user: string
  readonly message?: SlackMessage
  readonly expiresAt: number
  used: number
}

export interface Token {
  readonly teamId: string
  readonly refresh?: string
  /** ms since 1970. */
  readonly expiresAt?: number
  isRevoked: boolean
}

/** Slack takes a trigger for three seconds, an address for half an hour and five answers. */
const burst = 20
const triggerMs = 3_000
const addressMs = 1_800_000

export const appId = 'A0DESKWEAVE'

export class SlackWorld {
  readonly teams = new Map<string, SlackTeam>()
  readonly users = new Map<string, SlackUser>()
  readonly channels = new Map<string, SlackChannel>()
  readonly files = new Map<string, SlackFile>()
  readonly tokens = new Map<string, Token>()
  readonly triggers = new Map<string, Trigger>()
  readonly addresses = new Map<string, ResponseAddress>()
  /** Each person's open dialogs, the topmost last. */
  readonly dialogs = new Map<string, SlackView[]>()
  readonly homes = new Map<string, SlackView>()
  readonly unfurls: { readonly channel: string; readonly ts: string; readonly unfurls: unknown }[] = []
  readonly #bursts = new Map<string, { readonly left: number; readonly at: number }>()
  readonly #now: () => Date
  #count = 0

  constructor(now: () => Date) {
    this.#now = now
  }

  get now(): number {
    return this.#now().getTime()
  }

  /** Never the same twice. */
  id(prefix: string): string {
    this.#count += 1
    return `${prefix}${String(this.#count).padStart(6, '0')}`
  }

  ts(): string {
    this.#count += 1
    return `${Math.floor(this.now / 1_000)}.${String(this.#count).padStart(6, '0')}`
  }

  addTeam(id: string, name: string): SlackTeam {
    const team = { id, name, botUser: `UBOT${id.slice(1)}`, botId: `B${id.slice(1)}` }
    this.teams.set(id, team)
    return team
  }

  addUser(user: Omit<SlackUser, 'isDeleted'>): SlackUser {
    const made = { ...user, isDeleted: false }
    this.users.set(user.id, made)
    return made
  }

  addChannel(channel: Pick<SlackChannel, 'id' | 'teamId' | 'name'> & Partial<SlackChannel>): SlackChannel {
    const made: SlackChannel = {
      kind: 'channel',
      isShared: false,
      isArchived: false,
      hasApp: true,
      ...channel,
      messages: [],
    }
    this.channels.set(channel.id, made)
    return made
  }

  direct(teamId: string, user: string): SlackChannel {
    const id = `D${user.slice(1)}`
    return this.channels.get(id) ?? this.addChannel({ id, teamId, name: user, kind: 'im', user })
  }

  addMessage(
    channel: SlackChannel,
    message: Partial<SlackMessage> & Pick<SlackMessage, 'user' | 'text'>,
  ): SlackMessage {
    const made: SlackMessage = {
      files: [],
      blocks: [],
      ...message,
      channel: channel.id,
      ts: this.ts(),
      isDeleted: false,
    }
    channel.messages.push(made)
    return made
  }

  message(channel: string, ts: string): SlackMessage | undefined {
    return this.channels.get(channel)?.messages.find((one) => one.ts === ts && !one.isDeleted)
  }

  trigger(user: string, teamId: string): string {
    const id = this.id('1234567890.98765.')
    this.triggers.set(id, { user, teamId, expiresAt: this.now + triggerMs, isUsed: false })
    return id
  }

  address(channel: string, user: string, message?: SlackMessage): string {
    const path = `/response/${this.id('R')}`
    this.addresses.set(path, {
      channel,
      user,
      expiresAt: this.now + addressMs,
      used: 0,
      ...(message ? { message } : {}),
    })
    return path
  }

  addFile(name: string, contentType: string, content: Buffer): SlackFile {
    const id = this.id('F')
    const file = { id, name, contentType, content, path: `/files-pri/${id}/${encodeURIComponent(name)}` }
    this.files.set(id, file)
    return file
  }

  issueToken(teamId: string, lifeMs?: number): { readonly token: string; readonly refresh?: string } {
    const number = this.id('')
    const token = lifeMs === undefined ? `xoxb-sandbox-${number}` : `xoxe.xoxb-sandbox-${number}`
    const refresh = lifeMs === undefined ? undefined : `xoxe-1-sandbox-${number}`
    this.tokens.set(token, {
      teamId,
      isRevoked: false,
      ...(refresh && lifeMs !== undefined ? { refresh, expiresAt: this.now + lifeMs } : {}),
    })
    return { token, ...(refresh ? { refresh } : {}) }
  }

  /** About one message a second in each channel; a short burst passes. */
  mayPost(channel: string): boolean {
    const { left, at } = this.#bursts.get(channel) ?? { left: burst, at: this.now }
    const now = Math.min(burst, left + (this.now - at) / 1_000)
    this.#bursts.set(channel, { left: now < 1 ? now : now - 1, at: this.now })
    return now >= 1
  }

  openDialog(view: SlackView): void {
    this.dialogs.set(view.user, [...(this.dialogs.get(view.user) ?? []), view])
  }

  dialogOf(user: string): SlackView | undefined {
    return this.dialogs.get(user)?.at(-1)
  }
}
