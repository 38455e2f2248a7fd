/** Microsoft's side of the wire: where a bot gets its token and the signing keys, and the Bot Connector. */
import { z } from 'zod'
import type { SandboxAnswer, SandboxRequest, SandboxRoute } from '#hub/connector/sandbox.ts'
import { type GraphPermission, graphRoutes, graphToken } from './sandbox-graph.ts'
import { issuerOf, publishedKeys } from './sandbox-keys.ts'
import { bot, type Json, type SandboxChannel, team, type World } from './sandbox-world.ts'

interface Stage {
  readonly world: World
  readonly now: () => Date
  readonly secret: string
  /** The sandbox's own address. */
  url(): string
  /** Seconds for which calls to a conversation are refused. */
  readonly throttled: Map<string, number>
  /** What Microsoft lists beside its good key. */
  readonly otherKeys: readonly object[]
  /** What the app may in Microsoft Graph. */
  readonly permissions: ReadonlySet<GraphPermission>
}

export const tokenLifeSeconds = 3_599
const issued = 'sandbox-bot-token.'
const botScope = 'https://api.botframework.com/.default'
const graphScope = 'https://graph.microsoft.com/.default'

/** Calls of the Bot Connector need a token that is good now; the others are open to everybody. */
export function authorise({ path, headers }: SandboxRequest, now: () => Date): SandboxAnswer | undefined {
  if (!path.includes('/v3/')) return undefined
  const until = Number(headers['authorization']?.split(issued)[1])
  if (until > now().getTime()) return undefined
  return refusal(401, 'Unauthorized', 'Authorization has been denied for this request.')
}

export function routes(stage: Stage): SandboxRoute[] {
  const { world } = stage
  const tokens: SandboxRoute = {
    method: 'POST',
    path: '/:tenant/oauth2/v2.0/token',
    answer({ params, body }) {
      const form = new URLSearchParams(body.toString('utf8'))
      if (params['tenant'] !== bot.tenantId) return noToken(400, 'AADSTS90002: Tenant not found.')
      if (form.get('client_id') !== bot.appId) return noToken(400, 'AADSTS700016: Application not found.')
      if (form.get('client_secret') !== stage.secret)
        return noToken(401, 'AADSTS7000215: Invalid client secret provided.')
      const until = stage.now().getTime() + tokenLifeSeconds * 1_000
      const scope = form.get('scope')
      if (scope !== botScope && scope !== graphScope) return noToken(400, 'AADSTS500011: Resource not found.')
      const token = scope === botScope ? `${issued}${until}` : graphToken(until, stage.permissions)
      return { status: 200, json: { token_type: 'Bearer', expires_in: tokenLifeSeconds, access_token: token } }
    },
  }
  const wellKnown = '/v1/.well-known'
  const metadata: SandboxRoute = {
    method: 'GET',
    path: `${wellKnown}/openidconfiguration`,
    answer: () => ({
      status: 200,
      json: { issuer: 'https://api.botframework.com', jwks_uri: `${stage.url()}${wellKnown}/keys` },
    }),
  }
  const keys: SandboxRoute = {
    method: 'GET',
    path: `${wellKnown}/keys`,
    answer: () => ({ status: 200, json: { keys: [...stage.otherKeys, ...publishedKeys.keys] } }),
  }
  const directory = '/:tenant/v2.0/.well-known/openid-configuration'
  const people: SandboxRoute = {
    method: 'GET',
    path: directory,
    answer: ({ params }) => ({
      status: 200,
      json: {
        issuer: issuerOf(params['tenant'] ?? ''),
        jwks_uri: `${stage.url()}/${params['tenant']}/discovery/v2.0/keys`,
      },
    }),
  }
  const peopleKeys: SandboxRoute = { method: 'GET', path: '/:tenant/discovery/v2.0/keys', answer: keys.answer }
  return [
    tokens,
    metadata,
    keys,
    people,
    peopleKeys,
    ...['/teams', '/emea/:tenant'].flatMap((prefix) => connector(prefix, world, stage)),
    ...graphRoutes(stage),
  ]
}

const noToken = (status: number, error_description: string): SandboxAnswer => ({
  status,
  json: { error: 'invalid_client', error_description },
})

