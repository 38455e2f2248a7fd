/** Files that the desk tells of by their addresses. */
import type { Context } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { Attachment } from '#hub/connector/facts.ts'
import { fetchFile } from '#hub/connector/file.ts'
import { signStandardWebhook } from '#hub/connector/hmac.ts'
import type { DeskConfig } from './config.ts'

/** The desk's own host comes first; what it says elsewhere decides nothing about where the hub may call. */
export function fileHosts({ answers_url, file_hosts = [] }: Pick<DeskConfig, 'answers_url' | 'file_hosts'>): string[] {
  return [...(answers_url === undefined ? [] : [new URL(answers_url).host]), ...file_hosts]
}

/** @throws ConnectorError host_refused, rejected */
export async function readFile(ctx: Context<DeskConfig>, file: Attachment, maxBytes: number): Promise<Uint8Array> {
  const url = URL.parse(file.url ?? '')
  if (!url) throw new ConnectorError('not_found', `desk file "${file.name}" has no address`)
  if (!fileHosts(ctx.config).includes(url.host)) {
    const why = 'the host is neither that of answers_url nor among file_hosts of this connection'
    throw new ConnectorError('host_refused', `desk file "${file.name}" is at ${url.host}: ${why}`)
  }
  return await fetchFile(ctx, url, { headers: proof(ctx, url), maxBytes })
}

/** The desk's own host may ask who fetches: signed as the hub's calls are, with an empty body. */
function proof({ config, now }: Context<DeskConfig>, url: URL): Record<string, string> {
  const { answers_url, answers_secret: secret } = config
  if (answers_url === undefined || secret === undefined || new URL(answers_url).origin !== url.origin) return {}
  return { ...signStandardWebhook({ id: `file_${url.pathname}`, sentAt: now(), body: '', secrets: [secret] }) }
}
