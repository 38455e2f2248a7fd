/** A small stateful Slack over real HTTP: its Web API, its signed events and interactions, and the people who work in it. */
import { z } from 'zod'
import { signHmac } from '#hub/connector/hmac.ts'
import {
  type AttemptResult,
  type ChatSandbox,
  createSandbox,
  createWebhooks,
  type Delivery,
  type Hook,
  type VendorSandboxOptions,
} from '#hub/connector/sandbox.ts'
import { budgets } from './client.ts'
import manifest from './manifest.json' with { type: 'json' }
import { slackFunctions } from './manifest.ts'
import { signature } from './receive.ts'
import { type Args, apiRoutes, No, outsideMarketplace } from './sandbox-api.ts'
import { type SandboxLine, startLine } from './sandbox-line.ts'
import { type Answered, createPeople, type SlackPeople } from './sandbox-people.ts'
import { appId, type SlackChannel, type SlackMessage, type SlackUser, SlackWorld } from './sandbox-world.ts'

export interface SlackSandboxOptions extends VendorSandboxOptions {
  /** Tokens live for twelve hours and are renewed. */
  readonly rotates?: boolean
  /** The app is installed by a link only: the settings hold no token. */
  readonly isByLink?: boolean
  /** Everything comes down a line that the hub opens (Socket Mode). */
  readonly isByLine?: boolean
  /** The app is distributed, but not in Slack's Marketplace: it reads one page of 15 messages a minute. */
  readonly isOutsideMarketplace?: boolean
}

export interface SlackSandbox extends ChatSandbox, SlackPeople {
  /** With `isByLine`. */
  readonly line: SandboxLine | undefined
  /** What is in there: the ledger of effects. */
  readonly world: SlackWorld
  /** `leo` and `eva` are agents; `ana` sits in another company and shares the channel `shared`. */
  readonly users: Readonly<Record<'leo' | 'eva' | 'gus' | 'uma' | 'ana' | 'robot', SlackUser>>
  /** `outside` is one where the app is no member. */
  readonly channels: Readonly<Record<'cases' | 'shared' | 'outside', SlackChannel>>
  /** The newest message in a channel that this person sees. */
  newest(channel: SlackChannel, user?: SlackUser): SlackMessage
  /** An administrator allows what the page asks for. @returns where the browser is sent then. */
  allow(authorizeUrl: string, teamId?: string): string
  /** Another company's workspace, with an administrator of its own. */
  addWorkspace(id: string, name: string): void
  /** Sends exactly this body as an event, signed. */
  sendBody(body: string): Promise<Delivery>
  /** Sends a form, signed. */
  post(form: Readonly<Record<string, string>>): Promise<Answered>
}

const teamId = 'T0ACME'
const clientId = '1234567890.9876543210'
const clientSecret = 'made-up-client-secret-0001'
const signingSecret = '0123456789abcdef0123456789abcdef'
const rotatedLifeMs = 43_200_000
const appToken = 'xapp-1-A0-made-up-0001'
/** Slack counts each method by itself. */
const limits = [
  { budget: 'default', requests: 1_200, perSeconds: 60 },
  ...Object.entries(budgets).map(([method, budget]) => {
    const { requests } = manifest.limits.find((one) => one.perSeconds === 60 && one.budget === budget) ?? {
      requests: 300,
    }
    return { budget: method, requests, perSeconds: 60 }
  }),
]
const pagedMethods = new Set(['conversations.history', 'conversations.replies'])
/** Slack waits so long for an answer. */
const answerWithinMs = 3_000

