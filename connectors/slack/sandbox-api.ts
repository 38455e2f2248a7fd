/** The part of Slack's Web API that the connector uses, on the stand-in's state. Refusals are answered 200, as Slack does. */
import { z } from 'zod'
import type { SandboxAnswer, SandboxRequest, SandboxRoute } from '#hub/connector/sandbox.ts'
import type { SlackMethod } from './client.ts'
import { WithinHome, WithinMessage, WithinView } from './sandbox-limits.ts'
import {
  appId,
  type Block,
  type SlackChannel,
  type SlackMessage,
  type SlackTeam,
  type SlackWorld,
} from './sandbox-world.ts'

export interface ApiOptions {
  readonly world: SlackWorld
  readonly url: () => string
  readonly oauth: (args: Args) => object
  readonly isOutsideMarketplace: boolean
}

/** https://docs.slack.dev/reference/methods/conversations.replies, read 2026-11. */
export const outsideMarketplace = { perPage: 15, pagesPerMinute: 1 } as const

/** Where a message stands that is still being written. */
export const composer = 'COMPOSER'

/** More in one second than one channel takes. */
class TooMany extends Error {}

export type Args = Readonly<Record<string, unknown>>
type Answer = (args: Args, team: SlackTeam) => object

/** Slack's word for why not. */
export class No extends Error {
  readonly more: object
  constructor(error: string, more: object = {}) {
    super(error)
    this.more = more
  }
}

const text = z.string().min(1)
const Blocks = z.array(z.looseObject({ type: z.string() }))
const View = z.looseObject({ type: z.string(), blocks: Blocks })

export function apiRoutes(options: ApiOptions): SandboxRoute[] {
  const { world } = options
  const methods = answers(options)
  const api = Object.entries(methods).map(([method, answer]): SandboxRoute => {
    return {
      method: 'POST',
      path: `/api/${method}`,
      budget: method,
      answer: (request) => said(() => answer(argsOf(request), teamOf(world, request))),
    }
  })
  return [
    ...api,
    {
      method: 'POST',
      path: '/api/oauth.v2.access',
      budget: 'oauth.v2.access',
      answer: (request) => said(() => options.oauth(argsOf(request))),
    },
    { method: 'POST', path: '/response/:id', answer: (request) => respond(world, request) },
    { method: 'POST', path: '/upload/:id', answer: (request) => upload(world, request) },
    { method: 'GET', path: '/files-pri/:id/:name', answer: (request) => download(world, request) },
  ]
}

function said(work: () => object): SandboxAnswer {
  try {
    return { status: 200, json: { ok: true, ...work() } }
  } catch (error) {
    if (error instanceof TooMany) return { status: 429, headers: { 'retry-after': '1' }, json: { ok: false } }
    if (error instanceof No) return { status: 200, json: { ok: false, error: error.message, ...error.more } }
    if (error instanceof z.ZodError) {
      const messages = error.issues.map(({ path, message }) => `[ERROR] ${message} [json-pointer:/${path.join('/')}]`)
      return { status: 200, json: { ok: false, error: 'invalid_arguments', response_metadata: { messages } } }
    }
    throw error
  }
}

