/** What Slack's answers mean in the hub's words. Slack answers 200 to nearly everything: `ok` and `error` tell. */
import { ConnectorError, type ConnectorErrorCode } from '#hub/connector/errors.ts'

/** https://docs.slack.dev/reference/methods, each method's errors; read 2026-11. What is not here was refused for good. */
const codes: Readonly<Record<string, ConnectorErrorCode>> = {
  ratelimited: 'rate_limited',
  rate_limited: 'rate_limited',
  message_limit_exceeded: 'rate_limited',

  account_inactive: 'auth_failed',
  access_denied: 'auth_failed',
  app_missing_action_url: 'auth_failed',
  bad_client_secret: 'auth_failed',
  ekm_access_denied: 'auth_failed',
  invalid_auth: 'auth_failed',
  invalid_client_id: 'auth_failed',
  invalid_refresh_token: 'auth_failed',
  missing_scope: 'auth_failed',
  no_permission: 'auth_failed',
  not_allowed_token_type: 'auth_failed',
  not_authed: 'auth_failed',
  org_login_required: 'auth_failed',
  team_access_not_granted: 'auth_failed',
  token_expired: 'auth_failed',
  token_revoked: 'auth_failed',
  two_factor_setup_required: 'auth_failed',

  channel_is_archived: 'not_found',
  channel_not_found: 'not_found',
  file_deleted: 'not_found',
  file_not_found: 'not_found',
  is_archived: 'not_found',
  message_not_found: 'not_found',
  not_in_channel: 'not_found',
  thread_not_found: 'not_found',
  user_not_found: 'not_found',
  users_not_found: 'not_found',
  view_not_found: 'not_found',

  hash_conflict: 'conflict',

  service_unavailable: 'unavailable',
  team_added_to_org: 'unavailable',
  /** It broke in there: whether before or after the effect, nobody says. */
  fatal_error: 'outcome_unknown',
  internal_error: 'outcome_unknown',
  request_timeout: 'outcome_unknown',
}

const nextStep: Readonly<Record<string, string>> = {
  channel_not_found: 'the channel does not exist, or the app was not invited to it; invite it there with /invite',
  not_in_channel: 'the app is not in the channel; invite it there with /invite',
  is_archived: 'the channel is archived; take it out of the settings, or unarchive it',
  missing_scope: 'install the app again, so that it gets the scopes of its manifest',
  token_revoked: 'the app was taken away; install it again',
  account_inactive: 'the app was taken away, or the workspace is gone; install it again',
  token_expired: 'install the app again',
  invalid_auth: 'the token is not good; enter it anew, or install the app again',
  msg_too_long: 'the text is longer than Slack takes',
}

/** Slack's own word for what went wrong, for those who go on in another way. */
export class SlackRefusal extends ConnectorError {
  readonly error: string
  constructor(error: string, message: string, retryAfterMs?: number) {
    super(codes[error] ?? 'rejected', message, retryAfterMs === undefined ? {} : { retryAfterMs })
    this.error = error
  }
}

export interface SaidNo {
  readonly error: string
  readonly needed?: string | undefined
  readonly messages?: readonly string[] | undefined
}

/** Slack names no time with `ratelimited` in a 200; this is the length of its shortest window. */
const shortestWaitMs = 1_000

/** @param place what was called, such as `chat.postMessage in T0001`. */
export function refusal(place: string, { error, needed, messages = [] }: SaidNo): SlackRefusal {
  const lacking = needed === undefined ? '' : ` (needed: ${needed})`
  const details = messages.length === 0 ? '' : ` (${messages.join('; ').slice(0, 300)})`
  const step = nextStep[error]
  return new SlackRefusal(
    error,
    `Slack refused ${place}: ${error}${lacking}${details}${step ? `; ${step}` : ''}`,
    codes[error] === 'rate_limited' ? shortestWaitMs : undefined,
  )
}

/** The token is dead for good, whatever is tried with it. */
export function isDeadToken(error: unknown): boolean {
  return (
    error instanceof SlackRefusal &&
    ['token_revoked', 'account_inactive', 'invalid_refresh_token'].includes(error.error)
  )
}
