/** Under whose name something is written: HubSpot knows colleagues as owners, by their addresses. */
import type { OutAuthor, OutMessage } from '#hub/connector/contract.ts'
import { owners } from './account.ts'
import type { Hubspot } from './client.ts'
import { htmlOf } from './mapping.ts'
import type { WireOwner } from './wire.ts'

/** As remembered for ten minutes: for somebody HubSpot does not know the list is not read anew each time. */
export async function ownerOf(ctx: Hubspot, author: OutAuthor | undefined): Promise<WireOwner | undefined> {
  if (!author) return undefined
  const all = await owners(ctx)
  const wanted = author.email?.toLowerCase()
  const named = author.accountId === undefined ? undefined : all.get(author.accountId)
  return named ?? (wanted === undefined ? undefined : all.values().find(({ email }) => email?.toLowerCase() === wanted))
}

const via = '(via Deskweave):'

/** The first line of a note that has no owner to show. */
export function byline(author: OutMessage['author']): string {
  const name = author?.name ?? author?.email
  return name === undefined ? '' : htmlOf(`${name} ${via}`)
}

/** The byline of a note that is there, so that an edit does not lose it. */
export function bylineIn(html: string): string {
  const first = /^<p>[^<]*<\/p>/.exec(html)?.[0] ?? ''
  return first.endsWith(`${via}</p>`) ? first : ''
}
