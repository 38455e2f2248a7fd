/** A small stateful Teams over real HTTP: a company, its channels, people who write and press, and Microsoft's token service. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import {
  type AttemptResult,
  type ChatSandbox,
  createSandbox,
  createWebhooks,
  type Delivery,
  type Hook,
  type Mischief,
  type VendorSandboxOptions,
} from '#hub/connector/sandbox.ts'
import manifest from './manifest.json' with { type: 'json' }
import { writeReference } from './reference.ts'
import {
  type ActivityStage,
  installationActivity,
  invokeActivity,
  messageActivity,
  messageBody,
  messagePayload,
  reactionActivity,
  submitActivity,
  type TeamEvent,
  teamActivity,
  type Written,
} from './sandbox-activities.ts'
import { type Action, buttonOf, buttonOfAct, cardOf, dataOf, inputsOf, nodes } from './sandbox-cards.ts'
import type { GraphPermission } from './sandbox-graph.ts'
import { pageTokenParts, signToken, type TokenParts, tokenParts } from './sandbox-keys.ts'
import { authorise, routes } from './sandbox-routes.ts'
import {
  bot,
  channels,
  type Json,
  people,
  type SandboxChannel,
  type SandboxMessage,
  type SandboxPerson,
  type SandboxReference,
  team,
  World,
} from './sandbox-world.ts'

/** What an invoke was answered with. */
export interface InvokeAnswer {
  readonly status: number
  readonly body: Json
}

/** A dialog that stands open before a person. */
export interface Dialog {
  readonly title: string
  readonly card: unknown
  readonly opener: SandboxPerson
  /** How what is filled in is sent. */
  readonly sends: 'task/submit' | 'composeExtension/submitAction'
  readonly value: Json
  readonly where: {
    readonly channel: SandboxChannel
    readonly thread?: string | undefined
    readonly on?: string | undefined
  }
}

interface Answered extends InvokeAnswer {
  /** The dialog that the answer opened. */
  readonly dialog?: Dialog
  /** The card that the answer put in the place of the pressed one, for this person. */
  readonly view?: Json
  /** The line that the answer showed. */
  readonly text?: string
}

type Typed = Readonly<Record<string, string>>

export interface TeamsSandbox extends ChatSandbox {
  readonly world: World
  readonly people: typeof people
  readonly channels: typeof channels
  readonly team: typeof team
  readonly serviceUrl: string
  /** What the app may read and write, by consent; all of it at first. */
  readonly permissions: Set<GraphPermission>
  /** Somebody writes: in a channel, in a thread of it (`reply` is a message there), in a group. */
  write(
    by: SandboxPerson,
    where: SandboxChannel | { readonly reply: SandboxMessage },
    written: string | Written,
    mischief?: Mischief,
  ): Promise<SandboxMessage>
  /** A line in the private conversation with the app. */
  tell(by: SandboxPerson, text: string, mischief?: Mischief): Promise<SandboxMessage>
  edit(message: SandboxMessage, text: string, mischief?: Mischief): Promise<Delivery>
  delete(message: SandboxMessage, mischief?: Mischief): Promise<Delivery>
  restore(message: SandboxMessage, mischief?: Mischief): Promise<Delivery>
  react(by: SandboxPerson, message: SandboxMessage, type: string, mischief?: Mischief): Promise<Delivery>
  /** @param button what is written on it, or the act it is for. @param typed what the person fills in on the card before. */
  press(
    by: SandboxPerson,
    message: SandboxMessage,
    button: string | { readonly act: string },
    typed?: Typed,
  ): Promise<Answered>
  /** Chooses from a list on a card: `choose(jo, card, 'Priority', 'High')`. */
  choose(by: SandboxPerson, message: SandboxMessage, list: string, option: string): Promise<Answered>
  /** Fills the dialog in and sends it. @param label of the button; the first one when absent. */
  submit(dialog: Dialog, typed: Typed, label?: string): Promise<Answered>
  search(
    by: SandboxPerson,
    words: string,
    options?: { readonly skip?: number; readonly count?: number },
  ): Promise<Answered>
  /** Chooses the app in a message's own menu. @param command of the manifest: `createCase`, `publicReply`. */
  share(by: SandboxPerson, message: SandboxMessage, command: string): Promise<Answered>
  /** Pastes a link into a message that is being written. */
  paste(by: SandboxPerson, where: SandboxChannel, url: string): Promise<Answered>
  install(where: SandboxChannel, mischief?: Mischief): Promise<Delivery>
  uninstall(where: SandboxChannel, mischief?: Mischief): Promise<Delivery>
  /** The app is added to the team or removed from it, or the team is archived and comes back: all its channels at once. */
  changeTeam(event: TeamEvent, mischief?: Mischief): Promise<void>
  /** The private conversation of a person with the app. */
  personal(of: SandboxPerson): SandboxChannel
  /** Calls about this conversation are refused with 429 from now on; with `undefined` no more. */
  throttle(where: SandboxChannel, retryAfterSeconds: number | undefined): void
  /** Lists these keys beside the good one. */
  publish(keys: readonly object[]): void
  /** Sends any activity, with any token. @param authorization in place of a good one; `null` for none at all. */
  send(activity: Json, authorization?: string | null): Promise<InvokeAnswer>
  /** A message that somebody could write, as an activity that was never sent. */
  activity(text?: string): Json
  /** A good token of Microsoft's for this bot, after `change`. */
  token(change?: (parts: TokenParts) => TokenParts): string
  /** What Teams gives to a page of the app in a frame, for the person who looks, after `change`. */
  pageToken(of: SandboxPerson, change?: (parts: TokenParts) => TokenParts): string
}

