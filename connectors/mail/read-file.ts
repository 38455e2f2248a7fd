/** A file of a mail, read where the mail lies. Files of a mail that was moved to another folder are gone for us. */
import type { ImapFlow } from 'imapflow'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { Attachment } from '#hub/connector/facts.ts'
import { type Mailbox, maxMessageBytes, openFolder, sentFolder, withImap } from './imap.ts'
import { readPart } from './parse.ts'

interface Place {
  readonly path: string
  readonly uidvalidity: string
  readonly uid: string
  readonly part: string
}

/** @throws ConnectorError not_found, rejected, and as `openImap` */
export async function readFile(ctx: Mailbox, file: Attachment, maxBytes: number): Promise<Uint8Array> {
  const place = placeIn(ctx, file)
  // Its size is left out where the mail was too large to be read to its end.
  if (file.sizeBytes === undefined || file.sizeBytes > maxBytes) {
    const why = file.sizeBytes === undefined ? 'was not read to its end' : `has more than ${maxBytes} bytes`
    throw new ConnectorError('rejected', `the mail's file "${file.name}" ${why}`)
  }
  const raw = await withImap(ctx, async (client) => await sourceOf(ctx, client, place))
  const content = raw && (await readPart(raw, place.part, ctx.signal))
  if (!content) throw gone(file)
  if (content.length > maxBytes) {
    throw new ConnectorError('rejected', `the mail's file "${file.name}" has more than ${maxBytes} bytes`)
  }
  return content
}

/** As `parse.ts` names files: the mailbox, the folder, its generation, the mail in it, the part of the mail. */
function placeIn({ config }: Mailbox, file: Attachment): Place {
  const id = file.id ?? ''
  const own = `${config.address}|`
  const [, path, uidvalidity, uid, part] = /^(.+)\|(\d+)\|(\d+)\|([^|]+)$/.exec(id.slice(own.length)) ?? []
  if (!id.startsWith(own) || !path || !uidvalidity || !uid || !part) throw gone(file)
  return { path, uidvalidity, uid, part }
}

async function sourceOf(ctx: Mailbox, client: ImapFlow, place: Place): Promise<Buffer | undefined> {
  const { path, uidvalidity, uid } = place
  if (path !== ctx.config.folder && path !== (await sentFolder(ctx, client))) return undefined
  const folder = await openFolder(ctx, client, path)
  if (String(folder.uidValidity) !== uidvalidity) return undefined
  const head = await client.fetchOne(uid, { uid: true, size: true }, { uid: true })
  if (!head || (head.size ?? 0) > maxMessageBytes) return undefined
  const message = await client.fetchOne(uid, { uid: true, source: true }, { uid: true })
  return (message || undefined)?.source
}

function gone({ name }: Attachment): ConnectorError {
  return new ConnectorError('not_found', `the mail's file "${name}" is not in the mailbox any more`)
}
