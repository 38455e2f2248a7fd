/** The hub's side of the conversation: signed POSTs to the desk's answers_url, under the key of their effect. */
import type { Context, Receipt } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { signStandardWebhook } from '#hub/connector/hmac.ts'
import { errorOfAnswer } from '#hub/connector/http-status.ts'
import type { DeskConfig } from './config.ts'
import { parseExactJson } from './exact-json.ts'
import { wireReceipt } from './wire.ts'

export interface Told {
  readonly type: string
  readonly [part: string]: unknown
}

/** `key` travels as webhook-id: a desk that has seen it answers as it did then, and does nothing. */
export async function tell(ctx: Context<DeskConfig>, key: string, told: Told): Promise<Receipt> {
  const { answers_url: url, answers_secret: secret } = ctx.config
  if (url === undefined || secret === undefined) {
    throw new ConnectorError(
      'rejected',
      `desk: ${told.type} cannot be sent, this connection only receives; set answers_url and answers_secret in its settings`,
    )
  }
  const body = JSON.stringify(told)
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    ...signStandardWebhook({ id: key, sentAt: ctx.now(), body, secrets: [secret] }),
  }
  const answer = await ctx.http.fetch(url, { method: 'POST', headers, body })
  // The query may hold a token of the desk's; errors and logs name the place without it.
  const place = `POST ${new URL(url).origin}${new URL(url).pathname}`
  const error = errorOfAnswer(answer, place, ctx.now())
  if (error) throw error
  return readReceipt(await answer.text())
}

/** What the desk says about the record. An answer that is something else is no failure: the desk has said 2xx. */
function readReceipt(text: string): Receipt {
  const parsed = wireReceipt.safeParse(jsonOrNothing(text))
  if (!parsed.success) return {}
  const { id, url, updated_at: updatedAt, version } = parsed.data
  return {
    ...(id === undefined ? {} : { externalId: id }),
    ...(url === undefined ? {} : { url }),
    ...(updatedAt === undefined ? {} : { updatedAt }),
    ...(version === undefined ? {} : { version }),
  }
}

function jsonOrNothing(text: string): unknown {
  try {
    return parseExactJson(text)
  } catch {
    return undefined
  }
}
