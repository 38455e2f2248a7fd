/** Files that people put into Slack, fetched with the token of the workspace that sees them. */
import { z } from 'zod'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { Attachment } from '#hub/connector/facts.ts'
import { errorOfAnswer } from '#hub/connector/http-status.ts'
import { call, type Slack, type Workspace } from './client.ts'
import { apiUrl } from './config.ts'
import { workspaceFor } from './workspaces.ts'

/** Slack's own: what lies elsewhere (a link to another company's drive) must not get the token. */
const filesHost = 'files.slack.com'

const WireFileInfo = z.object({
  file: z.object({ url_private_download: z.string().nullish(), url_private: z.string().nullish() }),
})

/** @throws ConnectorError rejected when it is larger than `maxBytes` or lies elsewhere, not_found when it is gone */
export async function readFile(ctx: Slack, file: Attachment, maxBytes: number): Promise<Uint8Array> {
  if (file.sizeBytes !== undefined && file.sizeBytes > maxBytes) throw tooLarge(file, maxBytes)
  for (const workspace of await workspacesFor(ctx, file)) {
    const url = file.url ?? (await addressOf(ctx, workspace, file))
    if (!isSlacks(url, ctx)) throw new ConnectorError('rejected', `file "${file.name}": it does not lie at Slack`)
    const answer = await ctx.http.fetch(url, { headers: { authorization: `Bearer ${workspace.token}` }, maxBytes })
    const error = errorOfAnswer(answer, `GET of the file ${file.id ?? ''}`, ctx.now())
    if (error) throw error
    if (isSignIn(answer, file)) continue
    const bytes = new Uint8Array(await answer.arrayBuffer())
    if (bytes.length > maxBytes) throw tooLarge(file, maxBytes)
    return bytes
  }
  throw new ConnectorError(
    'rejected',
    `file "${file.name}": Slack asks to sign in; does the app have the scope files:read?`,
  )
}

/** To a token that may not read it Slack answers 200, with a page for people. */
function isSignIn({ headers }: Response, { contentType }: Attachment): boolean {
  return headers.get('content-type')?.startsWith('text/html') === true && !contentType?.startsWith('text/html')
}

/** A file of a shared channel bears the name of the company that it comes from, and is read with the token of another one. */
async function workspacesFor(ctx: Slack, { url }: Attachment): Promise<readonly Workspace[]> {
  const all = await ctx.installations.list()
  if (all.length < 2) return [await workspaceFor(ctx, {})]
  const [, owner] = /\/files-pri\/([TE][A-Z0-9]+)-/.exec(url ?? '') ?? []
  const keys = all.map(({ key }) => key).sort((a, b) => Number(b === owner) - Number(a === owner))
  return await Promise.all(keys.map((reference) => workspaceFor(ctx, { reference })))
}

async function addressOf(ctx: Slack, workspace: Workspace, { id, name }: Attachment): Promise<string> {
  if (!id) throw new ConnectorError('rejected', `file "${name}": Slack gave neither an address nor an id`)
  const { file } = await call(ctx, workspace, 'files.info', { file: id }, WireFileInfo)
  const url = file.url_private_download ?? file.url_private
  if (!url) throw new ConnectorError('not_found', `file "${name}": it is gone`)
  return url
}

function isSlacks(text: string, { config }: Slack): boolean {
  const url = URL.parse(text)
  if (!url) return false
  return (
    url.origin === `https://${filesHost}` ||
    (config.api_base !== undefined && url.origin === new URL(apiUrl(config)).origin)
  )
}

function tooLarge({ name, sizeBytes }: Attachment, maxBytes: number): ConnectorError {
  return new ConnectorError('rejected', `file "${name}" has ${sizeBytes ?? 'more'} bytes; ${maxBytes} may be carried`)
}
