/**
 * Who wrote this mail, and may it be believed? `From` is a claim. The only evidence is what the customer's own receiving server
 * found out and wrote into `Authentication-Results`; whatever the message brought along itself counts for nothing.
 */

import { isIP } from 'node:net'
import { readAddresses } from './addresses.ts'
import { type MethodResult, readAuthenticationResults } from './authentication-results.ts'
import type { MailConfig } from './config.ts'
import { type Header, valuesOf } from './headers.ts'

export interface Sender {
  /** Lower-case. */
  readonly address: string
  /** DMARC passed at a server that the admin trusts. */
  readonly isVerified: boolean
  /** One of our own people, verified. */
  readonly isAgent: boolean
}

type Trust = Pick<MailConfig, 'address' | 'agents' | 'trusted_authserv_ids'>
type Verdict = 'pass' | 'none' | 'fail'

/** The one address in `From`, or why there is none to go by. */
export function readFrom(headers: readonly Header[]): { readonly address: string } | { readonly unreadable: string } {
  const lines = valuesOf(headers, 'from')
  if (lines.length === 0) return { unreadable: 'it names no sender (no From line)' }
  if (lines.length > 1) return { unreadable: 'it has several From lines, so its sender is not certain' }
  const { mailboxes, isMalformed } = readAddresses(lines[0] ?? '')
  const [mailbox, second] = mailboxes
  if (second) return { unreadable: 'it names several senders in its From line' }
  if (!mailbox || isMalformed) {
    return { unreadable: 'its From line is not one plain address: empty, a group, or readable in more than one way' }
  }
  return mailbox
}

/** Incoming mail only. @returns a reason in plain words when the mail must be set aside for a person to look at. */
export function judgeSender(
  headers: readonly Header[],
  from: string,
  config: Trust,
): Sender | { readonly unreadable: string } {
  const verdict = verdictOf(headers, from, config)
  const isOurs = isOwnPerson(from, config)
  if (isOurs && verdict !== 'pass') {
    return { unreadable: `it claims to come from our own ${from}, and nothing proves it` }
  }
  if (verdict === 'fail') {
    return { unreadable: `the receiving server says that it was not sent by ${domainOf(from)} (DMARC or SPF failed)` }
  }
  return { address: from, isVerified: verdict === 'pass', isAgent: isOurs && isAgent(from, config) }
}

/** Listed as one of ours, or the mailbox itself. Not yet a proof. */
export function isAgent(from: string, { address, agents }: Trust): boolean {
  const listed = agents.map((one) => one.trim().toLowerCase())
  return from === address || listed.includes(from) || listed.includes(`@${domainOf(from)}`)
}

function isOwnPerson(from: string, config: Trust): boolean {
  const domain = domainOf(from)
  return isAgent(from, config) || (domain === domainOf(config.address) && !mailProviders.has(domain))
}

/** A mailbox at one of these shares its domain with everybody. */
const mailProviders = new Set(
  [
    'gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com yahoo.co.uk yahoo.co.jp ymail.com aol.com',
    'icloud.com me.com mac.com proton.me protonmail.com fastmail.com hey.com zoho.com mail.com gmx.com gmx.net gmx.de web.de',
    't-online.de freenet.de orange.fr free.fr laposte.net libero.it wp.pl o2.pl seznam.cz mail.ru yandex.ru qq.com 163.com',
    'naver.com uol.com.br comcast.net bigpond.com',
  ].flatMap((line) => line.split(' ')),
)

function verdictOf(headers: readonly Header[], from: string, { trusted_authserv_ids }: Trust): Verdict {
  const trusted = new Set(trusted_authserv_ids.map((id) => id.trim().toLowerCase()))
  for (const header of headersOfOurServers(headers, trusted)) {
    if (header.name !== 'authentication-results') continue
    const { authservId, results } = readAuthenticationResults(header.value)
    if (trusted.has(authservId)) return dmarcOf(results, domainOf(from))
  }
  return 'none'
}

/**
 * The top of the header block, as far as servers of ours wrote it. Servers write their lines above those that they were given,
 * so that the message's own lines begin below the `Received` of the server that took it from outside:
 *
 *     Received: from mx.example.com by imap.example.com          handed on among ourselves
 *     Authentication-Results: mx.example.com; …                  most servers write their findings here
 *     Received: from out.sender.example by mx.example.com        taken from outside
 *     Authentication-Results: mx.example.com; …                  some (Gmail) write them here
 *     Received: from laptop by out.sender.example                brought along, and so is all that follows
 *
 * Both places are read, and nothing below the first `Received` that follows the one from outside, or that a server not of ours
 * wrote. A forged line with our server's name can therefore stand in the second place only, where it is seen only if our server
 * wrote none above it; and a server that writes this line at all removes forged ones with its name (RFC 8601, section 5).
 */
