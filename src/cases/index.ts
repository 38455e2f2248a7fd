/**
 * In: what vendors say about cases and messages, and changes the hub wants. Out: the hub's cases, their links, and the
 * domain events that tell what changed. Never here: who a person is, or what follows from an event.
 */
export { type CaseBook, contentHash, createCaseBook, eventId, type LinkState } from './book.ts'
export { type CaseInBrief, casesInBrief, eventBy } from './brief.ts'
export type { DomainEvent, EventType } from './event.ts'
export { type CaseState, type Fields, read, tagSet, withCustom } from './fields.ts'
export { namedCases, noteGuests } from './named-cases.ts'
export { applyReceipts } from './receipts.ts'
export { appendEvents, type CaseRef, linkedCases, loadBook, noteOutgoing, saveBook } from './store.ts'
export { createThreads, otherMessageId, type Placement } from './threads.ts'
