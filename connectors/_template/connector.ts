/** Acme Desk: <one sentence: what kind of tool it is, and what we do with it>. */

import type { z } from 'zod'
import { type Context, defineConnector, type Page, type Receipt } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { type AcmeDeskConfig, config } from './config.ts'
import manifest from './manifest.json' with { type: 'json' }
import { fromStatus, toCase } from './mapping.ts'
import { items, normalise, verify } from './receive.ts'
import { wireAccount, wireCreated, wireTicketPage } from './wire.ts'

type Ctx = Context<AcmeDeskConfig>

export const acmeDesk = defineConnector({
  manifest,
  config,
  api: ({ subdomain, api_token, base_url }) => ({
    baseUrl: base_url ?? `https://${subdomain}.acme-desk.example/api/v1`,
    headers: { authorization: `Bearer ${api_token}` },
  }),
  async check(ctx) {
    return { account: read(wireAccount, await ctx.http.json('GET', '/me')).account }
  },
  can: {
    receive: { verify, items, normalise },
    changes: { since },
    writeCase: {
      fields: ['status', 'subject', 'tags'],
      // Acme Desk takes an Idempotency-Key with every write.
      effects: { create: 'keyed', update: 'keyed', message: 'keyed' },
      create: (ctx, { subject, text, requester, tags = [] }, key) =>
        write(ctx, 'POST', '/tickets', key, { subject, text, tags, requester_email: requester.emails?.[0] }),
      update: (ctx, id, { status, subject, addTags, removeTags }, key) =>
        write(ctx, 'PATCH', `/tickets/${encodeURIComponent(id)}`, key, {
          subject,
          state: status && fromStatus[status],
          add_tags: addTags,
          remove_tags: removeTags,
        }),
      message: (ctx, id, { visibility, text, attachments = [] }, key) =>
        write(ctx, 'POST', `/tickets/${encodeURIComponent(id)}/comments`, key, {
          is_public: visibility === 'public',
          // Acme Desk takes no files: they are named, with their links.
          text: [text, ...attachments.map(({ name, url }) => (url ? `${name}: ${url}` : name))].join('\n'),
        }),
    },
  },
})

/** `next` is the time of the newest ticket of the page; a page that brings nothing new is the last one. */
async function* since(ctx: Ctx, cursor = ctx.now().toISOString()): AsyncIterable<Page> {
  let from = cursor
  for (;;) {
    const query = { updated_since: from }
    const { tickets, next } = read(wireTicketPage, await ctx.http.json('GET', '/tickets', { query }))
    const observations = tickets.map((ticket) => ({
      type: 'case' as const,
      occurredAt: ticket.updated_at,
      byHub: false,
      case: toCase(ticket),
    }))
    yield { observations, cursor: next }
    if (next === from) return
    from = next
  }
}

async function write(ctx: Ctx, method: 'POST' | 'PATCH', path: string, key: string, json: object): Promise<Receipt> {
  const answer = await ctx.http.json(method, path, { json, headers: { 'idempotency-key': key } })
  const { id, updated_at } = read(wireCreated, answer)
  return { externalId: id, ...(updated_at === undefined ? {} : { updatedAt: updated_at }) }
}

function read<T>(schema: z.ZodType<T>, answer: unknown): T {
  const result = schema.safeParse(answer)
  if (result.success) return result.data
  throw new ConnectorError('malformed', 'Acme Desk answered in a form that wire.ts does not know', {
    cause: result.error,
  })
}
