/** What the hub says to customers by mail. Notes for colleagues never leave: mail has no place that only they can see. */
import type { CaseDraft, Found, OutMessage, Receipt } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { composeFirst, composeReply, type Mail } from './compose.ts'
import type { Mailbox } from './imap.ts'
import { rawOf, sendMail } from './send.ts'
import { appendSent, findSent } from './sent.ts'
import { caseIdOf, messageIdFor } from './signed-address.ts'

/** A new thread. @throws ConnectorError rejected, and as `sendMail` */
export async function create(ctx: Mailbox, draft: CaseDraft, key: string): Promise<Receipt> {
  const mail = composeFirst(ctx.config, draft, key, ctx.now())
  await deliver(ctx, mail)
  return { externalId: mail.caseId }
}

/** @throws ConnectorError rejected, and as `sendMail` */
export async function message(ctx: Mailbox, caseId: string, out: OutMessage, key: string): Promise<Receipt> {
  if (out.visibility === 'internal') return {}
  const mail = composeReply(ctx.config, caseId, out, key, ctx.now())
  await deliver(ctx, mail)
  return { externalId: mail.messageId }
}

/** A mail has no fields; the hub keeps status, tags and the like for itself. */
export async function update(): Promise<Receipt> {
  throw new ConnectorError('rejected', 'a mail has no fields to write; the hub keeps those of mail cases itself')
}

/**
 * A mail whose answer was lost is in the folder for sent mail, or nobody can tell: most servers keep only what we put there
 * ourselves afterwards.
 */
export async function find(
  ctx: Mailbox,
  call: 'create' | 'update' | 'message',
  caseId: string,
  key: string,
): Promise<Found> {
  const id = call === 'create' ? caseIdOf(ctx.config, key) : caseId
  const messageId = messageIdFor(ctx.config, id, key)
  if (!(await findSent(ctx, messageId))) return 'unknown'
  return { externalId: call === 'create' ? id : messageId }
}

async function deliver(ctx: Mailbox, mail: Mail): Promise<void> {
  const raw = await rawOf(mail)
  await sendMail(ctx, mail, raw)
  try {
    await appendSent(ctx, raw)
  } catch (error) {
    // The mail is on its way: a copy that cannot be kept must not make it look unsent.
    const { caseId, messageId } = mail
    ctx.log.warn(
      { err: error, case: caseId, message_id: messageId },
      'a sent mail could not be kept in the Sent folder',
    )
  }
}