/** A form whose larger values are JSON, or JSON as a whole. */
export function argsOf(request: SandboxRequest): Args {
  if (request.headers['content-type']?.includes('json')) return z.record(z.string(), z.unknown()).parse(request.json())
  const form = new URLSearchParams(request.body.toString('utf8'))
  return Object.fromEntries([...form].map(([name, value]) => [name, /^[[{]/.test(value) ? JSON.parse(value) : value]))
}

function teamOf(world: SlackWorld, request: SandboxRequest): SlackTeam {
  const token = /^Bearer (.+)$/.exec(request.headers['authorization'] ?? '')?.[1]
  const found = token === undefined ? undefined : world.tokens.get(token)
  if (!found) throw new No(token === undefined ? 'not_authed' : 'invalid_auth')
  if (found.isRevoked) throw new No('token_revoked')
  if (found.expiresAt !== undefined && found.expiresAt <= world.now) throw new No('token_expired')
  const team = world.teams.get(found.teamId)
  if (!team) throw new No('account_inactive')
  return team
}

function answers({
  world,
  url,
  isOutsideMarketplace,
}: ApiOptions): Readonly<Record<Exclude<SlackMethod, 'oauth.v2.access' | 'apps.connections.open'>, Answer>> {
  const channelOf = (given: unknown, team: SlackTeam, mustBeThere = true): SlackChannel => {
    const id = text.parse(given)
    // A person's id stands for the conversation with them.
    const user = world.users.get(id)
    const found = user ? world.direct(team.id, id) : world.channels.get(id)
    if (!found || (found.teamId !== team.id && !found.isShared)) throw new No('channel_not_found')
    if (found.isArchived && mustBeThere) throw new No('is_archived')
    if (!found.hasApp && mustBeThere) throw new No('not_in_channel')
    return found
  }
  const content = (args: Args) => {
    const message = { text: args['text'], ...(args['blocks'] === undefined ? {} : { blocks: args['blocks'] }) }
    if (message.text === undefined && message.blocks === undefined) throw new No('no_text')
    if (typeof message.text === 'string' && message.text.length > 40_000) throw new No('msg_too_long')
    if (message.blocks !== undefined) {
      const within = WithinMessage.safeParse(message)
      if (!within.success) {
        throw new No('invalid_blocks', {
          response_metadata: { messages: [z.prettifyError(within.error).slice(0, 500)] },
        })
      }
    }
    return {
      text: String(message.text ?? ''),
      blocks: message.blocks === undefined ? [] : Blocks.parse(message.blocks),
    }
  }
  const own = (team: SlackTeam, args: Args): SlackMessage => {
    const channel = channelOf(args['channel'], team)
    const found = world.message(channel.id, text.parse(args['ts']))
    if (!found) throw new No('message_not_found')
    if (found.bot_id !== team.botId) throw new No('cant_update_message')
    return found
  }
  const spend = (given: unknown) => {
    const trigger = world.triggers.get(text.parse(given))
    if (!trigger) throw new No('invalid_trigger_id')
    if (trigger.isUsed) throw new No('exchanged_trigger_id')
    if (trigger.expiresAt < world.now) throw new No('expired_trigger_id')
    trigger.isUsed = true
    return trigger
  }
  const viewIn = (given: unknown) => {
    const view = View.parse(given)
    const within = (view.type === 'home' ? WithinHome : WithinView).safeParse(view)
    if (within.success) return view
    throw new No('invalid_arguments', {
      response_metadata: { messages: [z.prettifyError(within.error).slice(0, 500)] },
    })
  }
  const shown = (user: string, team: SlackTeam, view: z.output<typeof View>) => ({
    id: world.id('V'),
    teamId: team.id,
    user,
    hash: world.id(`${Math.floor(world.now / 1_000)}.`),
    view,
  })
  /** A channel from its newest message back, a thread from its oldest on; its `head` is on every page. */
  const page = (messages: readonly SlackMessage[], args: Args, head?: SlackMessage) => {
    const limit = Math.min(Number(args['limit'] ?? 100), isOutsideMarketplace ? outsideMarketplace.perPage : 999)
    if (!(limit >= 1)) throw new No('invalid_limit')
    const oldest = Number(args['oldest'] ?? 0)
    const all = messages.filter(
      (one) => !one.isDeleted && one.onlyFor === undefined && one !== head && Number(one.ts) > oldest,
    )
    const ordered = head ? all : all.toReversed()
    const start = args['cursor'] === undefined ? 0 : ordered.findIndex(({ ts }) => cursorTo(ts) === args['cursor'])
    if (start < 0) throw new No('invalid_cursor')
    const end = start + (head ? Math.max(1, limit - 1) : limit)
    const next = ordered[end]
    return {
      messages: [...(head ? [head] : []), ...ordered.slice(start, end)].map((one) => messageJson(one, args, url())),
      has_more: next !== undefined,
      ...(next ? { response_metadata: { next_cursor: cursorTo(next.ts) } } : {}),
    }
  }

  return {
    'auth.test': (_args, team) => ({
      url: `https://${team.name.toLowerCase()}.slack.com/`,
      team: team.name,
      user: 'deskweave',
      team_id: team.id,
      user_id: team.botUser,
      bot_id: team.botId,
      is_enterprise_install: false,
    }),
    'users.info': (args, team) => {
      const user = world.users.get(text.parse(args['user']))
      if (!user) throw new No('user_not_found')
      return { user: userJson(user, team) }
    },
    'conversations.open': (args, team) => {
      const user = world.users.get(text.parse(args['users']))
      if (!user) throw new No('user_not_found')
      return { channel: { id: world.direct(team.id, user.id).id } }
    },
    'conversations.info': (args, team) => {
      const channel = channelOf(args['channel'], team, false)
      return {
        channel: { id: channel.id, name: channel.name, is_archived: channel.isArchived, is_member: channel.hasApp },
      }
    },
    'conversations.history': (args, team) => {
      const { messages } = channelOf(args['channel'], team)
      return page(
        messages.filter(({ thread_ts: thread }) => thread === undefined),
        args,
      )
    },
    'conversations.replies': (args, team) => {
      const channel = channelOf(args['channel'], team)
      const head = world.message(channel.id, text.parse(args['ts']))
      if (!head) throw new No('thread_not_found')
      return page(
        channel.messages.filter(({ thread_ts: thread }) => thread === head.ts),
        args,
        head,
      )
    },
    'chat.postMessage': (args, team) => {
      const channel = channelOf(args['channel'], team)
      if (!world.mayPost(channel.id)) throw new TooMany()
      const { thread_ts: thread, username, metadata } = args
      const message = world.addMessage(channel, {
        ...content(args),
        user: team.botUser,
        bot_id: team.botId,
        ...(typeof thread === 'string' ? { thread_ts: thread } : {}),
        ...(typeof username === 'string' ? { username } : {}),
        ...(metadata === undefined ? {} : { metadata }),
      })
      return { channel: channel.id, ts: message.ts, message: messageJson(message, {}, url()) }
    },
    'chat.postEphemeral': (args, team) => {
      const channel = channelOf(args['channel'], team)
      const user = text.parse(args['user'])
      const message = world.addMessage(channel, {
        ...content(args),
        user: team.botUser,
        bot_id: team.botId,
        onlyFor: user,
        ...(typeof args['thread_ts'] === 'string' ? { thread_ts: args['thread_ts'] } : {}),
      })
      return { message_ts: message.ts }
    },
    'chat.update': (args, team) => {
      const message = own(team, args)
      Object.assign(message, content(args), args['metadata'] === undefined ? {} : { metadata: args['metadata'] })
      return { channel: message.channel, ts: message.ts, text: message.text }
    },
    'chat.delete': (args, team) => {
      const message = own(team, args)
      message.isDeleted = true
      return { channel: message.channel, ts: message.ts }
    },
    'chat.unfurl': (args) => {
      const [channel, ts] = [text.parse(args['channel']), text.parse(args['ts'])]
      // What is still being written has a place that is good for this alone.
      if (channel !== composer && !world.message(channel, ts)) throw new No('cannot_find_message')
      world.unfurls.push({ channel, ts, unfurls: args['unfurls'] })
      return {}
    },
    'views.open': (args, team) => {
      const view = viewIn(args['view'])
      const { user } = spend(args['trigger_id'])
      if (world.dialogOf(user)) world.dialogs.delete(user)
      const opened = shown(user, team, view)
      world.openDialog(opened)
      return { view: { id: opened.id, hash: opened.hash } }
    },
    'views.push': (args, team) => {
      const view = viewIn(args['view'])
      const { user } = spend(args['trigger_id'])
      if ((world.dialogs.get(user) ?? []).length >= 3) throw new No('push_limit_reached')
      const opened = shown(user, team, view)
      world.openDialog(opened)
      return { view: { id: opened.id, hash: opened.hash } }
    },
    'views.update': (args) => {
      const view = viewIn(args['view'])
      const found = [...world.dialogs.values()].flat().find(({ id }) => id === args['view_id'])
      if (!found) throw new No('not_found')
      if (args['hash'] !== undefined && args['hash'] !== found.hash) throw new No('hash_conflict')
      found.view = view
      found.hash = world.id(`${Math.floor(world.now / 1_000)}.`)
      return { view: { id: found.id, hash: found.hash } }
    },
    'views.publish': (args, team) => {
      const view = viewIn(args['view'])
      const user = text.parse(args['user_id'])
      world.homes.set(user, shown(user, team, view))
      return { view: { id: world.homes.get(user)?.id } }
    },
    'files.getUploadURLExternal': (args) => {
      const file = world.addFile(text.parse(args['filename']), 'application/octet-stream', Buffer.alloc(0))
      if (Number(args['length']) <= 0) throw new No('invalid_arguments')
      return { upload_url: `${url()}/upload/${file.id}`, file_id: file.id }
    },
    'files.completeUploadExternal': (args, team) => {
      const given = z.array(z.object({ id: text })).parse(args['files'])
      const files = given.flatMap(({ id }) => world.files.get(id) ?? [])
      if (files.length !== given.length) throw new No('file_not_found')
      if (args['channel_id'] !== undefined) {
        world.addMessage(channelOf(args['channel_id'], team), {
          user: team.botUser,
          bot_id: team.botId,
          text: String(args['initial_comment'] ?? ''),
          files,
          ...(typeof args['thread_ts'] === 'string' ? { thread_ts: args['thread_ts'] } : {}),
        })
      }
      return { files: files.map(({ id, name }) => ({ id, title: name })) }
    },
    'files.info': (args) => {
      const file = world.files.get(text.parse(args['file']))
      if (!file) throw new No('file_not_found')
      return { file: fileJson(file, url()) }
    },
  }
}

function respond(world: SlackWorld, request: SandboxRequest): SandboxAnswer {
  const address = world.addresses.get(request.path)
  if (!address || address.used >= 5) return { status: 404, json: { ok: false, error: 'used_url' } }
  if (address.expiresAt < world.now) return { status: 404, json: { ok: false, error: 'expired_url' } }
  const args = argsOf(request)
  const within = WithinMessage.safeParse({ text: args['text'], blocks: args['blocks'] })
  if (!within.success) return { status: 400, body: 'invalid_blocks' }
  address.used += 1
  const { text: words, blocks } = within.data
  const { message } = address
  if (args['replace_original'] === true && message) Object.assign(message, { text: words, blocks })
  else {
    const channel = world.channels.get(address.channel)
    if (!channel) return { status: 404, json: { ok: false, error: 'channel_not_found' } }
    const thread = args['thread_ts']
    const user = world.teams.get(channel.teamId)?.botUser ?? ''
    world.addMessage(channel, {
      user,
      bot_id: 'B',
      text: words,
      blocks: Blocks.parse(blocks),
      ...(args['response_type'] === 'in_channel' ? {} : { onlyFor: address.user }),
      ...(typeof thread === 'string' ? { thread_ts: thread } : {}),
    })
  }
  return { status: 200, body: 'ok' }
}

function upload(world: SlackWorld, request: SandboxRequest): SandboxAnswer {
  const file = world.files.get(request.params['id'] ?? '')
  if (!file) return { status: 404, body: 'file_not_found' }
  file.content = request.body
  return { status: 200, body: `OK - ${request.body.length}` }
}

/** Without a good token Slack sends a page for people to sign in. */
function download(world: SlackWorld, request: SandboxRequest): SandboxAnswer {
  const file = world.files.get(request.params['id'] ?? '')
  if (!file) return { status: 404, body: '' }
  try {
    teamOf(world, request)
  } catch {
    return { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body: '<html>Sign in</html>' }
  }
  return { status: 200, headers: { 'content-type': file.contentType }, body: file.content }
}

export function messageJson(message: SlackMessage, args: Args, url: string): object {
  const { ts, thread_ts: thread, user, bot_id: bot, username, text: words, blocks, metadata, files } = message
  return {
    type: 'message',
    ts,
    user,
    text: words,
    ...(thread === undefined ? {} : { thread_ts: thread }),
    ...(bot === undefined ? {} : { bot_id: bot, app_id: appId }),
    ...(username === undefined ? {} : { username }),
    ...(blocks.length === 0 ? {} : { blocks: withIds(blocks) }),
    ...(metadata !== undefined && String(args['include_all_metadata']) === 'true' ? { metadata } : {}),
    ...(files.length === 0 ? {} : { files: files.map((file) => fileJson(file, url)) }),
  }
}

/** As apps hear of it: in a shared channel of each file the id alone, and they ask for the rest (`files.info`). */
export function toldJson(message: SlackMessage, { isShared }: SlackChannel, url: string): object {
  const whole = messageJson(message, {}, url)
  if (!isShared || message.files.length === 0) return whole
  const heldBack = { mode: 'file_access', file_access: 'check_file_info', created: 0, timestamp: 0, user: '' }
  return { ...whole, files: message.files.map(({ id }) => ({ id, ...heldBack })) }
}

const cursorTo = (ts: string) => Buffer.from(`next_ts:${ts.replace('.', '')}`).toString('base64')

/** Slack names the blocks that have no name. */
export function withIds(blocks: readonly Block[]): readonly Block[] {
  return blocks.map((block, index) => ({ block_id: `b${index}`, ...block }))
}

export function fileJson(
  { id, name, contentType, content, path }: SlackWorld['files'] extends Map<string, infer F> ? F : never,
  url: string,
): object {
  return {
    id,
    name,
    mimetype: contentType,
    size: content.length,
    url_private: `${url}${path}`,
    url_private_download: `${url}${path}`,
  }
}

function userJson(user: SlackWorld['users'] extends Map<string, infer U> ? U : never, team: SlackTeam): object {
  const { id, teamId, name, email, kind, locale, isDeleted, isSingleChannelGuest = false } = user
  return {
    id,
    team_id: teamId,
    name: name.toLowerCase().replaceAll(' ', '.'),
    real_name: name,
    deleted: isDeleted,
    is_bot: kind === 'bot',
    is_restricted: kind === 'guest',
    is_ultra_restricted: kind === 'guest' && isSingleChannelGuest,
    ...(teamId === team.id ? {} : { is_stranger: true }),
    tz: 'Europe/Madrid',
    locale: locale ?? 'en-US',
    profile: { real_name: name, display_name: '', ...(email ? { email } : {}) },
  }
}