function headersOfOurServers(headers: readonly Header[], trusted: ReadonlySet<string>): readonly Header[] {
  let isTaken = false
  let isTopmost = true
  const end = headers.findIndex(({ name, value }) => {
    if (name !== 'received') return false
    if (isTaken) return true
    const { from, by } = hopOf(value)
    // The topmost is always ours: it was written on the way into the mailbox.
    if (!isTopmost && by !== undefined && !isOurServer(by, trusted)) return true
    isTopmost = false
    isTaken = from !== undefined && !isInternal(from, trusted)
    return false
  })
  return end === -1 ? headers : headers.slice(0, end)
}

/** The words after `from` (what the client called itself, and what the server saw) and the host after `by`. */
function hopOf(received: string): { readonly from: readonly string[] | undefined; readonly by: string | undefined } {
  const words = received.toLowerCase().split(/[\s;()=[\]]+/)
  const by = words.indexOf('by')
  const host = by === -1 ? undefined : words[by + 1]
  return {
    from: words[0] === 'from' ? words.slice(1, by === -1 ? 20 : by) : undefined,
    by: host === undefined || isIpAddress(host) ? undefined : host,
  }
}

/** What a client calls itself is a claim; the name or the internal address that our server saw beside it is not. */
function isInternal(from: readonly string[], trusted: ReadonlySet<string>): boolean {
  const words = from.filter((word) => word !== '' && word !== 'helo' && word !== 'ehlo')
  const addresses = words.filter(isIpAddress)
  const names = words.filter((word) => !isIpAddress(word))
  if (addresses.length > 0 && addresses.every(isPrivateAddress)) return true
  const areOurs = names.length > 0 && names.every((name) => name.includes('.') && isOurServer(name, trusted))
  return areOurs && (addresses.length === 0 || names.length > 1)
}

const isIpAddress = (word: string): boolean => isIP(word.replace(/^ipv6:/, '')) !== 0

function isPrivateAddress(word: string): boolean {
  return /^(127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|(ipv6:)?(::1$|f[cd]))/.test(word)
}

/** A trusted host, one below it or one beside it: `imap.example.com` for `mx.example.com`, but not `x.co.uk` for `y.co.uk`. */
function isOurServer(host: string, trusted: ReadonlySet<string>): boolean {
  return [...trusted].some((id) => {
    const parent = id.slice(id.indexOf('.') + 1)
    const isRegistry = !parent.includes('.') || /^[a-z]{2,3}\.[a-z]{2}$/.test(parent)
    return host === id || host.endsWith(`.${id}`) || (!isRegistry && (host === parent || host.endsWith(`.${parent}`)))
  })
}

/**
 * DMARC is SPF or DKIM passed for a domain that is aligned with that in `From`; we check the alignment ourselves. Without the
 * public suffix list nobody can tell an organisation's domain from a registry's, so there are two measures:
 * - on SPF and DKIM alone: the same domain or a parent of it (whoever holds the parent speaks for it);
 * - where the trusted server, which has that list, says dmarc=pass for this very domain: two labels in common will do.
 */
function dmarcOf(results: readonly MethodResult[], domain: string): Verdict {
  const dmarc = results.filter((one) => one.method === 'dmarc')
  // The server read another From than we did: the line is made to be read in two ways.
  const isAboutAnother = dmarc.some((one) => {
    const about = one.properties.get('header.from')
    return about !== undefined && domainOf(about) !== domain
  })
  if (isAboutAnother || dmarc.some((one) => one.result === 'fail')) return 'fail'
  const checks = results.filter((one) => one.method === 'dkim' || one.method === 'spf')
  const passed = checks.filter((one) => one.result === 'pass').flatMap(authenticatedDomains)
  if (passed.some((one) => one === domain || isParent(one, domain))) return 'pass'
  const isDmarcPass = dmarc.some((one) => one.result === 'pass' && one.properties.has('header.from'))
  if (isDmarcPass && (checks.length === 0 || passed.some((one) => sharesOrganisation(one, domain)))) return 'pass'
  return checks.some((one) => one.method === 'spf' && /^(hard|soft)?fail$/.test(one.result)) ? 'fail' : 'none'
}

function authenticatedDomains({ method, properties }: MethodResult): readonly string[] {
  const names = method === 'dkim' ? ['header.d', 'header.i'] : ['smtp.mailfrom', 'smtp.envelope-from']
  const [value] = names.flatMap((name) => properties.get(name) ?? [])
  return value === undefined || value === '' ? [] : [domainOf(value)]
}

function isParent(parent: string, domain: string): boolean {
  return parent.includes('.') && domain.endsWith(`.${parent}`)
}

function sharesOrganisation(one: string, other: string): boolean {
  const lastTwo = (domain: string) => domain.split('.').slice(-2).join('.')
  return one.includes('.') && lastTwo(one) === lastTwo(other)
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1)
}
