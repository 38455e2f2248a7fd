/** What people do in the stand-in's windows: they press buttons that were really posted, and send dialogs that are really open. */
import { z } from 'zod'
import type { Delivery, Mischief } from '#hub/connector/sandbox.ts'
import { unpackAct } from './action-id.ts'
import { composer, toldJson, withIds } from './sandbox-api.ts'
import {
  appId,
  type Block,
  type SlackChannel,
  type SlackFile,
  type SlackMessage,
  type SlackUser,
  type SlackView,
  type SlackWorld,
} from './sandbox-world.ts'

export interface PeopleOptions {
  readonly world: SlackWorld
  readonly url: () => string
  /** One event to the app, signed and repeated as Slack does. */
  tell(event: object, teamId: string, mischief?: Mischief): Promise<Delivery>
  /** One interaction or command: posted once, its answer is read. */
  post(form: Readonly<Record<string, string>>): Promise<Answered>
}

/** What the app answered in the response itself. */
export interface Answered {
  /** 0 when there was no answer in time. */
  readonly status: number
  readonly body: string
}

export interface Where {
  readonly channel: SlackChannel
  readonly thread?: SlackMessage
}

export interface SlackPeople {
  say(
    user: SlackUser,
    where: Where,
    text: string,
    more?: { readonly files?: readonly SlackFile[] },
    how?: Mischief,
  ): Promise<SlackMessage>
  edit(message: SlackMessage, text: string, how?: Mischief): Promise<void>
  remove(message: SlackMessage, how?: Mischief): Promise<void>
  react(user: SlackUser, message: SlackMessage, name: string, how?: Mischief): Promise<void>
  /** Presses the button, or chooses from the select, of this act. @throws Error when the message has none. */
  press(user: SlackUser, message: SlackMessage, act: string, chosen?: string): Promise<Answered>
  /** In the dialog on top, or on the app's page. */
  pressIn(user: SlackUser, view: SlackView, act: string, chosen?: string): Promise<Answered>
  /** Fills in the dialog on top and sends it. What the answer says is done: it closes, shows errors, or another dialog. */
  submit(user: SlackUser, fields: Readonly<Record<string, string | boolean>>): Promise<Answered>
  command(user: SlackUser, channel: SlackChannel, text: string): Promise<Answered>
  shortcut(user: SlackUser, name: string): Promise<Answered>
  messageShortcut(user: SlackUser, message: SlackMessage, name: string): Promise<Answered>
  /** Types into a select that asks for its options. */
  suggest(user: SlackUser, message: SlackMessage, act: string, typed: string): Promise<Answered>
  openHome(user: SlackUser, how?: Mischief): Promise<void>
  /** Types a link into a channel and does not send it: apps are told so, but not where. */
  typeLink(user: SlackUser, teamId: string, url: string, how?: Mischief): Promise<void>
  /** Types it, then sends it. */
  shareLink(user: SlackUser, where: Where, url: string, how?: Mischief): Promise<SlackMessage>
  archive(channel: SlackChannel, how?: Mischief): Promise<void>
  /** The app comes into a channel: Slack tells it so, and adds its line there. */
  invite(user: SlackUser, channel: SlackChannel, how?: Mischief): Promise<void>
  /** Somebody puts the app out of a channel. */
  kick(user: SlackUser, channel: SlackChannel, how?: Mischief): Promise<void>
  rename(channel: SlackChannel, name: string, how?: Mischief): Promise<void>
  /** The administrator takes the app away: its tokens die, and Slack says so in two events. */
  uninstall(teamId: string, how?: Mischief): Promise<void>
}

export interface Found {
  readonly element: Block
  readonly blockId: string
}

