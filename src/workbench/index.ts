/**
 * In: a case, a customer, an agent, a search, by id. Out: cards and forms as pure data, in the reader's language.
 * Never here: a vendor's way to draw them; a change to a case; an internal word where a customer reads.
 */
export { acts, joinValue, readingActs, splitValue } from './acts.ts'
export { caseCard } from './case-card.ts'
export { customerCard } from './customer-card.ts'
export {
  assignForm,
  confirmReplyForm,
  createCaseForm,
  noteForm,
  replyForm,
  resolveForm,
  tagsForm,
} from './forms.ts'
export { queueCard, searchCard, similarCard } from './list-cards.ts'
export { loadCase, loadQueue, loadSearch, loadSimilar } from './load.ts'
export { loadCustomer } from './load-customer.ts'
export { loadWhy } from './load-why.ts'
export { drawingWords, messagesIn } from './messages/index.ts'
export { approvalCard, noticeCard, surveyCard } from './small-cards.ts'
export { whyCard } from './why-card.ts'
