/** The contents of a message's files, fetched from the tool that told of them when the message leaves. */
import type { Capabilities, OutFile, OutMessage } from '#hub/connector/contract.ts'
import { ConnectorError, reaction } from '#hub/connector/errors.ts'
import type { Attachment } from '#hub/connector/facts.ts'

/** They are in memory while the message leaves. */
const maxFileBytes = 20 * 1024 * 1024
const maxFiles = 10
/** Then the message goes without them: a file that cannot be had must not keep back what was said. */
const triesForFiles = 3

/** @throws ConnectorError */
export type ReadFile = (file: Attachment, maxBytes: number) => Promise<Uint8Array>

type TakesFiles = NonNullable<Capabilities<unknown>['writeCase']>['takesFiles']

/**
 * What is too large, too many or cannot be read is named in the text.
 * @param attempts of the delivery so far, from 0.
 * @throws ConnectorError unavailable while the files' own tool cannot be asked
 */
export async function withItsFiles(
  message: OutMessage,
  takesFiles: TakesFiles,
  read: ReadFile,
  attempts: number,
): Promise<OutMessage> {
  const { attachments = [], ...rest } = message
  if (attachments.length === 0) return message
  const shown = (file: Attachment) => (message.visibility === 'public' && file.isInternal ? withoutUrl(file) : file)
  if (!takesFiles) return { ...message, attachments: attachments.map(shown) }
  const files: OutFile[] = []
  const left: Attachment[] = []
  let roomBytes = takesFiles.maxBytes
  for (const file of attachments) {
    const limitBytes = Math.min(maxFileBytes, roomBytes)
    const isTooMuch = files.length === maxFiles || (file.sizeBytes ?? 0) > limitBytes || limitBytes <= 0
    const content = isTooMuch ? undefined : await contentOf(file, limitBytes, read, attempts + 1 < triesForFiles)
    if (!content || content.length > limitBytes) {
      left.push(file)
      continue
    }
    roomBytes -= content.length
    const { name, contentType = 'application/octet-stream', url } = shown(file)
    files.push({ name, contentType, content, ...(url === undefined ? {} : { url }) })
  }
  const named =
    left.length > 0 ? withLine(rest, `Files not sent: ${left.map((file) => nameOf(shown(file))).join(', ')}`) : rest
  if (files.length === 0) return named
  return { ...named, files, ...(attempts + 1 < triesForFiles ? { filesMayWait: true } : {}) }
}

async function contentOf(
  file: Attachment,
  limitBytes: number,
  read: ReadFile,
  mayWait: boolean,
): Promise<Uint8Array | undefined> {
  try {
    return await read(file, limitBytes)
  } catch (error) {
    if (!(error instanceof ConnectorError)) throw error
    const isPassing = reaction[error.code] === 'retry' || reaction[error.code] === 'resolve_unknown'
    if (!isPassing || !mayWait) return undefined
    const wait = error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }
    throw new ConnectorError('unavailable', `the file "${file.name}" cannot be read now: ${error.message}`, wait)
  }
}

const withoutUrl = ({ url: _, ...file }: Attachment): Attachment => file

function nameOf({ name, url }: Attachment): string {
  return url === undefined ? name : `${name} (${url})`
}

function withLine(message: OutMessage, line: string): OutMessage {
  const text = message.text === '' ? line : `${message.text}\n\n${line}`
  return { ...message, text, ...(message.html === undefined ? {} : { html: `${message.html}<p>${escaped(line)}</p>` }) }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