const secret = 'Sandbox~teams.client-secret_0001'

export async function startSandbox(options: VendorSandboxOptions = {}): Promise<TeamsSandbox> {
  const now = options.now ?? (() => new Date())
  const clock = options.now ? { now: options.now } : {}
  const seed = options.seed === undefined ? {} : { seed: options.seed }
  const world = new World(now)
  const throttled = new Map<string, number>()
  const otherKeys: object[] = []
  const permissions = new Set<GraphPermission>([
    'ChannelMessage.Read.Group',
    'ChatMessage.Read.Chat',
    'Files.ReadWrite.All',
  ])
  let hook: Hook | undefined
  const server = await createSandbox({
    ...clock,
    ...seed,
    routes: routes({ world, now, secret, url: () => server.url, throttled, otherKeys, permissions }),
    limits: manifest.limits.flatMap(({ each, ...limit }) => (each ? [] : [limit])),
    authorise: (request) => authorise(request, now),
  })
  world.files.liesAt(server.url)
  const serviceUrl = `${server.url}/emea/${bot.tenantId}/`
  let events = 0
  const stage: ActivityStage = {
    serviceUrl,
    now,
    nextEventId() {
      events += 1
      return `f:00000000-0000-4000-8000-${String(events).padStart(12, '0')}`
    },
  }
  const token: TeamsSandbox['token'] = (change = (parts) => parts) =>
    signToken(change(tokenParts({ appId: bot.appId, serviceUrl }, now())))
  const headers = () => ({ 'content-type': 'application/json; charset=utf-8', authorization: `Bearer ${token()}` })
  const webhooks = createWebhooks<Json>({
    ...clock,
    ...seed,
    timeoutMs: 15_000,
    retryDelayMs,
    sign: (activity) => ({ body: JSON.stringify(activity), headers: headers() }),
  })

  const send: TeamsSandbox['send'] = async (activity, authorization) => {
    if (!hook) throw new Error('the sandbox is not connected to a hub: call connect()')
    const { authorization: good, ...plain } = headers()
    const shown = authorization === null ? {} : { authorization: authorization ?? good }
    const answer = await fetch(hook.url, {
      method: 'POST',
      headers: { ...plain, ...shown },
      body: JSON.stringify(activity),
      redirect: 'manual',
    })
    const text = await answer.text()
    return { status: answer.status, body: Body.parse(text === '' ? {} : JSON.parse(text)) }
  }

  /** @param next where a dialog would send to; in a card, the message it stands on. */
  async function invoke(
    by: SandboxPerson,
    where: Dialog['where'],
    name: string,
    value: Json,
    next: { readonly sends: Dialog['sends']; readonly value: Json },
  ): Promise<Answered> {
    const answer = await send(invokeActivity(stage, by, where, name, value))
    const { task, type, value: given } = Answer.parse(answer.body)
    if (task?.type === 'continue') {
      const { title, card } = Continued.parse(task.value)
      return { ...answer, dialog: { title, card: card.content, opener: by, where, ...next } }
    }
    const told = task?.value ?? given
    if (typeof told === 'string') return { ...answer, text: told }
    if (type !== 'application/vnd.microsoft.card.adaptive') return answer
    const view = Body.parse(given)
    if (where.on !== undefined) world.message(where.on).views.set(by.id, view)
    return { ...answer, view }
  }

  const fromCard = { sends: 'task/submit', value: {} } as const

  async function act(
    by: SandboxPerson,
    on: SandboxMessage,
    card: unknown,
    action: Action,
    typed: Typed,
  ): Promise<Answered> {
    const where = { channel: on.channel, thread: on.thread, on: on.id }
    const data = dataOf(card, action, typed)
    if (action.type === 'Action.Execute') {
      const value = { action: { type: action.type, verb: action.verb, data }, trigger: 'manual' }
      return await invoke(by, where, 'adaptiveCard/action', value, fromCard)
    }
    if (OpensDialog.safeParse(action.data).success) {
      return await invoke(by, where, 'task/fetch', { data, context: { theme: 'default' } }, fromCard)
    }
    return await send(submitActivity(stage, by, on, data))
  }

  /** What this person sees of a card. */
  const seen = (by: SandboxPerson, { views, activity }: SandboxMessage) => views.get(by.id) ?? cardOf(activity)

  const write: TeamsSandbox['write'] = async (by, where, written, mischief) => {
    const reply = 'reply' in where ? where.reply : undefined
    const channel = reply?.channel ?? channelOf(where)
    const said = typeof written === 'string' ? { text: written } : written
    const attached = (said.files ?? []).map((file): SandboxReference => {
      if ('url' in file) return { id: randomUUID(), contentType: 'reference', contentUrl: file.url, name: file.name }
      const { files } = world
      const put = files.put(files.folderOf(channel, by), file.name, Buffer.from(file.content), by)
      return { id: put.id, contentType: 'reference', contentUrl: files.urlOf(put), name: file.name }
    })
    const message = world.add(channel, by, messageBody(said, channel.kind, attached), {
      thread: reply?.thread,
      attached,
    })
    if (hears(message, said.mentionsBot)) await webhooks.emit(messageActivity(stage, message, by), mischief)
    return message
  }

  /** Without consent to read a team's or a chat's messages the app is told of those alone that mention it. */
  function hears({ channel }: SandboxMessage, mentionsBot = false): boolean {
    if (channel.kind === 'personal' || mentionsBot) return true
    return permissions.has(channel.kind === 'channel' ? 'ChannelMessage.Read.Group' : 'ChatMessage.Read.Chat')
  }

  const changed = async (
    message: SandboxMessage,
    change: 'editMessage' | 'undeleteMessage' | 'softDeleteMessage',
    how?: Mischief,
  ): Promise<Delivery> => {
    if (!hears(message)) return 'lost'
    return await webhooks.emit(messageActivity(stage, message, message.author ?? people.jo, change), how)
  }

  /** The app is told of what happens to its own messages only. */
  const reacted = async (by: SandboxPerson, on: SandboxMessage, type: string, how?: Mischief): Promise<Delivery> =>
    on.author ? 'lost' : await webhooks.emit(reactionActivity(stage, on, by, type), how)

  let scene = 0
  return {
    url: server.url,
    config: {
      app_id: bot.appId,
      tenant_id: bot.tenantId,
      client_secret: secret,
      channels: [
        { channel: channels.cases.id, for: 'cases' },
        { channel: channels.globex.id, for: 'customer', company: 'Globex' },
      ],
      api_base: server.url,
    },
    requests: server.requests,
    faults: server.faults,
    webhooks,
    world,
    people,
    channels,
    team,
    serviceUrl,
    permissions,
    connect(to) {
      hook = to
      webhooks.connect(to)
    },
    write,
    tell: (by, text, mischief) => write(by, world.personal(by), text, mischief),
    edit(message, text, mischief) {
      message.activity = { ...message.activity, text }
      return changed(message, 'editMessage', mischief)
    },
    delete(message, mischief) {
      message.isDeleted = true
      return changed(message, 'softDeleteMessage', mischief)
    },
    restore(message, mischief) {
      message.isDeleted = false
      return changed(message, 'undeleteMessage', mischief)
    },
    react: reacted,
    press(by, message, button, typed = {}) {
      const card = seen(by, message)
      const action = typeof button === 'string' ? buttonOf(card, button) : buttonOfAct(card, button.act)
      return act(by, message, card, action, typed)
    },
    choose(by, message, list, option) {
      const card = seen(by, message)
      const row = nodes(card).find((node) => node['type'] === 'ColumnSet' && labelled(node, list))
      if (!row) throw new Error(`no list "${list}" on the card`)
      const button = nodes(row).find(({ type }) => type === 'Action.Execute' || type === 'Action.Submit')
      return act(by, message, card, buttonOf(row, String(button?.['title'])), { [list]: option })
    },
    submit(dialog, typed, label) {
      const buttons = nodes(dialog.card).filter((node) => node['type'] === 'Action.Submit')
      const first = buttons.find(({ style }) => style === 'positive') ?? buttons[0]
      const data = dataOf(dialog.card, buttonOf(dialog.card, label ?? String(first?.['title'])), typed)
      const { opener, where, sends, value } = dialog
      return invoke(opener, where, sends, { ...value, data }, { sends, value })
    },
    search(by, words, { skip = 0, count = 25 } = {}) {
      const parameters = words === '' ? [{ name: 'initialRun', value: 'true' }] : [{ name: 'words', value: words }]
      const value = { commandId: 'searchCases', parameters, queryOptions: { skip, count } }
      return invoke(by, { channel: world.personal(by) }, 'composeExtension/query', value, fromCard)
    },
    share(by, message, command) {
      const value = { commandId: command, commandContext: 'message', messagePayload: messagePayload(message) }
      const where = { channel: message.channel, thread: message.thread }
      return invoke(by, where, 'composeExtension/fetchTask', value, { sends: 'composeExtension/submitAction', value })
    },
    paste: (by, channel, url) => invoke(by, { channel }, 'composeExtension/queryLink', { url }, fromCard),
    install(where, mischief) {
      world.gone.delete(where.id)
      return webhooks.emit(installationActivity(stage, where, 'add'), mischief)
    },
    uninstall(where, mischief) {
      world.gone.set(where.id, where.kind === 'personal' ? 'MessageWritesBlocked' : 'BotNotInConversationRoster')
      return webhooks.emit(installationActivity(stage, where, 'remove'), mischief)
    },
    async changeTeam(event, mischief) {
      const isThere = event === 'teamMemberAdded' || event === 'teamUnarchived'
      for (const { id, kind } of world.conversations.values()) {
        if (kind !== 'channel') continue
        if (isThere) world.gone.delete(id)
        else world.gone.set(id, 'BotNotInConversationRoster')
      }
      await webhooks.emit(teamActivity(stage, event), mischief)
      if (event === 'teamMemberAdded')
        await webhooks.emit(installationActivity(stage, channels.general, 'add'), mischief)
      if (event === 'teamMemberRemoved')
        await webhooks.emit(installationActivity(stage, channels.general, 'remove'), mischief)
    },
    personal: (of) => world.personal(of),
    throttle(where, seconds) {
      if (seconds === undefined) throttled.delete(where.id)
      else throttled.set(where.id, seconds)
    },
    publish: (keys) => void otherKeys.push(...keys),
    send,
    activity(text = 'Good morning') {
      const message = world.add(channels.cases, people.jo, messageBody({ text }, 'channel', []))
      return messageActivity(stage, message, people.jo)
    },
    token,
    pageToken: (of, change = (parts) => parts) => signToken(change(pageTokenParts(bot.appId, of, now()))),
    chat: {
      place: {
        channel: channels.lobby.id,
        reference: writeReference({
          service: serviceUrl,
          tenant: bot.tenantId,
          conversation: channels.lobby.id,
          kind: 'channel',
        }),
      },
      people: { member: people.jo.id, guest: people.gus.id, stranger: people.rita.id, bot: `28:${bot.appId}` },
      async press(user, place, wanted) {
        const by = world.personOf(user) ?? people.jo
        const message = world.message(place.message ?? '')
        const card = seen(by, message)
        await act(by, message, card, buttonOfAct(card, wanted), {})
      },
      async say(user, place, text) {
        const channel = Object.values(channels).find(({ id }) => id === place.channel)
        if (!channel) throw new Error(`no channel ${place.channel} in the sandbox`)
        const thread = place.thread === undefined ? undefined : world.message(place.thread)
        await write(world.personOf(user) ?? people.jo, thread ? { reply: thread } : channel, text)
      },
    },
    async play() {
      scene += 1
      const asked = await write(people.rita, channels.globex, `Our invoice ${scene} is wrong`)
      await write(people.jo, { reply: asked }, 'I am looking into it')
      await write(people.rita, { reply: asked }, { text: 'Thank you', mentionsBot: true })
      await changed(asked, 'editMessage')
      await reacted(people.jo, world.add(channels.globex, undefined, { type: 'message', text: 'Hello' }), 'like')
    },
    async close() {
      await webhooks.close()
      await server.close()
    },
  }
}

const Body = z.record(z.string(), z.unknown())
const Answer = z.object({
  task: z.object({ type: z.string(), value: z.unknown() }).optional(),
  type: z.string().optional(),
  value: z.unknown().optional(),
})
const Continued = z.object({ title: z.string(), card: z.object({ content: z.unknown() }) })
const OpensDialog = z.object({ msteams: z.object({ type: z.literal('task/fetch') }) })

/** @throws Error for a message that is no place to write by itself. */
function channelOf(where: SandboxChannel | { readonly reply: SandboxMessage }): SandboxChannel {
  return 'reply' in where ? where.reply.channel : where
}

const labelled = (row: Json, label: string) => {
  try {
    inputsOf(row, { [label]: '' })
    return true
  } catch {
    return false
  }
}

/** After a failure or without an answer Teams sends a message again; how often is not documented. Here twice, soon. */
function retryDelayMs({ attempt, status }: AttemptResult): number | undefined {
  return attempt <= 2 && (status === undefined || status >= 500) ? 500 : undefined
}
