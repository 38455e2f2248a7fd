/** Requests from Teams: whether they are Microsoft's, what is in them, what it says. */
import { createHash } from 'node:crypto'
import type { Http, InboundContext, InboundItem, InboundRequest, Verdict } from '#hub/connector/contract.ts'
import { UnreadableInput } from '#hub/connector/errors.ts'
import type { Observation } from '#hub/connector/facts.ts'
import { errorOfAnswer } from '#hub/connector/http-status.ts'
import { endpointsOf, isLoopback, isService, type TeamsConfig, tenantsOf } from './config.ts'
import { happeningsOf } from './happening.ts'
import { checkToken } from './jwt.ts'
import { parsed } from './parsed.ts'
import { readActivity, readOrigin } from './read-activity.ts'
import { keysOf } from './signing-keys.ts'

type Receiving = InboundContext<TeamsConfig>

/** Microsoft shares no secret with a bot: it signs with keys that it publishes, and says for which bot. */
export async function verify(request: InboundRequest, _: string, ctx: Receiving, http: Http): Promise<Verdict> {
  const { config } = ctx
  const origin = readOrigin(parsed(request.body.toString('utf8')))
  if (!origin || !isService(origin.serviceUrl, config)) return { ok: false, reason: 'bad_signature' }
  if (isPlayground(request, config)) return { ok: true }
  const endpoints = endpointsOf(config)
  const keys = keysOf(endpoints)
  const verdict = await checkToken(
    request.headers['authorization'],
    origin,
    { issuer: endpoints.issuer, appId: config.app_id, tenants: tenantsOf(config) },
    (id) => keys(id, (url) => getJson(http, url, ctx.now()), ctx.now()),
    ctx.now(),
  )
  return verdict.ok ? verdict : { ok: false, reason: verdict.reason }
}

/** Only what was sent from this machine to a hub that nobody else can reach under its own address. */
function isPlayground({ url, isLocal, headers }: InboundRequest, { allow_unsigned: isAllowed }: TeamsConfig): boolean {
  return isAllowed && isLocal === true && isLoopback(url) && headers['authorization'] === undefined
}

export async function getJson(http: Http, url: string, now: Date): Promise<unknown> {
  const answer = await http.fetch(url, { headers: { accept: 'application/json' } })
  const error = errorOfAnswer(answer, `GET ${url}`, now)
  if (error) throw error
  return await answer.json()
}

/** Teams sends one thing at a time. */
export function items(request: InboundRequest): readonly InboundItem[] {
  const body = request.body.toString('utf8')
  const { key } = read(body)
  return [{ key: key ?? createHash('sha256').update(request.body).digest('hex'), body }]
}

export function normalise(item: InboundItem, { config, now }: Receiving): readonly Observation[] {
  const incoming = read(item.body)
  const at = incoming.at === undefined ? Number.NaN : Date.parse(incoming.at)
  const occurredAt = (Number.isNaN(at) ? now() : new Date(at)).toISOString()
  return happeningsOf(incoming, config).map((happening) => ({ occurredAt, byHub: false, type: 'chat', happening }))
}

function read(body: string) {
  const activity = parsed(body)
  if (activity === undefined) throw new UnreadableInput('activity: expected JSON')
  const incoming = readActivity(activity)
  if (incoming.kind === 'unreadable') throw new UnreadableInput(incoming.problem)
  return incoming
}
