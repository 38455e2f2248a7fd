/** The calls to conversations: https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference */
import { z } from 'zod'
import type { ChatPerson, ChatPlace } from '#hub/connector/chat.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { callApi, type Teams } from './client.ts'
import { botId, endpointsOf, isEmulator, tenantsOf } from './config.ts'
import { inPath } from './in-path.ts'
import { conversationId, type Reference, readReference, referenceOf, writeReference } from './reference.ts'

type Activity = { readonly type: 'message' } & Readonly<Record<string, unknown>>

const maybe = z.string().min(1).optional().catch(undefined)
const WireWritten = z.object({ id: z.string().min(1) })
const WireOpened = z.object({ id: z.string().min(1), activityId: maybe })
const WireMember = z.object({
  id: z.string().min(1),
  name: maybe,
  email: maybe,
  userPrincipalName: maybe,
  tenantId: maybe,
  userRole: maybe,
})

/** A message in a conversation or thread; where a channel has no thread yet, it opens one. @returns where it stands. */
export async function send(ctx: Teams, place: ChatPlace, activity: Activity, key: string): Promise<ChatPlace> {
  const reference = referenceOf(place, ctx.config)
  const stands = { channel: place.channel, reference: writeReference(reference) }
  if (reference.kind === 'channel' && place.thread === undefined) {
    const { activityId } = await open(ctx, reference, { channel: place.channel, activity }, key)
    if (activityId !== undefined) return { ...stands, message: activityId }
    throw new ConnectorError('malformed', 'Teams opened a thread and did not say which; expected activityId')
  }
  const id = conversationId(reference, place.thread)
  const { id: message } = await callApi(ctx, callFor(reference.service, id, key), WireWritten, (api) =>
    api.conversations.createActivity(inPath(id), activity),
  )
  const thread = reference.kind === 'channel' && place.thread !== undefined ? { thread: place.thread } : {}
  return { ...stands, ...thread, message }
}

/** A private conversation, which is the same one each time, or a new thread of a channel. */
async function open(
  ctx: Teams,
  reference: Reference,
  what: { readonly user: string } | { readonly channel: string; readonly activity: Activity },
  key?: string,
): Promise<z.output<typeof WireOpened>> {
  const bot = { id: botId(ctx.config) }
  const common = { bot, tenantId: reference.tenant }
  return await callApi(ctx, callFor(reference.service, reference.conversation, key), WireOpened, (api) =>
    api.conversations.create(
      'user' in what
        ? {
            ...common,
            isGroup: false,
            members: [{ id: what.user, role: 'user' }],
            channelData: { tenant: { id: reference.tenant } },
          }
        : { ...common, isGroup: true, channelData: { channel: { id: what.channel } }, activity: what.activity },
    ),
  )
}

/** @throws ConnectorError not_found, also when the app is not there for this person. */
export async function direct(ctx: Teams, user: string, reference: string | undefined): Promise<ChatPlace> {
  const { service, tenant } = readReference(reference) ?? cloudOf(ctx)
  const near: Reference = { service, tenant, conversation: user, kind: 'personal' }
  const { id } = await open(ctx, near, { user })
  return { channel: id, reference: writeReference({ ...near, conversation: id }) }
}

const cloudOf = ({ config }: Teams) => ({ service: endpointsOf(config).service, tenant: config.tenant_id })

/** Puts an activity in the place of an earlier one of ours. */
export async function replace(ctx: Teams, place: ChatPlace, activity: Activity, key: string): Promise<string> {
  const { reference, id, message } = standing(ctx, place)
  await callApi(ctx, callFor(reference.service, id, key), z.unknown(), (api) =>
    api.conversations.updateActivity(inPath(id), inPath(message), activity),
  )
  return message
}

export async function remove(ctx: Teams, place: ChatPlace, key: string): Promise<void> {
  const { reference, id, message } = standing(ctx, place)
  await callApi(ctx, callFor(reference.service, id, key), z.unknown(), (api) =>
    api.conversations.deleteActivity(inPath(id), inPath(message)),
  )
}

function standing(ctx: Teams, place: ChatPlace) {
  const { message } = place
  if (message === undefined) throw new ConnectorError('rejected', 'teams: no message is named that could be changed')
  const reference = referenceOf(place, ctx.config)
  return { reference, message, id: conversationId(reference, place.thread ?? message) }
}

/** As the roster of a conversation has them; the directory fills it, people do not. */
export async function whoIs(ctx: Teams, user: string, reference: string | undefined): Promise<ChatPerson> {
  if (user.startsWith('28:')) return { id: user, kind: 'bot' }
  const near = readReference(reference) ?? referenceOf(await direct(ctx, user, undefined), ctx.config)
  return { ...(await memberOf(ctx, near, user)), id: user }
}

/** Somebody by their id in the directory. @throws ConnectorError not_found where the app is not there for them */
export async function whoIsInDirectory(ctx: Teams, tenant: string, objectId: string): Promise<ChatPerson> {
  const near = writeReference({ ...cloudOf(ctx), tenant, conversation: objectId, kind: 'personal' })
  return await memberOf(ctx, referenceOf(await direct(ctx, objectId, near), ctx.config), objectId)
}

async function memberOf(ctx: Teams, { service, conversation }: Reference, id: string): Promise<ChatPerson> {
  const call = { service, budget: 'members', budgetKey: conversation } as const
  const member = await callApi(ctx, call, WireMember, (api) =>
    api.conversations.getMemberById(inPath(conversation), inPath(id)),
  )
  const email = emailOf(member)
  return {
    id: member.id,
    ...(member.name === undefined ? {} : { name: member.name }),
    ...(email === undefined ? {} : { email }),
    // The playground's people are of no tenant.
    kind: isEmulator(service, ctx.config) ? 'member' : kindOf(ctx, member),
  }
}

/** The name with which somebody signs in looks like an address; a guest's is made up by Microsoft. */
function emailOf({ email, userPrincipalName }: z.output<typeof WireMember>): string | undefined {
  const isAddress = (text: string | undefined) => text !== undefined && z.email().safeParse(text).success
  return [email, userPrincipalName].find((text) => isAddress(text) && !text?.includes('#'))?.toLowerCase()
}

/** In a shared channel people of other companies read and write: their own tenant tells. Who has none is not ours. */
function kindOf(ctx: Teams, { tenantId, userRole }: z.output<typeof WireMember>): ChatPerson['kind'] {
  if (tenantId === undefined || !tenantsOf(ctx.config).includes(tenantId.toLowerCase())) return 'stranger'
  if (userRole === 'guest') return 'guest'
  return userRole === 'anonymous' ? 'stranger' : 'member'
}

/** Teams counts each thread by itself. */
const callFor = (service: string, conversation: string, key: string | undefined) => ({
  service,
  budget: 'conversation' as const,
  budgetKey: conversation,
  ...(key === undefined ? {} : { key }),
})