export async function startSandbox(options: SlackSandboxOptions = {}): Promise<SlackSandbox> {
  const { isOutsideMarketplace = false } = options
  const now = options.now ?? (() => new Date())
  const clock = options.now ? { now: options.now } : {}
  const seed = options.seed === undefined ? {} : { seed: options.seed }
  const world = new SlackWorld(now)
  const { users, channels } = furnish(world)
  const lifeMs = options.rotates ? rotatedLifeMs : undefined
  // What an administrator copies is the token alone, without what renews it.
  const token = options.isByLink ? undefined : world.issueToken(teamId, lifeMs).token
  const codes = new Map<string, { readonly teamId: string; readonly redirectUri: string; readonly scope: string }>()
  let hook: Hook | undefined

  const line = options.isByLine ? await startLine() : undefined
  const server = await createSandbox({
    ...clock,
    ...seed,
    routes: [
      ...apiRoutes({ world, url: () => server.url, oauth, isOutsideMarketplace }),
      {
        method: 'POST',
        path: '/api/apps.connections.open',
        answer({ headers }) {
          const isGood = line !== undefined && headers['authorization'] === `Bearer ${appToken}`
          return { status: 200, json: isGood ? { ok: true, url: line.open() } : { ok: false, error: 'invalid_auth' } }
        },
      },
    ],
    limits: limits.map((limit) =>
      isOutsideMarketplace && pagedMethods.has(limit.budget)
        ? { ...limit, requests: outsideMarketplace.pagesPerMinute }
        : limit,
    ),
  })
  const webhooks = createWebhooks<string>({
    ...clock,
    ...seed,
    timeoutMs: answerWithinMs,
    retryDelayMs,
    sign: (body, _deliveryId, sentAt, secret) => ({
      body,
      headers: { 'content-type': 'application/json', ...signHmac({ body }, secret, signature, sentAt) },
    }),
  })

  function tell(event: object, team: string, how?: Parameters<typeof webhooks.emit>[1]): Promise<Delivery> {
    const name = nameOf(event)
    if (!subscribed.has(name))
      throw new Error(`Slack does not send ${name}: the app's manifest does not subscribe to it`)
    const bot = world.teams.get(team)?.botUser
    const envelope = {
      token: 'deprecated',
      team_id: team,
      context_team_id: team,
      context_enterprise_id: null,
      api_app_id: appId,
      type: 'event_callback',
      event_id: world.id('Ev'),
      event_time: Math.floor(now().getTime() / 1_000),
      is_ext_shared_channel: false,
      authorizations: [
        { enterprise_id: null, team_id: team, user_id: bot, is_bot: true, is_enterprise_install: false },
      ],
      event,
    }
    if (line) return down(line, envelope)
    return webhooks.emit(JSON.stringify(envelope), how)
  }

  /** Presses, dialogs and commands are sent once, whatever becomes of them. */
  async function post(form: Readonly<Record<string, string>>): Promise<Answered> {
    if (line) {
      const { payload } = form
      const [type, content] = payload === undefined ? ['slash_commands', form] : ['interactive', JSON.parse(payload)]
      const answered = await line.send(type, content)
      const isEmpty = answered === undefined || Object.keys(answered).length === 0
      return { status: answered === undefined ? 0 : 200, body: isEmpty ? '' : JSON.stringify(answered) }
    }
    if (!hook) return { status: 0, body: '' }
    const body = new URLSearchParams(form).toString()
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      ...signHmac({ body }, hook.secret, signature, now()),
    }
    const signal = AbortSignal.timeout(answerWithinMs)
    const answer = await fetch(hook.url, { method: 'POST', headers, body, signal, redirect: 'manual' }).catch(
      () => undefined,
    )
    return answer ? { status: answer.status, body: await answer.text() } : { status: 0, body: '' }
  }

  function oauth(args: Args): object {
    if (args['client_id'] !== clientId) throw new No('invalid_client_id')
    if (args['client_secret'] !== clientSecret) throw new No('bad_client_secret')
    if (args['grant_type'] === 'refresh_token') return refreshed(String(args['refresh_token']))
    const code = codes.get(String(args['code']))
    codes.delete(String(args['code']))
    if (!code) throw new No('invalid_code')
    if (args['redirect_uri'] !== code.redirectUri) throw new No('bad_redirect_uri')
    return granted(code.teamId, code.scope, lifeMs)
  }

  /** A refresh token is good once. */
  function refreshed(refresh: string): object {
    const found = [...world.tokens.values()].find((one) => one.refresh === refresh && !one.isRevoked)
    if (!found) throw new No('invalid_refresh_token')
    found.isRevoked = true
    return granted(found.teamId, '', rotatedLifeMs)
  }

  function granted(id: string, scope: string, lifeMs: number | undefined): object {
    const team = world.teams.get(id)
    if (!team) throw new No('account_inactive')
    const { token: access, refresh } = world.issueToken(id, lifeMs)
    return {
      app_id: appId,
      access_token: access,
      token_type: 'bot',
      scope,
      bot_user_id: team.botUser,
      team: { id, name: team.name },
      enterprise: null,
      is_enterprise_install: false,
      authed_user: { id: 'U0ADMIN' },
      ...(refresh && lifeMs !== undefined ? { refresh_token: refresh, expires_in: lifeMs / 1_000 } : {}),
    }
  }

  const people = createPeople({ world, url: () => server.url, tell, post })
  let scene = 0
  return {
    ...people,
    url: server.url,
    config: {
      signing_secret: signingSecret,
      client_id: clientId,
      client_secret: clientSecret,
      app_id: appId,
      ...(token ? { bot_token: token } : {}),
      ...(line ? { app_token: appToken } : {}),
      channels: [
        { channel: channels.cases.id, for: 'cases' },
        { channel: channels.shared.id, for: 'customer', company: 'Globex' },
      ],
      reactions: { eyes: 'take', white_check_mark: 'resolve' },
      api_base: server.url,
    },
    requests: server.requests,
    faults: server.faults,
    webhooks,
    world,
    users,
    channels,
    newest(channel, user) {
      const seen = channel.messages.filter(
        (one) => !one.isDeleted && (one.onlyFor === undefined || one.onlyFor === user?.id),
      )
      const last = seen.at(-1)
      if (!last) throw new Error(`nothing stands in ${channel.name}`)
      return last
    },
    allow(authorizeUrl, id = teamId) {
      const asked = new URL(authorizeUrl).searchParams
      if (asked.get('client_id') !== clientId) throw new Error('the page is for another app')
      const redirectUri = asked.get('redirect_uri') ?? ''
      const code = world.id('code-')
      codes.set(code, { teamId: id, redirectUri, scope: asked.get('scope') ?? '' })
      const back = new URL(redirectUri)
      back.searchParams.set('code', code)
      back.searchParams.set('state', asked.get('state') ?? '')
      return back.href
    },
    addWorkspace(id, name) {
      world.addTeam(id, name)
    },
    sendBody: (body) => webhooks.emit(body),
    post,
    connect(to) {
      hook = to
      webhooks.connect(to)
    },
    chat: {
      place: { channel: channels.cases.id, reference: teamId },
      people: {
        member: users.leo.id,
        guest: users.gus.id,
        stranger: users.ana.id,
        bot: users.robot.id,
      },
      async press(user, place, act) {
        const [who, message] = [world.users.get(user), world.message(place.channel, place.message ?? '')]
        if (!who || !message) throw new Error(`no ${who ? `message ${place.message}` : `person ${user}`}`)
        await people.press(who, message, act)
      },
      async say(user, place, text) {
        const [who, channel] = [world.users.get(user), world.channels.get(place.channel)]
        if (!who || !channel) throw new Error(`no ${who ? `channel ${place.channel}` : `person ${user}`}`)
        const thread = place.thread === undefined ? undefined : world.message(place.channel, place.thread)
        // As Slack keeps what people type.
        const kept = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
        await people.say(who, { channel, ...(thread ? { thread } : {}) }, kept)
      },
    },
    async play() {
      scene += 1
      const question = await people.say(users.ana, { channel: channels.shared }, `Invoice ${scene} is wrong`)
      await people.say(users.ana, { channel: channels.shared, thread: question }, 'It names the wrong month.')
      await people.edit(question, `Invoice ${scene} of November is wrong`)
      await people.react(users.leo, question, 'white_check_mark')
    },
    line,
    async close() {
      await line?.close()
      await webhooks.close()
      await server.close()
    },
  }
}

