/** The vendor call that shows something in a chat tool, and what its receipt means. */
import type { LoadedConnection } from '#hub/connections/index.ts'
import type { Context, Receipt } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { nothingToDo, type VendorCall } from '#hub/delivery/vendor-call.ts'
import type { ChatShow } from '#hub/outbox/action.ts'
import type { Db } from '#hub/platform/db/database.ts'
import { type DrawHub, type Drawn, draw } from './draw.ts'
import * as store from './store.ts'

/** @param entry of the outbox; `attempts` before this one. @throws ConnectorError when it cannot be drawn for this place. */
export async function chatCall(
  hub: DrawHub,
  connection: LoadedConnection,
  show: ChatShow,
  context: Context<unknown>,
  entry: { readonly key: string; readonly attempts: number },
): Promise<VendorCall | undefined> {
  const { chat } = connection.connector.can
  if (!chat) return undefined
  const { key } = entry
  const drawn = await draw(hub, connection, show, context, entry)
  // Nothing has changed, or there is nobody to see it any more.
  if (!drawn) return nothingToDo
  const { place, content, post, isTrial } = drawn
  const note = (state: 'open' | 'gone') =>
    store.saveChannels(hub.db, [{ connectionId: connection.id, channel: place.channel, state }], hub.now())
  const find = chat.find && (() => chat.find?.(context, place, key) ?? Promise.resolve(undefined))
  const posting: VendorCall = {
    effect: chat.effects.post,
    async run() {
      try {
        const receipt = await chat.post(context, withoutMessage(drawn), content, key)
        if (isTrial) await note('open')
        return toReceipt(receipt, drawn)
      } catch (error) {
        if (!isGone(error) || place.thread !== undefined) throw error
        // The app was taken out of the channel, or it was archived: told once, and nothing waits for it.
        await note('gone')
        // Where the card stands is known again once the app is back.
        if (post?.standing) await store.savePost(hub.db, post.standing, hub.now())
        const { log } = connection.door
        if (!isTrial) log.warn({ err: error, channel: place.channel }, 'a channel cannot be reached any more')
        return {}
      }
    },
    ...(find ? { find: async () => seen(await find(), drawn) } : {}),
  }
  if (!post?.standing) return posting
  return {
    effect: chat.effects.update,
    async run() {
      try {
        return toReceipt(await chat.update(context, place, content, key), drawn)
      } catch (error) {
        if (!isGone(error) || !post.standing) throw error
        // Somebody deleted it there: it is put up again.
        await store.forgetPost(hub.db, post.standing)
        return await posting.run()
      }
    },
  }
}

function isGone(error: unknown): boolean {
  return error instanceof ConnectorError && error.code === 'not_found'
}

function withoutMessage({ place: { message: _message, ...place } }: Drawn) {
  return place
}

/** `version` is the look of it: the next one with the same is not sent. */
function toReceipt(receipt: Receipt, { place, post, look = post?.digest }: Drawn): Receipt {
  return { ...receipt, place: { ...place, ...receipt.place }, ...(look === undefined ? {} : { version: look }) }
}

function seen(found: Receipt | 'unknown' | undefined, drawn: Drawn): Receipt | 'unknown' | undefined {
  return typeof found === 'object' ? toReceipt(found, drawn) : found
}

export interface ShownReceipt {
  readonly connectionId: string
  readonly show: ChatShow
  readonly receipt: Receipt
}

/** Where things stand now: so that they are brought up to date there, and what is said below them finds its case. */
export async function applyChatReceipts(trx: Db, shown: readonly ShownReceipt[], now: Date): Promise<void> {
  for (const { connectionId, show, receipt } of shown) {
    const { externalId: messageId, place, version: digest } = receipt
    if (place === undefined) continue
    const id = messageId ?? place.message
    if (id === undefined) continue
    const { channel } = place
    if (show.what === 'said') {
      const files = digest === undefined ? undefined : Number(digest)
      await store.saveChatMessage(trx, { connectionId, channel, messageId: id }, show.messageId, files)
    } else if (digest !== undefined) {
      const [cardKey, caseId] = keysOf(show)
      await store.savePost(trx, { connectionId, channel, cardKey, messageId: id, caseId, digest }, now)
    }
  }
}

function keysOf(show: Exclude<ChatShow, { what: 'said' }>): readonly [string, string | null] {
  switch (show.what) {
    case 'case':
      return [`case:${show.caseId}`, show.caseId]
    case 'approval':
      return [`approval:${show.approvalId}`, null]
    case 'survey':
      return [`survey:${show.invitationId}`, null]
    case 'notice':
      return [`notice:${show.key}`, show.caseId ?? null]
    case 'seat':
      return ['refusal:no_seat', null]
  }
}
