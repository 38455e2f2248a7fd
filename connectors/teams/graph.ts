/**
 * Microsoft Graph, for what the Bot Connector does not tell: what is attached to a message, and where files lie. With the
 * bot's own registration; what it may is granted by consent of a team (RSC) or by an administrator.
 */
import { z } from 'zod'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { Teams } from './client.ts'
import { endpointsOf } from './config.ts'
import { teamsError } from './errors.ts'
import { parsed } from './parsed.ts'
import { forgetToken, tokenOf } from './token.ts'

interface Put {
  readonly body: Uint8Array
  readonly contentType: string
}

/** @param path each id in it encoded. @throws ConnectorError, `rejected` for what the app has no permission for */
export async function askGraph<T extends z.ZodType>(
  ctx: Teams,
  path: string,
  shape: T,
  put?: Put,
): Promise<z.output<T>> {
  const url = new URL(`${endpointsOf(ctx.config).graph}${path}`)
  const first = await call(ctx, url, put)
  // What was done with a token that is no longer good was not done.
  const answer = first.status === 401 ? await call(ctx, url, put) : first
  const text = await answer.text()
  const place = `${put ? 'PUT' : 'GET'} ${url.host}${url.pathname}`
  const error = teamsError(answer, text, place, ctx.now())
  if (error && answer.status === 403) {
    throw new ConnectorError(
      error.code,
      `${error.message}; the app lacks a permission: see "Files" in the guide to Teams`,
    )
  }
  if (error) throw error
  const read = shape.safeParse(parsed(text))
  if (read.success) return read.data
  throw new ConnectorError('malformed', `${place}: an unknown shape: ${z.prettifyError(read.error)}`)
}

/** By a budget of its own: where Graph asks to wait, cards and answers do not. */
async function call(ctx: Teams, url: URL, put: Put | undefined): Promise<Response> {
  const authorization = `Bearer ${await tokenOf(ctx, 'graph')}`
  const headers = { authorization, accept: 'application/json', ...(put ? { 'content-type': put.contentType } : {}) }
  const answer = await ctx.http.fetch(url, {
    headers,
    ...(put ? { method: 'PUT', body: put.body } : {}),
    ...filesBudget(url),
  })
  if (answer.status === 401 || answer.status === 403) forgetToken(ctx, 'graph')
  return answer
}

/** What is asked of Graph and SharePoint, each counted by itself. */
export const filesBudget = ({ host }: URL) => ({ budget: 'files', budgetKey: host })
