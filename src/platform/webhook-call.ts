/**
 * A signed POST to a free URL that a rule names: https to a public address, or a host the operator listed. In: the body as
 * text. Out: nothing, or a `ConnectorError`; only a 2xx is success.
 */
import { ConnectorError, type ConnectorErrorCode } from '#hub/connector/errors.ts'
import { codeOfStatus } from '#hub/connector/http-status.ts'
import type { AccountLimits } from './account-limits.ts'
import { limitNews, retryAfterMs } from './http-answer.ts'
import { AnswerTooLong, exchange, NoAnswer } from './http-exchange.ts'
import { answerTimeoutMs, type CallScope, noAnswerError, place, waitForTurn } from './outbound-http.ts'
import type { ExtraHosts, GuardedAgent } from './ssrf.ts'

/** Nothing in the answer is used. */
const maxAnswerBytes = 64 * 1024

export interface WebhookDoor {
  readonly agent: GuardedAgent
  readonly extraHosts: ExtraHosts
  readonly now: () => Date
}

export interface WebhookPost {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const asItIs = (text: string) => text

/** @throws ConnectorError rate_limited, unavailable, outcome_unknown, rejected, not_found, malformed, host_refused */
export async function guardedWebhookFetch(
  door: WebhookDoor,
  limits: AccountLimits,
  post: WebhookPost,
  scope: CallScope,
): Promise<void> {
  const url = checkedUrl(post.url, door.extraHosts)
  const entered = limits.gate().enter(scope.priority, scope.signal)
  const pass = entered instanceof Promise ? await waitForTurn(entered, 'POST', url) : entered
  try {
    const answer = await exchange(door.agent, {
      method: 'POST',
      url,
      headers: post.headers,
      body: post.body,
      signal: scope.signal,
      timeoutMs: answerTimeoutMs,
      maxBytes: maxAnswerBytes,
      ...(scope.beforeSend ? { beforeSend: scope.beforeSend } : {}),
    })
    pass.answered(limitNews(answer.status, answer.headers, door.now()))
    const code = codeOfStatus(answer.status)
    if (code === undefined) return
    const waitMs = retryAfterMs(answer.headers, door.now())
    throw new ConnectorError(
      withoutAccount(code),
      `${place('POST', url)} answered ${answer.status}; expected 2xx`,
      waitMs === undefined ? {} : { retryAfterMs: waitMs },
    )
  } catch (error) {
    if (error instanceof ConnectorError) throw error
    if (error instanceof NoAnswer && !error.sent) pass.unused()
    else pass.answered()
    if (error instanceof AnswerTooLong && codeOfStatus(error.status) === undefined) return
    throw noAnswerError(asItIs, 'POST', url, error)
  }
}

/** A subscriber has no credentials of ours to renew and no record of ours to read again: it just refuses. */
function withoutAccount(code: ConnectorErrorCode): ConnectorErrorCode {
  return code === 'auth_failed' || code === 'conflict' ? 'rejected' : code
}

function checkedUrl(text: string, extraHosts: ExtraHosts): URL {
  const url = URL.parse(text)
  if (!url)
    throw new ConnectorError(
      'host_refused',
      `"${text.slice(0, 200)}" is not an absolute URL; expected https://host/path`,
    )
  if (url.username !== '' || url.password !== '') {
    throw new ConnectorError('host_refused', `${place('POST', url)}: a webhook URL carries no user name; take it out`)
  }
  if (url.protocol === 'https:' || (url.protocol === 'http:' && extraHosts.has(url))) return url
  throw new ConnectorError(
    'host_refused',
    `${place('POST', url)}: use https, or list ${url.host} in DESKWEAVE_EXTRA_HOSTS`,
  )
}
