/** What the hub keeps for us with a channel or a person, so that we find the way there again. */
import { z } from 'zod'
import type { ChatPlace } from '#hub/connector/chat.ts'
import { endpointsOf, type TeamsConfig } from './config.ts'

const kinds = ['personal', 'group', 'channel'] as const

export const Reference = z.object({
  /** The address that a validated token vouched for. */
  service: z.url(),
  tenant: z.string().min(1),
  /** Without a thread. */
  conversation: z.string().min(1),
  kind: z.enum(kinds),
  /** Of a channel, where Teams told it. `group`: what Microsoft Graph calls the team. */
  team: z.string().min(1).optional(),
  group: z.string().min(1).optional(),
})
export type Reference = z.output<typeof Reference>

export const writeReference = ({ service, tenant, conversation, kind, team, group }: Reference): string =>
  JSON.stringify({ service, tenant, conversation, kind, team, group })

/** What was kept; for a channel that was never heard of, the cloud's own address. */
export function referenceOf(place: Pick<ChatPlace, 'channel' | 'reference'>, config: TeamsConfig): Reference {
  const kept = readReference(place.reference)
  if (kept?.conversation === place.channel) return kept
  const { service, tenant } = kept ?? { service: endpointsOf(config).service, tenant: config.tenant_id }
  return { service, tenant, ...strange(place.channel) }
}

export function readReference(text: string | undefined): Reference | undefined {
  if (text === undefined) return undefined
  try {
    return Reference.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

/** A conversation of which only the id is known. */
function strange(conversation: string): Pick<Reference, 'conversation' | 'kind'> {
  const isChannel = /^19:.*@thread\.(?:tacv2|skype)$/.test(conversation)
  return { conversation, kind: isChannel ? 'channel' : conversation.startsWith('19:') ? 'group' : 'personal' }
}

/** The id that calls use: threads of channels are conversations of their own. Groups and private talks have none. */
export function conversationId({ kind, conversation }: Reference, thread: string | undefined): string {
  return kind === 'channel' && thread !== undefined ? `${conversation};messageid=${thread}` : conversation
}
