/**
 * What we write, as a mail. Pure: the same message gives the same mail at every attempt, its Message-ID included.
 * Text becomes text; where text becomes structure (an address, an id, a URL), anything that could break out of it is refused.
 */
import type { SendMailOptions } from 'nodemailer'
import type { CaseDraft, OutFile, OutMessage, OutThread } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { MailConfig } from './config.ts'
import { bounceAddress, caseIdOf, loopMark, messageIdFor, replyAddress } from './signed-address.ts'

export interface Mail {
  readonly caseId: string
  /** With its angle brackets. */
  readonly messageId: string
  readonly envelope: { readonly from: string; readonly to: string }
  readonly options: SendMailOptions
}

interface Letter {
  readonly caseId: string
  readonly key: string
  readonly to: { readonly email: string; readonly name?: string }
  readonly subject: string
  readonly text: string
  readonly html?: string
  readonly files?: readonly OutFile[]
  /** Of a colleague who wrote it. */
  readonly by?: string
  readonly thread?: OutThread
  readonly automatic?: 'auto-replied' | 'auto-generated'
  readonly unsubscribeUrl?: string
}

/** @param at when it is sent. @throws ConnectorError rejected */
export function composeReply(config: MailConfig, caseId: string, message: OutMessage, key: string, at: Date): Mail {
  const { thread, text, html, files, author, unsubscribeUrl } = message
  if (!thread) throw new TypeError('a public message to a mail case comes with its thread')
  const isAnswer = thread.earlier.length > 0
  return compose(
    config,
    {
      caseId,
      key,
      to: thread.to,
      subject: isAnswer ? replySubject(thread.subject) : thread.subject,
      text,
      thread,
      ...(html === undefined ? {} : { html }),
      ...(files ? { files } : {}),
      ...(author?.name === undefined ? {} : { by: author.name }),
      ...(unsubscribeUrl === undefined ? {} : { unsubscribeUrl }),
      ...(message.automatic ? { automatic: isAnswer ? ('auto-replied' as const) : ('auto-generated' as const) } : {}),
    },
    at,
  )
}

/** The first mail of a new thread; only rules open cases, so it says that no person wrote it. @throws ConnectorError rejected */
export function composeFirst(config: MailConfig, draft: CaseDraft, key: string, at: Date): Mail {
  const { requester, subject, text, visibility } = draft
  if (visibility === 'internal') {
    throw new ConnectorError('rejected', 'a mail case cannot begin with an internal note: nobody would get it')
  }
  const [email] = requester.emails ?? []
  if (!email) {
    throw new ConnectorError('rejected', 'a mail case begins with a mail, and the requester has no e-mail address')
  }
  const to = { email, ...(requester.name ? { name: requester.name } : {}) }
  return compose(config, { caseId: caseIdOf(config, key), key, to, subject, text, automatic: 'auto-generated' }, at)
}

function compose(config: MailConfig, letter: Letter, at: Date): Mail {
  const { caseId, key, thread, automatic, unsubscribeUrl } = letter
  const messageId = messageIdFor(config, caseId, key)
  const to = address(letter.to.email, 'the recipient')
  const replyTo = replyAddress(config, caseId)
  const references = [...referencesOf(thread)]
  return {
    caseId,
    messageId,
    envelope: { from: bounceAddress(config, caseId, messageId), to },
    options: {
      messageId,
      date: at,
      from: { name: oneLine(senderName(config.name, letter.by)), address: config.address },
      to: { name: oneLine(letter.to.name ?? ''), address: to },
      subject: oneLine(letter.subject),
      ...(replyTo === config.address ? {} : { replyTo: { name: oneLine(config.name ?? ''), address: replyTo } }),
      ...(references.length > 0 ? { inReplyTo: answeredBy(thread, references), references } : {}),
      ...bodyOf(letter),
      headers: {
        ...(automatic ? automaticHeaders(config, automatic) : {}),
        ...(unsubscribeUrl === undefined ? {} : oneClick(unsubscribeUrl)),
      },
      xMailer: false,
      disableFileAccess: true,
      disableUrlAccess: true,
    },
  }
}

