/** Whether both servers take the settings, before a connection is saved. */
import { type Mailbox, openFolder, withImap } from './imap.ts'
import { checkSmtp } from './send.ts'

/** Signs in to both servers and opens the folders; changes and sends nothing. @throws ConnectorError in plain words. */
export async function check(ctx: Mailbox): Promise<{ readonly account: string }> {
  const { address, folder, sent_folder } = ctx.config
  await withImap(ctx, async (client) => {
    await openFolder(ctx, client, folder)
    if (sent_folder !== undefined) await openFolder(ctx, client, sent_folder)
  })
  await checkSmtp(ctx)
  return { account: address }
}