function connector(prefix: string, world: World, { throttled }: Stage): SandboxRoute[] {
  const base = `${prefix}/v3/conversations`
  const heldBack = (id: string): SandboxAnswer | undefined => {
    const seconds = throttled.get(id)
    if (seconds === undefined) return undefined
    return { ...refusal(429, 'Throttled', 'Too many requests.'), headers: { 'retry-after': String(seconds) } }
  }
  const within =
    (use: (channel: SandboxChannel, thread: string | undefined, request: SandboxRequest) => SandboxAnswer) =>
    (request: SandboxRequest): SandboxAnswer => {
      const [id = '', thread] = (request.params['conversation'] ?? '').split(';messageid=')
      const channel = world.conversations.get(id)
      if (!channel) return refusal(404, 'ConversationNotFound', 'Conversation not found.')
      const gone = world.gone.get(id)
      if (gone === 'MessageWritesBlocked') return blocked
      if (gone) return refusal(403, gone, 'The bot is not part of the conversation roster.')
      return heldBack(id) ?? use(channel, thread, request)
    }
  return [
    {
      method: 'GET',
      path: `${prefix}/v3/teams/:team`,
      answer: ({ params }) =>
        params['team'] === team.id ? { status: 200, json: team } : refusal(404, 'NotFound', 'Team not found.'),
    },
    { method: 'POST', path: base, answer: (request) => open(world, heldBack, request) },
    {
      method: 'POST',
      path: `${base}/:conversation/activities`,
      answer: within((channel, thread, request) => {
        const activity = activityOf(request)
        if ('status' in activity) return activity
        return { status: 201, json: { id: world.add(channel, undefined, activity.json, { thread }).id } }
      }),
    },
    {
      method: 'PUT',
      path: `${base}/:conversation/activities/:activity`,
      answer: within((_channel, _thread, request) => {
        const message = own(world, request.params['activity'])
        if (!message) return refusal(404, 'ActivityNotFoundInConversation', 'Activity not found.')
        const activity = activityOf(request)
        if ('status' in activity) return activity
        message.activity = activity.json
        message.updates += 1
        message.views.clear()
        return { status: 200, json: { id: message.id } }
      }),
    },
    {
      method: 'DELETE',
      path: `${base}/:conversation/activities/:activity`,
      answer: within((_channel, _thread, { params }) => {
        const message = own(world, params['activity'])
        if (!message) return refusal(404, 'ActivityNotFoundInConversation', 'Activity not found.')
        message.isDeleted = true
        return { status: 200 }
      }),
    },
    {
      method: 'GET',
      path: `${base}/:conversation/members/:member`,
      answer: within((channel, _thread, { params }) => {
        const person = world.personOf(params['member'] ?? '')
        if (!person || !channel.members.includes(person))
          return refusal(404, 'MemberNotFoundInConversation', 'Not found.')
        const { id, aadObjectId, name, email, tenantId, userRole } = person
        return { status: 200, json: { id, aadObjectId, name, email, userPrincipalName: email, tenantId, userRole } }
      }),
    },
  ]
}

function own(world: World, id: string | undefined) {
  return world.posted.find((message) => message.id === id)
}

const NewConversation = z.object({
  isGroup: z.boolean(),
  members: z.array(z.object({ id: z.string() })).optional(),
  channelData: z.object({ channel: z.object({ id: z.string() }).optional() }).optional(),
})

function open(
  world: World,
  heldBack: (id: string) => SandboxAnswer | undefined,
  request: SandboxRequest,
): SandboxAnswer {
  const { isGroup, members = [], channelData } = NewConversation.parse(request.json())
  if (!isGroup) {
    const person = world.personOf(members[0]?.id ?? '')
    const personal = person && world.personal(person)
    if (!personal)
      return refusal(403, 'ForbiddenOperationException', 'The bot is not installed in user’s personal scope.')
    if (world.gone.has(personal.id)) return blocked
    return { status: 201, json: { id: personal.id } }
  }
  const channel = world.conversations.get(channelData?.channel?.id ?? '')
  if (!channel) return refusal(404, 'ConversationNotFound', 'Conversation not found.')
  if (world.gone.has(channel.id))
    return refusal(403, 'BotNotInConversationRoster', 'The bot is not part of the roster.')
  const held = heldBack(channel.id)
  if (held) return held
  const activity = activityOf(request, 'activity')
  if ('status' in activity) return activity
  const { id } = world.add(channel, undefined, activity.json)
  return { status: 201, json: { id: `${channel.id};messageid=${id}`, activityId: id } }
}

const longestActivityBytes = 28 * 1024
const Body = z.record(z.string(), z.unknown())

function activityOf(request: SandboxRequest, within?: string): { readonly json: Json } | SandboxAnswer {
  const body = Body.parse(request.json())
  const json = Body.parse(within === undefined ? body : body[within])
  // Counted in UTF-16.
  if (JSON.stringify(json).length * 2 <= longestActivityBytes) return { json }
  return refusal(413, 'MessageSizeTooBig', 'Message size too large.')
}

function refusal(status: number, code: string, message: string): SandboxAnswer {
  return { status, json: { error: { code, message } } }
}

/** Private conversations say it in a form of their own. */
const blocked: SandboxAnswer = {
  status: 403,
  json: {
    errorCode: 209,
    message: JSON.stringify({ subCode: 'MessageWritesBlocked', details: 'Thread is not writable for the bot.' }),
  },
}
