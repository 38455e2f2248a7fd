/** Files of comments, both ways. https://developer.zendesk.com/api-reference/ticketing/tickets/ticket-attachments/ */
import type { Http, OutFile } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { Attachment } from '#hub/connector/facts.ts'
import { fetchFile } from '#hub/connector/file.ts'
import { read, send, type Zendesk } from './client.ts'
import { apiBase } from './config.ts'
import { signed } from './token.ts'
import { WireAttachmentRead, WireUploaded } from './wire.ts'

/** A file may have 50 MB; all of a message's are in memory at once. */
export const takesFiles = { maxBytes: 50 * 1024 * 1024 }

/** @returns the tokens by which a comment takes them; Zendesk forgets what no comment has taken in an hour. */
export async function upload(ctx: Zendesk, files: readonly OutFile[] = []): Promise<readonly string[]> {
  const tokens: string[] = []
  for (const { name, contentType, content } of files) {
    const body = { content, contentType }
    const { upload } = await send(ctx, WireUploaded, 'POST', '/uploads', { filename: name }, body)
    tokens.push(upload.token)
  }
  return tokens
}

/**
 * The attachment is asked for anew: it tells whether Zendesk's scan has found it clean. Its address answers with a redirect
 * to a signed one on the hosts where Zendesk keeps files, which gets no token.
 * @throws ConnectorError rejected, unavailable while it is not scanned yet
 */
export async function readFile(ctx: Zendesk, file: Attachment, maxBytes: number): Promise<Uint8Array> {
  if (!file.id || !/^\d+$/.test(file.id)) {
    throw new ConnectorError('not_found', `zendesk file "${file.name}": an attachment id has digits only`)
  }
  const { attachment } = await read(ctx, WireAttachmentRead, `/attachments/${file.id}`, {})
  refuseUnclean(file.name, attachment.malware_scan_result ?? 'malware_not_found')
  if ((attachment.size ?? 0) > maxBytes) {
    throw new ConnectorError('rejected', `zendesk file "${file.name}" has more than ${maxBytes} bytes`)
  }
  const own = new URL(apiBase(ctx.config))
  const url = URL.parse(attachment.content_url ?? '')
  if (url?.origin !== own.origin) {
    throw new ConnectorError('host_refused', `zendesk file "${file.name}" is at ${url?.host}, not at ${own.host}`)
  }
  return await fetchFile({ now: ctx.now, http: signedAt(ctx, url) }, url, {
    maxBytes,
    mayFollow: ({ origin, protocol, hostname }) =>
      origin === own.origin || (protocol === 'https:' && hostname.endsWith('.zdusercontent.com')),
  })
}

/** Signs the calls to this address alone, so that where it leads gets no token. */
function signedAt(ctx: Zendesk, url: URL): Http {
  return {
    ...ctx.http,
    fetch(one, init) {
      if (new URL(one).href !== url.href) return ctx.http.fetch(one, init)
      return signed(ctx, (authorization) =>
        ctx.http.fetch(one, { ...init, headers: { ...init?.headers, authorization } }),
      )
    },
  }
}

function refuseUnclean(name: string, scan: string): void {
  if (scan === 'malware_not_found') return
  const code = scan === 'not_scanned' ? 'unavailable' : 'rejected'
  throw new ConnectorError(code, `zendesk file "${name}": Zendesk's scan says ${scan.slice(0, 40)}`)
}