/** What the app asks to be told of. */
const subscribed = new Set(slackFunctions.flatMap(({ events = [] }) => events))

const Event = z.object({ type: z.string(), channel_type: z.string().optional() })

/** As a manifest calls it: messages by where they stand. */
function nameOf(event: object): string {
  const { type, channel_type: where } = Event.parse(event)
  return type === 'message' ? `message.${where === 'im' ? 'im' : 'channels'}` : type
}

async function down(line: SandboxLine, envelope: object): Promise<Delivery> {
  return (await line.send('events_api', envelope)) === undefined ? 'gave_up' : 'accepted'
}

function furnish(world: SlackWorld): Pick<SlackSandbox, 'users' | 'channels'> {
  world.addTeam(teamId, 'Acme')
  const user = (id: string, name: string, kind: SlackUser['kind'], more: Partial<SlackUser> = {}) => {
    const email = `${name.split(' ')[0]?.toLowerCase()}@${more.teamId ? 'globex' : 'acme'}.example`
    return world.addUser({ id, teamId, name, kind, ...(kind === 'bot' ? {} : { email }), ...more })
  }
  return {
    users: {
      leo: user('U0LEO', 'Leo Ruiz', 'member'),
      eva: user('U0EVA', 'Eva Lang', 'member', { locale: 'es-ES' }),
      gus: user('U0GUS', 'Gus Guest', 'guest'),
      uma: user('U0UMA', 'Uma Visitor', 'guest', { isSingleChannelGuest: true }),
      ana: user('U0ANA', 'Ana García', 'stranger', { teamId: 'T0GLOBEX' }),
      robot: user('U0ROBOT', 'Robot', 'bot'),
    },
    channels: {
      cases: world.addChannel({ id: 'C0CASES', teamId, name: 'cases' }),
      shared: world.addChannel({ id: 'C0SHARED', teamId, name: 'globex', isShared: true }),
      outside: world.addChannel({ id: 'C0OUTSIDE', teamId, name: 'outside', hasApp: false }),
    },
  }
}

/** At once, after a minute, after five; here the pauses are short. */
function retryDelayMs({ attempt }: AttemptResult): number | undefined {
  return attempt <= 3 ? 200 * (attempt - 1) : undefined
}
