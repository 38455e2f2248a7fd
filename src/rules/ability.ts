/** Checks that a connection is there and can do what an action wants of it. */
import { type Check, nameOf } from './check.ts'
import { show } from './issue.ts'
import type { KnownConnection } from './validate.ts'

export function connectionCheck(
  connections: readonly KnownConnection[] | undefined,
  capability: string,
  deed: string,
): Check {
  return abilityCheck(
    connections,
    ({ can }) => can.includes(capability),
    () => ({ cannot: deed }),
  )
}

/** What `create_case` writes is for colleagues. */
export function caseConnectionCheck(connections: readonly KnownConnection[] | undefined): Check {
  return abilityCheck(
    connections,
    ({ can, isConversation }) => can.includes('writeCase') && !isConversation,
    ({ isConversation }) =>
      isConversation
        ? {
            cannot: 'open cases for colleagues: what is written there goes to the customer',
            instead: ', or answer the customer with "reply"',
          }
        : { cannot: 'open cases' },
  )
}

/** @param lack what one that is not able cannot do, and what to write in place of the action. */
export function abilityCheck(
  connections: readonly KnownConnection[] | undefined,
  isAble: (connection: KnownConnection) => boolean,
  lack: (connection: KnownConnection) => { readonly cannot: string; readonly instead?: string },
): Check {
  const name = nameOf(
    'a connection',
    connections?.map((connection) => connection.name),
  )
  return (value, path, issues) => {
    name(value, path, issues)
    const connection = connections?.find((candidate) => candidate.name === value)
    if (!connection || isAble(connection)) return
    const able = connections?.filter(isAble).map((candidate) => `"${candidate.name}"`) ?? []
    const { cannot, instead = '' } = lack(connection)
    const hint = (able.length > 0 ? `${able.slice(0, 12).join(', ')} can` : 'connect one that can') + instead
    issues.push({ path, message: `${show(value)} (${connection.connector}) cannot ${cannot}`, hint })
  }
}
