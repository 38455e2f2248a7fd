/**
 * Two machines that answer each other end here, whatever their mails fail to say about themselves: rules' replies by mail
 * are few for each sender, and none leaves while somebody floods a case. Pure.
 */
const repliesPerCase = 1
const repliesPerDay = 5
const messagesPerTenMinutes = 10

export interface MailCounts {
  /** Replies of rules that have left, or are about to, on this case. */
  readonly repliesOnCase: number
  /** The same within 24 hours, on all cases of this requester. */
  readonly repliesToday: number
  /** The sender with the most messages on this case within ten minutes. */
  readonly busiest: { readonly address: string; readonly messages: number } | undefined
  /** The requester's addresses, when mail to all of them bounces. */
  readonly bouncing: readonly string[]
}

/** @param isAnswer it answers what came in; a person's act in the hub starts no loop. @returns why it is held, in plain words. */
export function whyHeld(counts: MailCounts, isAnswer: boolean): string | undefined {
  const { busiest, bouncing } = counts
  if (bouncing.length > 0) return `mail to ${bouncing.join(', ')} bounces`
  if (busiest && busiest.messages > messagesPerTenMinutes) {
    return `${busiest.address} has sent ${busiest.messages} messages within ten minutes; more than ${messagesPerTenMinutes} look like a loop`
  }
  if (isAnswer && counts.repliesOnCase >= repliesPerCase) {
    return 'rules have answered on this case already; by mail they do so once, so that no two machines answer each other for ever'
  }
  if (counts.repliesToday >= repliesPerDay) {
    return `rules have sent this customer ${counts.repliesToday} mails within 24 hours; ${repliesPerDay} is the limit`
  }
  return undefined
}