/** RFC 3834 section 5, and what Exchange and older responders look at. */
function automaticHeaders(config: MailConfig, kind: 'auto-replied' | 'auto-generated') {
  return { 'Auto-Submitted': kind, 'X-Auto-Response-Suppress': 'All', 'X-Loop': loopMark(config) }
}

/** RFC 8058. */
function oneClick(url: string) {
  const parsed = URL.parse(url)
  const isWeb = parsed?.protocol === 'https:' || parsed?.protocol === 'http:'
  if (!parsed || !isWeb || /[\s<>]/.test(url)) {
    throw new ConnectorError(
      'rejected',
      'the unsubscribe link is not a web address; correct it where the message is written',
    )
  }
  return {
    // Whole, not folded: programs that look for the link do not put it together again.
    'List-Unsubscribe': { prepared: true, value: `<${parsed.href}>` },
    'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
  }
}

/** `Leo (Acme Support)`: the customer sees who answers, and for whom. */
function senderName(name = '', by = ''): string {
  return by && name ? `${by} (${name})` : by || name
}

function bodyOf({ text, html, files = [] }: Letter): Pick<SendMailOptions, 'text' | 'html' | 'attachments'> {
  return {
    text: asLines(text),
    ...(html === undefined ? {} : { html: asLines(html) }),
    ...(files.length > 0 ? { attachments: files.map(attached) } : {}),
  }
}

function attached({ name, contentType, content }: OutFile) {
  // Parts within parts would be read as the mail's own.
  const isPlain = /^(?!multipart\/|message\/)[\w.+-]+\/[\w.+-]+$/i.test(contentType)
  return {
    filename: oneLine(name),
    contentType: isPlain ? contentType : 'application/octet-stream',
    content: Buffer.from(content),
    contentDisposition: 'attachment' as const,
  }
}

/** With the line ends of mail, in the copy for the Sent folder too, and without what no mail may hold. */
function asLines(text: string): string {
  return text.replaceAll(/\r\n?|\n/g, '\r\n').replaceAll('\0', '')
}

/** A subject that changes splits the thread in some mail programs, so it is repeated as it is. */
function replySubject(subject: string): string {
  return /^\s*re\s*:/i.test(subject) ? subject : `Re: ${subject}`.trimEnd()
}

const mostReferences = 20

/** The first one, which holds threads together, and the latest. Ids that are not in the form of one are left out. */
function referencesOf(thread: OutThread | undefined): readonly string[] {
  const ids = (thread?.earlier ?? []).flatMap((id) => messageIdIn(id) ?? [])
  if (ids.length <= mostReferences) return ids
  return [...ids.slice(0, 1), ...ids.slice(1 - mostReferences)]
}

function answeredBy(thread: OutThread | undefined, references: readonly string[]): string {
  const wanted = messageIdIn(thread?.answers ?? '')
  return wanted ?? references.at(-1) ?? ''
}

function messageIdIn(text: string): string | undefined {
  const id = bare(text)
  return /^[\x21-\x3b\x3d\x3f-\x7e]{1,900}$/.test(id) && id.includes('@') ? `<${id}>` : undefined
}

function bare(id: string): string {
  return id.trim().replace(/^<|>$/g, '')
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const control = /[\u0000-\u001f\u007f\u2028\u2029]+/g

/** Free text in a header: a line break could end the header, so it becomes a space. */
function oneLine(text: string): string {
  return text.replaceAll(control, ' ').trim()
}

/** One address and nothing else: no list, no comment, no second header. */
function address(text: string, what: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  if (/^[^\u0000-\u0020\u007f\s<>()[\]\\,;:"@]+@[^\u0000-\u0020\u007f\s<>()[\]\\,;:"@]+$/.test(text)) return text
  throw new ConnectorError(
    'rejected',
    `${what} ${JSON.stringify(text.slice(0, 80))} is not one e-mail address; correct it`,
  )
}
