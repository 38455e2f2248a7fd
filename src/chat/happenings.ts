/** Which happenings only ask for something to look at, and which are deeds. Pure. */
import type { ChatHappening } from '#hub/connector/chat.ts'
import { readingActs } from '#hub/workbench/index.ts'

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