export function createPeople({ world, url, tell, post }: PeopleOptions): SlackPeople {
  const channelOf = (id: string): SlackChannel => {
    const found = world.channels.get(id)
    if (!found) throw new Error(`no channel ${id}`)
    return found
  }
  const typeOf = ({ kind }: SlackChannel) => (kind === 'im' ? 'im' : 'channel')
  const head = (user: SlackUser, teamId: string) => ({
    user: { id: user.id, username: user.name, name: user.name, team_id: user.teamId },
    team: { id: teamId, domain: world.teams.get(teamId)?.name.toLowerCase() },
    enterprise: null,
    is_enterprise_install: false,
    api_app_id: appId,
    token: 'deprecated',
  })
  const actionTs = () => world.ts()
  const send = (payload: object) => post({ payload: JSON.stringify(payload) })

  function event(message: SlackMessage): object {
    const channel = channelOf(message.channel)
    const where = { channel: channel.id, channel_type: typeOf(channel), team: world.users.get(message.user)?.teamId }
    return { ...toldJson(message, channel, url()), ...where }
  }

  async function say(user: SlackUser, { channel, thread }: Where, text: string, more = {}, how?: Mischief) {
    const message = world.addMessage(channel, {
      user: user.id,
      text,
      ...(thread ? { thread_ts: thread.thread_ts ?? thread.ts } : {}),
      ...more,
    })
    await tell(
      {
        ...event(message),
        ...(message.files.length > 0 ? { subtype: 'file_share' } : {}),
        event_ts: message.ts,
      },
      channel.teamId,
      how,
    )
    const bot = world.teams.get(channel.teamId)?.botUser ?? ''
    if (channel.kind !== 'im' && text.includes(`<@${bot}>`)) {
      await tell({ ...event(message), type: 'app_mention', event_ts: message.ts }, channel.teamId, how)
    }
    return message
  }

  const linksOf = (link: string) => [{ url: link, domain: new URL(link).hostname }]

  async function typeLink(user: SlackUser, teamId: string, link: string, how?: Mischief) {
    const id = world.id(`${user.id}-`)
    const where = { channel: composer, message_ts: id, unfurl_id: id, source: 'composer', is_bot_user_member: true }
    const told = { type: 'link_shared', user: user.id, ...where, links: linksOf(link), event_ts: actionTs() }
    await tell(told, teamId, how)
  }

  function pressPayload(user: SlackUser, teamId: string, { element, blockId }: Found, chosen: string | undefined) {
    const { type, action_id, value, selected_option: entry } = element
    // Of a menu the entry comes back, of a select the option.
    const picked =
      chosen === undefined ? (entry ? { selected_option: entry } : {}) : { selected_option: { value: chosen } }
    const action = {
      type,
      action_id,
      block_id: blockId,
      action_ts: actionTs(),
      ...(value === undefined ? {} : { value }),
      ...picked,
    }
    return {
      type: 'block_actions',
      ...head(user, teamId),
      trigger_id: world.trigger(user.id, teamId),
      actions: [action],
    }
  }

  function container(message: SlackMessage) {
    const channel = channelOf(message.channel)
    return {
      container: {
        type: 'message',
        message_ts: message.ts,
        channel_id: channel.id,
        is_ephemeral: message.onlyFor !== undefined,
        ...(message.thread_ts ? { thread_ts: message.thread_ts } : {}),
      },
      channel: { id: channel.id, name: channel.name },
      // Of a message for one person alone the payload holds nothing.
      ...(message.onlyFor === undefined ? { message: toldJson(message, channel, url()) } : {}),
    }
  }

  return {
    say,
    async edit(message, text, how) {
      const before = event(message)
      message.text = text
      const channel = channelOf(message.channel)
      const changed = { ...event(message), edited: { user: message.user, ts: actionTs() } }
      const ts = actionTs()
      await tell(
        {
          type: 'message',
          subtype: 'message_changed',
          channel: channel.id,
          channel_type: typeOf(channel),
          ts,
          event_ts: ts,
          message: changed,
          previous_message: before,
        },
        channel.teamId,
        how,
      )
    },
    async remove(message, how) {
      message.isDeleted = true
      const channel = channelOf(message.channel)
      const ts = actionTs()
      await tell(
        {
          type: 'message',
          subtype: 'message_deleted',
          channel: channel.id,
          channel_type: typeOf(channel),
          ts,
          event_ts: ts,
          deleted_ts: message.ts,
          previous_message: event(message),
        },
        channel.teamId,
        how,
      )
    },
    async react(user, message, name, how) {
      const item = { type: 'message', channel: message.channel, ts: message.ts }
      const told = { type: 'reaction_added', user: user.id, reaction: name, item, item_user: message.user }
      await tell({ ...told, event_ts: actionTs() }, channelOf(message.channel).teamId, how)
    },
    press(user, message, act, chosen) {
      const { teamId } = channelOf(message.channel)
      const found = elementOf(message.blocks, act, chosen)
      const response = `${url()}${world.address(message.channel, user.id, message)}`
      return send({
        ...pressPayload(user, teamId, found, chosen),
        ...container(message),
        response_url: response,
        state: { values: {} },
      })
    },
    pressIn(user, view, act, chosen) {
      const found = elementOf(view.view.blocks, act, chosen)
      const shown = viewJson(view)
      return send({
        ...pressPayload(user, view.teamId, found, chosen),
        container: { type: 'view', view_id: view.id },
        view: shown,
      })
    },
    async submit(user, fields) {
      const view = world.dialogOf(user.id)
      if (!view) throw new Error(`${user.name} has no dialog open`)
      const state = { values: typedState(view.view.blocks, fields) }
      const payload = {
        type: 'view_submission',
        ...head(user, view.teamId),
        trigger_id: world.trigger(user.id, view.teamId),
        view: { ...viewJson(view), state },
        response_urls: [],
      }
      const answered = await send(payload)
      afterSubmit(world, view, answered)
      return answered
    },
    command(user, channel, text) {
      return post({
        token: 'deprecated',
        team_id: channel.teamId,
        team_domain: 'acme',
        channel_id: channel.id,
        channel_name: channel.name,
        user_id: user.id,
        user_name: user.name,
        command: '/deskweave',
        text,
        api_app_id: appId,
        is_enterprise_install: 'false',
        response_url: `${url()}${world.address(channel.id, user.id)}`,
        trigger_id: world.trigger(user.id, channel.teamId),
      })
    },
    shortcut(user, name) {
      const trigger = world.trigger(user.id, user.teamId)
      return send({
        type: 'shortcut',
        ...head(user, user.teamId),
        callback_id: name,
        trigger_id: trigger,
        action_ts: actionTs(),
      })
    },
    messageShortcut(user, message, name) {
      const channel = channelOf(message.channel)
      return send({
        type: 'message_action',
        ...head(user, channel.teamId),
        callback_id: name,
        trigger_id: world.trigger(user.id, channel.teamId),
        response_url: `${url()}${world.address(channel.id, user.id)}`,
        action_ts: actionTs(),
        message_ts: message.ts,
        channel: { id: channel.id, name: channel.name },
        message: toldJson(message, channel, url()),
      })
    },
    suggest(user, message, act, typed) {
      const { element, blockId } = elementOf(message.blocks, act, undefined)
      const { teamId } = channelOf(message.channel)
      const asked = { type: 'block_suggestion', action_id: element['action_id'], block_id: blockId, value: typed }
      return send({ ...asked, ...head(user, teamId), ...container(message) })
    },
    async openHome(user, how) {
      const channel = world.direct(user.teamId, user.id)
      const told = { type: 'app_home_opened', user: user.id, channel: channel.id, tab: 'home', event_ts: actionTs() }
      await tell(told, user.teamId, how)
    },
    typeLink,
    async shareLink(user, where, link, how) {
      await typeLink(user, where.channel.teamId, link, how)
      const message = await say(user, where, `<${link}>`, {}, how)
      await tell(
        {
          type: 'link_shared',
          user: user.id,
          channel: where.channel.id,
          message_ts: message.ts,
          ...(message.thread_ts ? { thread_ts: message.thread_ts } : {}),
          source: 'conversations_history',
          unfurl_id: `${where.channel.id}.${message.ts}`,
          is_bot_user_member: where.channel.hasApp,
          links: linksOf(link),
          event_ts: message.ts,
        },
        where.channel.teamId,
        how,
      )
      return message
    },
    async archive(channel, how) {
      channel.isArchived = true
      await tell(
        { type: 'channel_archive', channel: channel.id, user: 'U0ADMIN', event_ts: actionTs() },
        channel.teamId,
        how,
      )
    },
    async invite(user, channel, how) {
      channel.hasApp = true
      const bot = world.teams.get(channel.teamId)?.botUser ?? ''
      const joined = { user: bot, channel: channel.id, team: channel.teamId, inviter: user.id }
      await tell(
        { type: 'member_joined_channel', ...joined, channel_type: 'C', event_ts: actionTs() },
        channel.teamId,
        how,
      )
      const line = world.addMessage(channel, { user: bot, text: `<@${bot}> has joined the channel` })
      await tell({ ...event(line), subtype: 'channel_join', inviter: user.id, event_ts: line.ts }, channel.teamId, how)
    },
    async kick(user, channel, how) {
      channel.hasApp = false
      await tell(
        { type: 'channel_left', channel: channel.id, actor_id: user.id, event_ts: actionTs() },
        channel.teamId,
        how,
      )
    },
    async rename(channel, name, how) {
      channel.name = name
      const renamed = { id: channel.id, name, created: 1 }
      await tell({ type: 'channel_rename', channel: renamed, event_ts: actionTs() }, channel.teamId, how)
    },
    async uninstall(teamId, how) {
      for (const token of world.tokens.values()) if (token.teamId === teamId) token.isRevoked = true
      const bot = world.teams.get(teamId)?.botUser
      await tell({ type: 'tokens_revoked', tokens: { oauth: [], bot: [bot] }, event_ts: actionTs() }, teamId, how)
      await tell({ type: 'app_uninstalled', event_ts: actionTs() }, teamId, how)
    },
  }

  function viewJson({ id, hash, view, teamId }: SlackView): object {
    return { ...view, blocks: withIds(view.blocks), id, hash, team_id: teamId, app_id: appId, state: { values: {} } }
  }
}

