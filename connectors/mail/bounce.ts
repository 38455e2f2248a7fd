/**
 * Mail that did not arrive. Anybody can write something that looks like a delivery report, and whoever is believed can stop our
 * mail to a customer: only a return path of ours, or our message id among the returned headers, ties a report to a message.
 */

import type { BounceFacts } from '#hub/connector/facts.ts'
import { readAddresses } from './addresses.ts'
import type { MailConfig } from './config.ts'
import { firstOf, type Header, valuesOf } from './headers.ts'
import type { ParsedMail } from './parsed.ts'
import { provenBounce, provenMessageId } from './signed-address.ts'
import { idsIn, recipientsOf } from './thread.ts'

const maxBounces = 20
/** Of a report: one about the message, and one for each recipient. */
const maxGroups = 200

/**
 * @returns undefined when this is no delivery report. An empty list: a report that proves nothing, or one about a delay that is
 * over or a delivery that worked.
 */
export function readBounces(
  headers: readonly Header[],
  mail: ParsedMail,
  config: MailConfig,
): readonly BounceFacts[] | undefined {
  const status = mail.report.find(({ contentType }) => /^message\/(global-)?delivery-status$/.test(contentType))
  const isReport = valuesOf(headers, 'content-type').some((type) => /^multipart\/report\b.*delivery-status/i.test(type))
  if (!isReport && !status && !looksReturned(headers, mail)) return undefined
  const proof = proofIn(headers, mail, config)
  if (!proof) return []
  const failures = status ? failuresIn(status.text) : failureInWords(headers, mail)
  return failures.slice(0, maxBounces).map((failure) => ({ ...proof, ...failure }))
}

function proofIn(
  headers: readonly Header[],
  mail: ParsedMail,
  config: MailConfig,
): Pick<BounceFacts, 'caseId' | 'messageId'> | undefined {
  for (const recipient of recipientsOf(headers)) {
    const proof = provenBounce(config, recipient)
    if (proof) return proof
  }
  const returned = [...mail.report.map(({ text }) => text), mail.text]
  for (const text of returned) {
    for (const [, line = ''] of text.matchAll(/^[> \t]*message-id:[ \t]*(?:\r?\n[ \t]+)?([^\r\n]{3,500})/gim)) {
      const messageId = idsIn(line)[0]
      const caseId = messageId && provenMessageId(config, messageId)
      if (caseId) return { caseId, messageId }
    }
  }
  return undefined
}

type Failure = Pick<BounceFacts, 'address' | 'permanent' | 'reason'>

/** RFC 3464: groups of lines, the first about the message, each other about one recipient. */
function failuresIn(report: string): readonly Failure[] {
  const groups = report
    .replace(/\r\n?/g, '\n')
    .replace(/\n[ \t]+/g, ' ')
    .split(/\n{2,}/, maxGroups)
  return groups.flatMap((group): readonly Failure[] => {
    const field = (name: string) => new RegExp(`^${name}:[ \t]*([^\n]*)`, 'im').exec(group)?.[1]?.trim()
    const address = addressOf(field('Original-Recipient')) ?? addressOf(field('Final-Recipient'))
    const action = field('Action')?.toLowerCase() ?? ''
    if (!address || !/^(failed|delayed)\b/.test(action)) return []
    const diagnostic = withoutType(field('Diagnostic-Code'))
    const status = /[245]\.\d{1,3}\.\d{1,3}/.exec(field('Status') ?? '')?.[0] ?? codeIn(diagnostic)
    const permanent = action.startsWith('failed') && status.startsWith('5')
    return [{ address, permanent, reason: reasonOf([status, diagnostic || action]) }]
  })
}

/** `rfc822; ana@example.com`, with or without the type. */
function addressOf(value: string | undefined): string | undefined {
  return readAddresses(withoutType(value)).mailboxes[0]?.address
}

function withoutType(value: string | undefined): string {
  return (value ?? '').replace(/^[\w-]{1,30}\s*;\s*/, '')
}

/** Servers that write no report but a letter (qmail, old Exim and Sendmail, some providers). */
function looksReturned(headers: readonly Header[], mail: ParsedMail): boolean {
  if (firstOf(headers, 'x-failed-recipients') !== undefined) return true
  const isFromServer =
    /^<\s*>$/.test(firstOf(headers, 'return-path') ?? '') || /mailer-?daemon|postmaster/i.test(fromOf(headers))
  return isFromServer && (returnedSubject.test(mail.subject) || returnedText.test(mail.text.slice(0, 2_000)))
}

const fromOf = (headers: readonly Header[]): string => firstOf(headers, 'from') ?? ''

const returnedSubject = new RegExp(
  [
    'failure notice|undeliver(ed|able)|delivery (status notification|failure|failed|has failed)|returned (mail|to sender)',
    'mail delivery (failed|failure|subsystem|system)|could not be delivered|not delivered|warning: message .{0,60}delayed',
    'unzustellbar|nicht zugestellt|zustellung fehlgeschlagen|non remis|[ée]chec de (la )?remise|no se puede entregar',
    'no se ha podido entregar|mancato recapito|non recapitabile|n[ãa]o foi poss[íi]vel entregar|onbestelbaar',
    'olevererbart|kan ikke leveres|nie dostarczono|недоставлен|не доставлено|無法傳遞|无法投递|配信不能',
  ].join('|'),
  'iu',
)
const returnedText =
  /this is the (qmail-send|mail (delivery )?(system|software))|message (that you sent )?could not be delivered|the following address(es)? (failed|had permanent)|delivery to the following recipients? failed/i

function failureInWords(headers: readonly Header[], mail: ParsedMail): readonly Failure[] {
  const words = mail.text.split(/^-{2,} ?(?:below this line|original message|this is a copy|the original)/im)[0] ?? ''
  const listed = readAddresses(firstOf(headers, 'x-failed-recipients') ?? '').mailboxes[0]?.address
  const address = listed ?? firstAddressIn(words)
  if (!address) return []
  const status = /\b[45]\.\d{1,3}\.\d{1,3}\b/.exec(words)?.[0] ?? codeIn(words)
  const line = words
    .split('\n')
    .find((one) => /\b[45]\d\d\b|[45]\.\d+\.\d+|unknown|unroutable|no such|full|refused/i.test(one))
  const isOnlyLate = /will (keep trying|be retried)|delayed|no action is required/i.test(words)
  return [
    { address, permanent: !isOnlyLate && status.startsWith('5'), reason: reasonOf([status, line ?? mail.subject]) },
  ]
}

function firstAddressIn(text: string): string | undefined {
  for (const [found] of text.slice(0, 20_000).matchAll(/[^\s<>()[\]:;,"']{1,64}@[a-z0-9.-]{1,253}[a-z0-9]/gi)) {
    const address = readAddresses(found).mailboxes[0]?.address
    if (address && !/^(mailer-?daemon|postmaster)@/.test(address)) return address
  }
  return undefined
}

/** From a three-digit answer; a server that only says that it gave up means it for good. */
function codeIn(text: string): string {
  const code = /\b([45])\d\d\b/.exec(text)?.[1]
  if (code) return `${code}.0.0`
  return /unknown|unroutable|no such|does not exist|not found|rejected|refused|permanent/i.test(text)
    ? '5.0.0'
    : '4.0.0'
}

function reasonOf(parts: readonly string[]): string {
  return parts
    .filter((part) => part !== '')
    .join(' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 300)
    .toWellFormed()
}
