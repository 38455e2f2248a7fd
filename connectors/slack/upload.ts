/** Files beside a message: the bytes go first, then they are shown in its thread. */
import { z } from 'zod'
import type { OutFile } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { errorOfAnswer } from '#hub/connector/http-status.ts'
import { call, type Slack, type Workspace } from './client.ts'

const Anything = z.object({})

export interface UploadedFile {
  readonly id: string
  readonly title: string
}

export async function uploadAll(
  ctx: Slack,
  workspace: Workspace,
  files: readonly OutFile[],
): Promise<readonly UploadedFile[]> {
  const uploaded: UploadedFile[] = []
  for (const file of files) uploaded.push(await upload(ctx, workspace, file))
  return uploaded
}

/** https://docs.slack.dev/messaging/working-with-files#upload: an address is asked for, then the bytes go there. */
async function upload(
  ctx: Slack,
  workspace: Workspace,
  { name, contentType, content }: OutFile,
): Promise<UploadedFile> {
  const asked = { filename: name, length: content.length }
  const shape = z.object({ upload_url: z.string().min(1), file_id: z.string().min(1) })
  const { upload_url: url, file_id: id } = await call(ctx, workspace, 'files.getUploadURLExternal', asked, shape)
  const answer = await ctx.http.fetch(url, {
    method: 'POST',
    headers: { 'content-type': contentType || 'application/octet-stream' },
    body: content,
  })
  const error = errorOfAnswer(answer, 'POST of a file to Slack', ctx.now())
  if (error) throw error
  return { id, title: name }
}

/** A message without its files is half a message: it is taken back, and said anew as a whole. */
export async function share(
  ctx: Slack,
  workspace: Workspace,
  { channel, thread, ts }: { readonly channel: string; readonly thread: string; readonly ts: string },
  files: readonly UploadedFile[],
): Promise<void> {
  if (files.length === 0) return
  try {
    const args = { files, channel_id: channel, thread_ts: thread }
    await call(ctx, workspace, 'files.completeUploadExternal', args, Anything)
  } catch (error) {
    // Lost answers are not taken back: the files may be there.
    if (!(error instanceof ConnectorError) || error.code === 'outcome_unknown') throw error
    await call(ctx, workspace, 'chat.delete', { channel, ts }, Anything).catch((cause: unknown) => {
      ctx.log.warn({ err: cause, channel, message: ts }, 'a reply whose files could not be shown still stands')
    })
    throw error
  }
}
