/**
 * In: what happened in a chat tool, what changed on a case. Out: answers within their time; commands on cases, under the name
 * of the agent who gave them; cards that stand in channels and are kept up to date. Never here: a vendor's way to draw or to
 * send; an internal word where a customer reads.
 */
export { applyChatReceipts, chatCall } from './call.ts'
export { type ChatDesk, createChatDesk } from './desk.ts'
export { followInChat, refreshCards } from './follow.ts'
export { isRead } from './happenings.ts'
export { defineChatJobs } from './jobs.ts'
export { chatPageRouter } from './page.ts'
export { meet } from './people.ts'
export { goneAmong } from './store.ts'
export { carryOut, saveWritten } from './wishes.ts'
export { type ChatStep, readChat } from './work.ts'
