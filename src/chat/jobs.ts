/** What the chat room does by itself from time to time. */
import { z } from 'zod'
import type { Hub } from '#hub/hub.ts'
import { forgetDrafts } from './store.ts'

const keepDraftsMs = 7 * 24 * 3_600_000

/** Registers the room's jobs. Call it before the queue starts. */
export async function defineChatJobs(hub: Pick<Hub, 'db' | 'now' | 'queue'>): Promise<void> {
  await hub.queue.define('chat.forget-drafts', z.object({}), async () => {
    await forgetDrafts(hub.db, new Date(hub.now().getTime() - keepDraftsMs))
  })
  await hub.queue.schedule('chat.forget-drafts', { everySeconds: 3600 })
}
