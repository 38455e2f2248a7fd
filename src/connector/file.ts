/** A file's contents over HTTP, for `readFile`. */
import type { Context } from './contract.ts'
import { ConnectorError } from './errors.ts'
import { errorOfAnswer } from './http-status.ts'

export interface FileRequest {
  /** Sent to `url` alone: what a redirect names gets none of them. */
  readonly headers?: Readonly<Record<string, string>>
  readonly maxBytes: number
  /** Which of the manifest's budgets it spends; `default` when absent. */
  readonly budget?: string
  readonly budgetKey?: string
  /** For vendors whose files are kept elsewhere: whether the one redirect that is followed may lead there. */
  readonly mayFollow?: (url: URL) => boolean
}

const redirects = [301, 302, 303, 307, 308]

/** @throws ConnectorError rejected when it has more than `maxBytes`; else as the status says */
export async function fetchFile(
  ctx: Pick<Context<unknown>, 'http' | 'now'>,
  url: URL,
  { headers = {}, mayFollow, ...request }: FileRequest,
): Promise<Uint8Array> {
  const { maxBytes } = request
  const first = await ask(ctx, url, { ...request, headers })
  if (!redirects.includes(first.status) || !mayFollow) return await bytesOf(ctx, url, first, maxBytes)
  const location = first.headers.get('location')
  const elsewhere = location === null ? null : URL.parse(location, url.href)
  if (!elsewhere || !mayFollow(elsewhere)) {
    const where = elsewhere?.host ?? 'nowhere'
    throw new ConnectorError('host_refused', `${place(url)} leads to ${where}, where this vendor keeps no files`)
  }
  return await bytesOf(ctx, elsewhere, await ask(ctx, elsewhere, { ...request, headers: {} }), maxBytes)
}

async function ask(
  { http }: Pick<Context<unknown>, 'http'>,
  url: URL,
  request: Omit<FileRequest, 'mayFollow'>,
): Promise<Response> {
  try {
    return await http.fetch(url, request)
  } catch (error) {
    // Any status is an answer there; what the door calls malformed is one that is too long.
    if (error instanceof ConnectorError && error.code === 'malformed') throw tooLarge(url, request.maxBytes)
    throw error
  }
}

async function bytesOf(
  { now }: Pick<Context<unknown>, 'now'>,
  url: URL,
  answer: Response,
  maxBytes: number,
): Promise<Uint8Array> {
  const error = errorOfAnswer(answer, place(url), now())
  if (error) throw error
  const content = new Uint8Array(await answer.arrayBuffer())
  if (content.length > maxBytes) throw tooLarge(url, maxBytes)
  return content
}

function tooLarge(url: URL, maxBytes: number): ConnectorError {
  return new ConnectorError('rejected', `${place(url)}: the file has more than ${maxBytes} bytes`)
}

/** A query may hold the key to the file. */
function place(url: URL): string {
  return `GET ${url.host}${url.pathname}`
}
