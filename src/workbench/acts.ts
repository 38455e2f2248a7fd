/** What can be pressed or submitted, by name, and the value that says on what. */

export const acts = {
  openCase: 'case.open',
  replyForm: 'case.reply',
  previewReply: 'case.reply.preview',
  editReply: 'case.reply.edit',
  sendReply: 'case.reply.send',
  noteForm: 'case.note',
  addNote: 'case.note.add',
  takeCase: 'case.take',
  assignForm: 'case.assign',
  assign: 'case.assign.set',
  status: 'case.status',
  priority: 'case.priority',
  tagsForm: 'case.tags',
  setTags: 'case.tags.set',
  resolveForm: 'case.resolve',
  resolve: 'case.resolve.set',
  reopen: 'case.reopen',
  escalate: 'case.escalate',
  snooze: 'case.snooze',
  macro: 'case.macro',
  mergeForm: 'case.merge',
  merge: 'case.merge.set',
  categoryForm: 'case.category',
  setCategory: 'case.category.set',
  customer: 'case.customer',
  similar: 'case.similar',
  why: 'case.why',
  createCase: 'case.create',
  search: 'case.search',
  claimSeatForm: 'seat.claim',
  claimSeat: 'seat.claim.set',
  approve: 'approval.approve',
  reject: 'approval.reject',
  answerSurvey: 'survey.answer',
} as const

/** Acts that change nothing: they show a card or open a dialog. The preview of a reply keeps its draft, and no more. */
export const readingActs: ReadonlySet<string> = new Set([
  acts.openCase,
  acts.replyForm,
  acts.previewReply,
  acts.editReply,
  acts.noteForm,
  acts.assignForm,
  acts.tagsForm,
  acts.resolveForm,
  acts.mergeForm,
  acts.categoryForm,
  acts.claimSeatForm,
  acts.search,
  acts.customer,
  acts.similar,
  acts.why,
])

/** Ids and scores joined to a value: none of them holds a bar. */
export function joinValue(...parts: readonly (string | number)[]): string {
  return parts.join('|')
}

export function splitValue(value: string): readonly string[] {
  return value.split('|')
}
