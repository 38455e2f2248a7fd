/** Answers one person in a chat tool: in the response where they wait for it, else right after it. */
import type { LoadedConnection } from '#hub/connections/index.ts'
import type { ChatHappening } from '#hub/connector/chat.ts'
import type { Reply } from '#hub/connector/contract.ts'
import type { Hub } from '#hub/hub.ts'
import type { InboxItem } from '#hub/inbox/index.ts'

export interface ChatDesk {
  /**
   * @param isNew false for what was seen before.
   * @param withinMs how long an answer in the response may take.
   * @param send called once, as soon as the response is known.
   */
  respond(
    connection: LoadedConnection,
    item: { readonly stored: InboxItem; readonly happening?: ChatHappening },
    isNew: boolean,
    withinMs: number,
    send: (reply: Reply) => void,
  ): Promise<void>
}

export function createChatDesk(hub: Pick<Hub, 'log' | 'now' | 'db' | 'connections'>): ChatDesk {
  return {
    async respond({ config, connector: { can } }, { stored }, _isNew, _withinMs, send) {
      if (!can.chat) return
      send(can.chat.reply({ key: stored.key, body: stored.body.toString('utf8') }, undefined, { config, now: hub.now }))
    },
  }
}
