/**
 * In: a case, a customer, an agent, a search, by id. Out: cards and forms as pure data, in the reader's language.
 * Never here: a vendor's way to draw them; a change to a case; an internal word where a customer reads.
 */
export { acts, joinValue, readingActs, splitValue } from './acts.ts'
export { caseCard } from './case-card.ts'
export { customerCard } from './customer-card.ts'
export {
  assignForm,
  categoryForm,
  claimSeatForm,
  confirmReplyForm,
  createCaseForm,
  mergeForm,
  noteForm,
  replyForm,
  resolveForm,
  searchForm,
  tagsForm,
} from './forms.ts'
export { caseResult, queueCard, searchCard, similarCard } from './list-cards.ts'
export { findCase, loadCase, loadQueue, loadSearch, loadSimilar } from './load.ts'
export { loadCustomer } from './load-customer.ts'
export { loadWhy } from './load-why.ts'
export {
  drawingWords,
  fill,
  type Messages,
  messagesIn,
  type Refusal,
  type ResolveReason,
  resolveReasons,
} from './messages/index.ts'
export type { ShownApproval, ShownCase, ShownMessage } from './shown.ts'
export { approvalCard, helpCard, noticeCard, refusalCard, surveyCard } from './small-cards.ts'
export { namesOfRules } from './store.ts'
export { whyCard } from './why-card.ts'
