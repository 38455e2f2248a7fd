/**
 * What Teams' answers mean.
 * https://learn.microsoft.com/microsoftteams/platform/bots/build-conversational-capability (status codes; read 2026-11)
 */
import { z } from 'zod'
import { ConnectorError, type ConnectorErrorCode } from '#hub/connector/errors.ts'
import { errorOfAnswer } from '#hub/connector/http-status.ts'
import { parsed } from './parsed.ts'

const WireError = z.object({ error: z.object({ code: z.string().optional(), message: z.string().optional() }) })
/** As private conversations answer: the code stands in JSON within the message. */
const WireSubError = z.object({ errorCode: z.number(), message: z.string() })
const WireSubCode = z.object({ subCode: z.string(), details: z.string().optional() })

/** What a 403 says of the conversation alone must not stop the whole connection. */
const meanings = new Map<string, readonly [ConnectorErrorCode, string]>([
  ['BotDisabledByAdmin', ['auth_failed', 'an administrator has blocked the app in the Teams admin center']],
  ['BotNotRegistered', ['auth_failed', 'app_id is not registered as an Azure Bot with the Teams channel']],
  ['BotNotInConversationRoster', ['not_found', 'the app is not (any more) in this conversation; add it there']],
  ['ConversationBlockedByUser', ['not_found', 'the person has blocked the app']],
  ['MessageWritesBlocked', ['not_found', 'the person has blocked or removed the app']],
  ['ForbiddenOperationException', ['not_found', 'the app is not installed for this person or in this conversation']],
  ['NotEnoughPermissions', ['rejected', 'the app may not do this in this conversation']],
  ['MessageSizeTooBig', ['rejected', 'the message is longer than Teams takes (28 KB)']],
])

/** By status, where Teams differs from the usual: it asks to repeat a 412, says 403 of single conversations, 507 of a full site. */
const byStatus = new Map<number, ConnectorErrorCode>([
  [403, 'rejected'],
  [412, 'unavailable'],
  [507, 'rejected'],
])

/** @returns the error that an answer means; undefined for 2xx. @param text the answer's body. */
export function teamsError(answer: Response, text: string, place: string, now: Date): ConnectorError | undefined {
  const error = errorOfAnswer(answer, place, now)
  if (!error) return undefined
  const told = toldIn(parsed(text))
  const [code, why] = meanings.get(told?.code ?? '') ?? [byStatus.get(answer.status) ?? error.code, undefined]
  const words = [why, told?.code, told?.message].filter(Boolean).join(': ').replaceAll(/\s+/g, ' ').slice(0, 300)
  const wait = error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }
  return new ConnectorError(code, words === '' ? error.message : `${place} answered ${answer.status}: ${words}`, wait)
}

function toldIn(
  body: unknown,
): { readonly code?: string | undefined; readonly message?: string | undefined } | undefined {
  const sub = WireSubError.safeParse(body).data
  if (!sub) return WireError.safeParse(body).data?.error
  const { subCode, details } = WireSubCode.safeParse(parsed(sub.message)).data ?? {}
  return { code: subCode ?? String(sub.errorCode), message: details ?? sub.message }
}
