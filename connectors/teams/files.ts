/** Files that people put into a conversation. */
import { ConnectorError } from '#hub/connector/errors.ts'
import type { Attachment } from '#hub/connector/facts.ts'
import { fetchFile } from '#hub/connector/file.ts'
import type { Teams } from './client.ts'
import { isEmulator, isService } from './config.ts'
import { tokenOf } from './token.ts'

/**
 * A file lies in SharePoint under an address that needs no token and is good for a short time; a picture lies at Teams itself
 * and is shown to the bot only. No other address gets the token, and the guarded door calls no other at all.
 */
export async function readFile(ctx: Teams, file: Attachment, maxBytes: number): Promise<Uint8Array> {
  const url = URL.parse(file.url ?? '')
  if (!url) throw new ConnectorError('rejected', `teams file "${file.name}": it has no address that can be read`)
  const isPicture = isService(url.origin, ctx.config) && !isEmulator(url.origin, ctx.config)
  if (isPicture)
    return await fetchFile(ctx, url, { headers: { authorization: `Bearer ${await tokenOf(ctx)}` }, maxBytes })
  return await fetchFile(ctx, url, { maxBytes }).catch((error: unknown) => {
    // Nobody's credentials are wrong: the address has run out, or it was one for people who are signed in.
    if (!(error instanceof ConnectorError) || error.code !== 'auth_failed') throw error
    throw new ConnectorError('not_found', `${error.message} (the file's address is good for a short time only)`)
  })
}
