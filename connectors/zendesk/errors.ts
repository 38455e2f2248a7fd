/** What Zendesk's refusals mean: the status says what the hub does, and their words what a person can do. */
import { z } from 'zod'
import { ConnectorError } from '#hub/connector/errors.ts'
import { type AnswerHead, errorOfAnswer } from '#hub/connector/http-status.ts'
import { WireError } from './wire.ts'

/** The credential is good and may not do this: other calls go on, so that the connection is not stopped. */
export class MissingScope extends ConnectorError {
  /** Such as `read`; with alternatives, `hc:read or knowledge:read`. */
  readonly scope: string
  constructor(place: string, scopes: readonly string[]) {
    // Of what would do, Zendesk names the narrow ones too, some of which nobody can ask for.
    const general = scopes.filter((one) => one === 'read' || one === 'write')
    const scope = (general.length > 0 ? general : scopes).join(' or ')
    super(
      'rejected',
      `${place} answered 403; the credential lacks the scope ${scope}: give the OAuth client or token the scopes read and write`,
    )
    this.scope = scope
  }
}

/** @param place method and address, without the query. @returns undefined for 2xx */
export function zendeskError(answer: AnswerHead, text: string, place: string, now: Date): ConnectorError | undefined {
  const error = errorOfAnswer(answer, place, now)
  if (!error) return undefined
  const { name, words } = wordsOf(text)
  if (answer.status === 403) {
    const scopes = scopesIn(words)
    if (scopes.length > 0) return new MissingScope(place, scopes)
    if (namesRecord.test(place) && name.toLowerCase() === 'forbidden') {
      return new ConnectorError(
        'rejected',
        `${place} answered 403; the user behind the credential may not do this with this record, others are not concerned (Zendesk: ${words})`,
      )
    }
  }
  if (words === '') return error
  const wait = error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }
  return new ConnectorError(error.code, `${error.message} (Zendesk: ${words})`, wait)
}

/** `…/tickets/4242.json`, `…/tickets/4242/tags`. */
const namesRecord = /\/\d+(?:\/|\.json|$)/

function scopesIn(words: string): readonly string[] {
  const list = /missing the following required scopes?: ([\w:., -]+)/i.exec(words)?.[1] ?? ''
  return list.split(/[\s,]+/).filter((one) => /^[\w:-]+$/.test(one))
}

const WireDetails = z.record(z.string(), z.array(z.object({ description: z.string() })))

function wordsOf(text: string): { readonly name: string; readonly words: string } {
  const parsed = WireError.safeParse(jsonOrNothing(text))
  if (!parsed.success) return { name: '', words: '' }
  const { error, description, error_description, details } = parsed.data
  const name = (typeof error === 'string' ? error : error?.title) ?? ''
  const more = typeof error === 'object' ? error.message : (description ?? error_description)
  const fields = Object.values(WireDetails.safeParse(details).data ?? {}).flat()
  const words = [name, more, ...fields.map((field) => field.description)].filter(Boolean).join(': ')
  return { name, words: words.replaceAll(/\s+/g, ' ').slice(0, 300) }
}

export function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