const Element = z.looseObject({ type: z.string(), action_id: z.string() })
const Options = z.array(z.looseObject({ value: z.string() })).catch([])

/** @throws Error naming the acts that there are. */
export function elementOf(blocks: readonly Block[], act: string, chosen: string | undefined): Found {
  const all = withIds(blocks).flatMap((block) => {
    const inside = [block['accessory'], ...(Array.isArray(block['elements']) ? block['elements'] : [])]
    return inside.flatMap((one) => {
      const { data: element } = Element.safeParse(one)
      return element ? [{ element, blockId: String(block['block_id']) }] : []
    })
  })
  const acts = all.flatMap(({ element, blockId }) => {
    const options = Options.parse(element['options'])
    if (element.type !== 'overflow') return [{ element, blockId, act: unpackAct(element.action_id)?.act }]
    // An entry of a menu: its value carries what it does.
    return options.map((option) => ({
      element: { ...element, selected_option: option },
      blockId,
      act: unpackAct(option.value)?.act,
    }))
  })
  const found = acts.find((one) => one.act === act)
  if (!found) throw new Error(`no "${act}" is there to press; there are: ${acts.map((one) => one.act).join(', ')}`)
  const isOffered = Options.parse(found.element['options']).some(({ value }) => value === chosen)
  if (found.element.type === 'static_select' && !isOffered) throw new Error(`"${act}" does not offer "${chosen}"`)
  return found
}

