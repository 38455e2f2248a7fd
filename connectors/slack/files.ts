/** Files that people put into Slack, fetched with the token of the workspace that sees them. */
import { z } from 'zod'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { Attachment } from '#hub/connector/facts.ts'
import { errorOfAnswer } from '#hub/connector/http-status.ts'
import { call, type Slack, type Workspace } from './client.ts'
import { apiUrl } from './config.ts'
import { SlackRefusal } from './errors.ts'
import { spokenIn } from './phrases.ts'
import { FilesAt, seenFiles, toldFiles } from './told-files.ts'
import { WireFile } from './wire-event.ts'
import { workspaceFor } from './workspaces.ts'

/** Slack's own: what lies elsewhere (a link to another company's drive) must not get the token. */
const filesHost = 'files.slack.com'

const WireFileInfo = z.object({ file: WireFile })

/** What is in a shared channel is named for those alone who ask. What cannot be had any more is left out. @throws ConnectorError */
export async function filesOf(ctx: Slack, at: string): Promise<readonly Attachment[]> {
  const where = FilesAt.safeParse(jsonOrNothing(at)).data
  if (!where) throw new ConnectorError('rejected', 'Slack: a message whose files are wanted is named in an unknown way')
  const workspace = await workspaceFor(ctx, where)
  const { named, heldBack } = toldFiles(await Promise.all(where.files.map((id) => infoOf(ctx, workspace, id))))
  return [...named, ...seenFiles(heldBack, spokenIn(ctx.config, where.channel).attachment)]
}

/** @throws ConnectorError rejected when it is larger than `maxBytes` or lies elsewhere, not_found when it is gone */
export async function readFile(ctx: Slack, file: Attachment, maxBytes: number): Promise<Uint8Array> {
  let why = new ConnectorError('not_found', `file "${file.name}": it is gone, or the app may not see it`)
  for (const workspace of await workspacesFor(ctx, file)) {
    const told = file.url === undefined ? await askedFor(ctx, workspace, file) : file
    if (told?.url === undefined) continue
    if (told.sizeBytes !== undefined && told.sizeBytes > maxBytes) throw tooLarge(told, maxBytes)
    if (!isSlacks(told.url, ctx)) throw new ConnectorError('rejected', `file "${file.name}": it does not lie at Slack`)
    const answer = await ctx.http.fetch(told.url, { headers: { authorization: `Bearer ${workspace.token}` }, maxBytes })
    const error = errorOfAnswer(answer, `GET of the file ${file.id ?? ''}`, ctx.now())
    if (error) throw error
    if (isSignIn(answer, told)) {
      why = new ConnectorError(
        'rejected',
        `file "${file.name}": Slack asks to sign in; does the app have the scope files:read?`,
      )
      continue
    }
    const bytes = new Uint8Array(await answer.arrayBuffer())
    if (bytes.length > maxBytes) throw tooLarge(told, maxBytes)
    return bytes
  }
  throw why
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

async function askedFor(ctx: Slack, workspace: Workspace, { id, name }: Attachment): Promise<Attachment | undefined> {
  if (!id) throw new ConnectorError('rejected', `file "${name}": Slack gave neither an address nor an id`)
  return toldFiles([await infoOf(ctx, workspace, id)]).named[0]
}

/** @returns undefined for a file that is gone, or is not for this workspace */
async function infoOf(ctx: Slack, workspace: Workspace, id: string): Promise<WireFile | undefined> {
  try {
    return (await call(ctx, workspace, 'files.info', { file: id }, WireFileInfo)).file
  } catch (error) {
    if (error instanceof SlackRefusal && notToBeHad.has(error.error)) return undefined
    throw error
  }
}
/** The first is said of files of Slack Connect: the token itself is good. */
const notToBeHad = new Set(['access_denied', 'file_deleted', 'file_not_found'])

function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
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
