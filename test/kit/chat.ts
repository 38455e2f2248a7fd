/** A chat tool that takes everything and shows nothing, for tests of what the hub wants of one. */
import { z } from 'zod'
import { chatSettings } from '#hub/connector/chat.ts'
import { type Connector, defineConnector } from '#hub/connector/contract.ts'

/** @param id its folder's name; some rules name chat tools by theirs. */
export function chatTool(id: string): Connector {
  const config = z.strictObject(chatSettings)
  const tool = defineConnector({
    manifest: { id, name: id, docs: 'https://chat.example', hosts: [], limits: [] },
    config,
    check: async () => ({ account: id }),
    can: {
      chat: {
        settings: (settings) => settings,
        reply: () => ({ status: 200, headers: {}, body: '' }),
        show: async () => {},
        whoIs: async (_, user) => ({ id: user, kind: 'member' }),
        direct: async (_, user) => ({ channel: `D-${user}` }),
        post: async (_context, place) => ({ externalId: '1', place }),
        update: async () => ({}),
        effects: { post: 'keyed', update: 'keyed' },
      },
    },
  })
  return tool
}
