/** What is wrong with what somebody typed, by field: told in the dialog, before anything happens. */
import { z } from 'zod'
import type { Act } from '#hub/connector/card.ts'
import type { Hub } from '#hub/hub.ts'
import { acts, findCase, type Messages } from '#hub/workbench/index.ts'
import { caseOfValue } from './where.ts'

export async function problemsOf(
  hub: Pick<Hub, 'db' | 'connections'>,
  { act, value, fields }: Act,
  { chat }: Messages,
): Promise<Readonly<Record<string, string>>> {
  const missing = (...names: readonly string[]) =>
    Object.fromEntries(names.filter((name) => textIn(fields, name) === '').map((name) => [name, chat.required]))
  switch (act) {
    case acts.previewReply:
    case acts.addNote:
      return missing('text')
    case acts.assign:
      return missing('agent')
    case acts.resolve:
      return missing('reason')
    case acts.createCase: {
      const requester = textIn(fields, 'requester')
      return {
        ...missing('tool', 'subject'),
        ...(requester === '' || isAddress(requester) ? {} : { requester: chat.badAddress }),
      }
    }
    case acts.claimSeat:
      return isAddress(textIn(fields, 'email')) ? {} : { email: chat.badAddress }
    case acts.merge: {
      const into = await findCase(hub, textIn(fields, 'into'))
      return into === undefined || into === caseOfValue(value) ? { into: chat.mergeProblem } : {}
    }
    default:
      return {}
  }
}

export function textIn(fields: Act['fields'], name: string): string {
  const value = fields[name]
  return typeof value === 'string' ? value.trim() : ''
}

const isAddress = (text: string) => z.email().safeParse(text).success
