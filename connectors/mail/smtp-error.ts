/** What an SMTP server's refusal or silence means for the hub. Pure. RFC 5321 section 4.2, RFC 4954 section 6. */
import { z } from 'zod'
import { ConnectorError } from '#hub/connector/errors.ts'

/** A mail that the server did not confirm. */
export class NotSent extends Error {
  override readonly name = 'NotSent'
  /** All of it was handed over: the server may have taken it. */
  readonly isOut: boolean
  constructor(isOut: boolean, cause: unknown) {
    super('not confirmed', { cause })
    this.isOut = isOut
  }
}

/** The server, or we, went away without a word. */
export class ConnectionClosed extends Error {
  override readonly name = 'ConnectionClosed'
  readonly code = 'ECONNECTION'
  constructor() {
    super('the connection was closed')
  }
}

/** As nodemailer describes it. */
const SmtpFailure = z.object({
  message: z.string().catch(''),
  code: z.string().optional().catch(undefined),
  command: z.string().optional().catch(undefined),
  response: z.string().optional().catch(undefined),
  responseCode: z.number().optional().catch(undefined),
})
type SmtpFailure = z.output<typeof SmtpFailure>

/** Grey-listing servers want to see a second attempt, but not at once. */
const patienceMs = 60_000
const needsSignIn = new Set([530, 534, 535, 538])
const tooBig = new Set([523, 552])
const tlsAdvice = '; is `tls` "implicit", or the port another?'
/** Codes of `tls`, such as DEPTH_ZERO_SELF_SIGNED_CERT and ERR_TLS_CERT_ALTNAME_INVALID. */
const aboutCertificate = /certificate|altname|self.signed/i

/** @param place such as `SMTP smtp.example.com:465`. @returns what is no failure of the server's as it is. */
export function smtpError(error: unknown, place: string): unknown {
  const cause = error instanceof NotSent ? error.cause : error
  if (cause instanceof ConnectorError) return cause
  const isOut = error instanceof NotSent && error.isOut
  const parsed = SmtpFailure.safeParse(cause)
  if (!(cause instanceof Error) || !parsed.success || parsed.data.code === undefined) return cause
  return parsed.data.responseCode === undefined
    ? withoutAnswer(parsed.data, isOut, place, cause)
    : answered(parsed.data, parsed.data.responseCode, place)
}

function answered(failure: SmtpFailure, status: number, place: string): ConnectorError {
  if (failure.code === 'ETLS') return new ConnectorError('unavailable', `${place}: ${failure.message}${tlsAdvice}`)
  const words = (failure.response ?? failure.message).replaceAll(/\s+/g, ' ').slice(0, 300)
  const said = `${place} answered ${failure.command ?? 'the mail'} with ${words}`
  if (status < 500 || status === 503) return new ConnectorError('unavailable', said, { retryAfterMs: patienceMs })
  if (failure.code === 'EAUTH' || needsSignIn.has(status)) {
    return new ConnectorError('auth_failed', `${said}; check user and password, some providers want an app password`)
  }
  if (tooBig.has(status)) return new ConnectorError('rejected', `${said}; the mail or the mailbox is too big`)
  return new ConnectorError('rejected', said)
}

function withoutAnswer({ code, message }: SmtpFailure, isOut: boolean, place: string, cause: Error): ConnectorError {
  const why = `${place}: ${message}`
  if (isOut) return new ConnectorError('outcome_unknown', `${why}; the mail had left`, { cause })
  if (code === 'EAUTH') return new ConnectorError('auth_failed', why, { cause })
  if (code === 'EENVELOPE' || code === 'EMESSAGE') return new ConnectorError('rejected', why, { cause })
  if (aboutCertificate.test(message)) {
    const advice = 'use the name that the certificate is for, or give its authority as `ca`'
    return new ConnectorError('unavailable', `${why}; ${advice}`, { cause })
  }
  if (code === 'ETLS') return new ConnectorError('unavailable', `${why}${tlsAdvice}`, { cause })
  if (/wrong version number|packet length|EPROTO/i.test(message)) {
    const advice = 'it speaks no TLS there: is `tls` "starttls", or the port another?'
    return new ConnectorError('unavailable', `${why}; ${advice}`, { cause })
  }
  return new ConnectorError('unavailable', why, { cause })
}