const Input = z.looseObject({
  type: z.literal('input'),
  block_id: z.string(),
  optional: z.boolean(),
  element: z.looseObject({ type: z.string(), action_id: z.string() }),
})

/** As Slack sends what was typed; what was not touched keeps its first value. */
export function typedState(blocks: readonly Block[], fields: Readonly<Record<string, string | boolean>>): object {
  const inputs = blocks.flatMap((block) => Input.safeParse(block).data ?? [])
  for (const name of Object.keys(fields)) {
    if (!inputs.some((one) => one.block_id === name)) throw new Error(`the dialog has no field "${name}"`)
  }
  return Object.fromEntries(
    inputs.map(({ block_id: name, element }) => [name, { [element.action_id]: typedValue(element, fields[name]) }]),
  )
}

function typedValue(element: z.output<typeof Input>['element'], given: string | boolean | undefined): object {
  const { type } = element
  if (type === 'checkboxes') {
    const initial = Options.parse(element['initial_options'])
    const options = Options.parse(element['options'])
    return { type, selected_options: given === undefined ? initial : given ? options : [] }
  }
  if (type === 'static_select') {
    const options = Options.parse(element['options'])
    const { data: initial } = z.looseObject({ value: z.string() }).safeParse(element['initial_option'])
    const chosen = given === undefined ? initial : options.find(({ value }) => value === given)
    return { type, selected_option: chosen ?? null }
  }
  return { type, value: given ?? element['initial_value'] ?? null }
}

const AfterSubmit = z.object({
  response_action: z.enum(['errors', 'update', 'push', 'clear']).optional(),
  view: z.looseObject({ blocks: z.array(z.looseObject({})) }).optional(),
})

function afterSubmit(world: SlackWorld, view: SlackView, { status, body }: Answered): void {
  if (status !== 200) return
  const { response_action: action, view: next } = body === '' ? {} : AfterSubmit.parse(JSON.parse(body))
  const open = world.dialogs.get(view.user) ?? []
  if (action === 'errors') return
  if (action === 'update' && next) {
    view.view = next
    view.hash = world.id('h')
  } else if (action === 'push' && next) {
    world.openDialog({ ...view, id: world.id('V'), hash: world.id('h'), view: next })
  } else world.dialogs.set(view.user, action === 'clear' ? [] : open.filter((one) => one !== view))
}
