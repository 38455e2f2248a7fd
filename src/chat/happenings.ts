/** Which happenings only ask for something to look at, and which are deeds. Pure. */
import type { ChatHappening } from '#hub/connector/chat.ts'
import { acts, readingActs } from '#hub/workbench/index.ts'

/** Acts that show a card and lead to no deed by themselves. */
export const lookingActs: ReadonlySet<string> = new Set([acts.openCase, acts.customer, acts.similar, acts.why])

/** What viewers may do, too. */
export function isLook({ what }: ChatHappening): boolean {
  switch (what.kind) {
    case 'press':
      return what.isRefresh === true || lookingActs.has(what.act.act)
    case 'submit':
      return what.act.act === acts.search
    case 'asked':
    case 'search':
    case 'links':
    case 'home':
      return true
    default:
      return false
  }
}

/** What only asks is answered at once, from what the hub knows; it leaves no work, and losing it loses nothing. */
export function isRead({ what }: ChatHappening): boolean {
  switch (what.kind) {
    case 'press':
      return what.isRefresh === true || readingActs.has(what.act.act)
    case 'submit':
      return readingActs.has(what.act.act)
    case 'asked':
    case 'search':
    case 'links':
    case 'home':
    case 'shortcut':
      return true
    case 'message':
    case 'edited':
    case 'deleted':
    case 'reaction':
    case 'channel':
    case 'uninstalled':
      return false
  }
}
