/** Files of messages, kept in HubSpot's file manager. https://developers.hubspot.com/docs/api-reference/latest/files */
import type { OutFile } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { type Hubspot, upload } from './client.ts'
import { apiVersion } from './config.ts'
import { WireFile } from './wire.ts'

/** What is in memory at once; HubSpot takes more. */
export const takesFiles = { maxBytes: 50 * 1024 * 1024 }

export interface Kept {
  readonly ids: readonly string[]
  /** Names of those that HubSpot does not take from this app. */
  readonly refused: readonly string[]
}

export async function keepFiles(ctx: Hubspot, files: readonly OutFile[] = [], key: string): Promise<Kept> {
  const ids: string[] = []
  const refused: string[] = []
  for (const file of files) {
    try {
      ids.push((await upload(ctx, WireFile, `/files/${apiVersion}/files`, formOf(file, key))).id)
    } catch (error) {
      // An app without the scope `files` can still say what there is to say; one without any access fails right after.
      const isRefused = error instanceof ConnectorError && ['auth_failed', 'rejected'].includes(error.code)
      if (!isRefused) throw error
      refused.push(file.name)
    }
  }
  return { ids, refused }
}

/** RFC 7578. With a boundary that is the same at each attempt. */
function formOf({ name, contentType, content }: OutFile, key: string): { contentType: string; body: Uint8Array } {
  const boundary = `deskweave-${key}`
  const part = (disposition: string, more = '') =>
    `--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n${more}\r\n`
  const head = [
    `${part('name="options"')}{"access":"PRIVATE"}\r\n`,
    `${part('name="folderPath"')}/deskweave\r\n`,
    part(`name="file"; filename="${inQuotes(name)}"`, `Content-Type: ${oneLine(contentType)}\r\n`),
  ].join('')
  const body = Buffer.concat([Buffer.from(head), content, Buffer.from(`\r\n--${boundary}--\r\n`)])
  return { contentType: `multipart/form-data; boundary=${boundary}`, body }
}

/** As browsers write it. https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data */
function inQuotes(name: string): string {
  return oneLine(name).replaceAll('"', '%22')
}

function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]+/g, ' ')
}
