/** What an IMAP server's refusal or silence means for the hub. Pure. RFC 3501 section 7.1, RFC 5530. */
import { z } from 'zod'
import { ConnectorError } from '#hub/connector/errors.ts'

const text = z.string().optional().catch(undefined)
/** As imapflow describes it. */
const ImapFailure = z.object({
  message: z.string().catch(''),
  code: text,
  /** `NO` or `BAD`; absent when the server did not answer the command. */
  responseStatus: text,
  responseText: text,
  /** The same words, for failed logins. */
  response: text,
  serverResponseCode: text,
  authenticationFailed: z.boolean().optional().catch(undefined),
  tlsFailed: z.boolean().optional().catch(undefined),
})
type ImapFailure = z.output<typeof ImapFailure>

/** Refusals that pass by themselves. */
const passing = new Set(['UNAVAILABLE', 'SERVERBUG', 'INUSE', 'LIMIT'])
/** The same where no code is sent: Gmail's and Microsoft's words. */
const passingWords = /too many|not connected|try again|temporar|throttled/i
/** Codes of `tls`, such as DEPTH_ZERO_SELF_SIGNED_CERT and CERT_HAS_EXPIRED. */
const aboutCertificate = /CERT|ISSUER|SIGNATURE|SELF_SIGNED/

/** @param place such as `IMAP imap.example.com:993`. @returns what is no failure of the server's as it is. */
export function imapError(error: unknown, place: string): unknown {
  if (error instanceof ConnectorError) return error
  const parsed = ImapFailure.safeParse(error)
  if (!(error instanceof Error) || !parsed.success) return error
  const failure = parsed.data
  const words = (failure.responseText ?? failure.response ?? failure.message).replaceAll(/\s+/g, ' ').slice(0, 300)
  const waitMs = Number(/Backoff Time[:=\s]+(\d+)/i.exec(words)?.[1])
  if (waitMs > 0) return new ConnectorError('rate_limited', `${place}: ${words}`, { retryAfterMs: waitMs })
  if (failure.authenticationFailed) return loginError(failure, words, place, error)
  if (failure.responseStatus !== undefined) return refusal(failure, words, place, error)
  if (failure.code === undefined && !failure.tlsFailed) return error
  return new ConnectorError('unavailable', `${place}: ${words}${advice(failure)}`, { cause: error })
}

function loginError(failure: ImapFailure, words: string, place: string, cause: Error): ConnectorError {
  if (isPassing(failure, words) || failure.code !== undefined) {
    return new ConnectorError('unavailable', `${place} does not let us sign in now: ${words}`, { cause })
  }
  const next = 'check user and password; some providers want an app password'
  return new ConnectorError('auth_failed', `${place} refuses the sign-in: ${words}; ${next}`, { cause })
}

function refusal(failure: ImapFailure, words: string, place: string, cause: Error): ConnectorError {
  const code = isPassing(failure, words) ? 'unavailable' : 'rejected'
  return new ConnectorError(code, `${place} answered ${failure.responseStatus}: ${words}`, { cause })
}

function isPassing({ serverResponseCode }: ImapFailure, words: string): boolean {
  return passing.has(serverResponseCode ?? '') || passingWords.test(words)
}

function advice({ code = '', tlsFailed }: ImapFailure): string {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return '; use the name that the certificate is for as `host`'
  if (aboutCertificate.test(code)) return `; its certificate is not trusted (${code}): give its authority as \`ca\``
  if (code.startsWith('ERR_SSL') || code === 'EPROTO')
    return '; it speaks no TLS there: is `tls` "starttls", or the port another?'
  if (code === 'GREETING_TIMEOUT') return '; is `tls` "implicit", or the port another?'
  if (tlsFailed) return '; is `tls` "implicit", or the port another?'
  return ''
}
