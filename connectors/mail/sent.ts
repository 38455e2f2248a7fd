/**
 * The folder for sent mail: which of our mails is there, and a copy for servers that keep none. Gmail and Microsoft keep what is
 * sent through them; others keep what the mail program puts there, which here is us.
 */
import type { ImapFlow } from 'imapflow'
import { type Mailbox, openFolder, sentFolder, withImap } from './imap.ts'

/** @param messageId with its angle brackets. @throws ConnectorError as `openImap` */
export async function findSent(ctx: Mailbox, messageId: string): Promise<boolean> {
  return withImap(ctx, async (client) => {
    const path = await sentFolder(ctx, client)
    return path !== undefined && (await isThere(ctx, client, path, messageId))
  })
}

/**
 * Keeps a copy of a mail that was sent, once however often it is called.
 * @param raw the mail as it was sent. @returns whether a copy was put there now. @throws ConnectorError as `openImap`
 */
export async function appendSent(ctx: Mailbox, raw: Buffer): Promise<boolean> {
  return withImap(ctx, async (client) => {
    const path = keepsItself(client) ? undefined : await sentFolder(ctx, client)
    if (path === undefined) return false
    const messageId = messageIdOf(raw)
    if (messageId !== undefined && (await isThere(ctx, client, path, messageId))) return false
    // A folder that is open read-only takes no flags.
    await client.mailboxClose()
    await client.append(path, raw, ['\\Seen'])
    return true
  })
}

function keepsItself(client: ImapFlow): boolean {
  const isGmail = client.capabilities.has('X-GM-EXT-1')
  return isGmail || /Microsoft Exchange/i.test(client.greeting || '')
}

async function isThere(ctx: Mailbox, client: ImapFlow, path: string, messageId: string): Promise<boolean> {
  await openFolder(ctx, client, path)
  const found = (await client.search({ header: { 'Message-ID': messageId } }, { uid: true })) || []
  // The server looks for the text anywhere in the header.
  for (const uid of found.slice(-10)) {
    const message = await client.fetchOne(String(uid), { uid: true, envelope: true }, { uid: true })
    if (message && message.envelope?.messageId?.trim() === messageId) return true
  }
  return false
}

function messageIdOf(raw: Buffer): string | undefined {
  const end = raw.indexOf('\r\n\r\n')
  const headers = raw.subarray(0, end < 0 ? undefined : end).toString('latin1')
  return /^message-id:\s*(<[^<>\s]+>)/im.exec(headers)?.[1]
}
