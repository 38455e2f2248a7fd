/** Checks a notice: one connection and a place there, or chat tools by name; a text, the case's card, or both. */
import { isAddress } from '#hub/agents/address.ts'
import { abilityCheck } from './ability.ts'
import { type Check, isMap, oneOf, shape } from './check.ts'
import { type ChatTool, chatTools } from './definition.ts'
import type { Issue, Path } from './issue.ts'
import type { KnownConnection } from './validate.ts'

/** @param template checks a text that may be one. */
export function noticeCheck(connections: readonly KnownConnection[] | undefined, template: Check): Check {
  const form = shape('"notify"', {
    connection: { check: () => {} },
    to: { check: template },
    text: { check: template },
    card: { check: oneOf(['case'], 'a card') },
    slack: { check: template },
    teams: { check: template },
  } satisfies Record<ChatTool | 'connection' | 'to' | 'text' | 'card', { readonly check: Check }>)
  return (value, path, issues) => {
    const before = issues.length
    form(value, path, issues)
    // A key that is not known is most likely the one that is missing.
    const isMistyped = issues.slice(before).some(({ at }) => at === 'key')
    if (!isMap(value) || isMistyped) return
    const has = (key: string) => Object.hasOwn(value, key)
    const tools = chatTools.filter(has)
    if (tools.length === 0) checkPlace(value, path, issues)
    for (const key of ['connection', 'to'].filter((one) => tools.length > 0 && has(one))) {
      issues.push({
        path: [...path, key],
        at: 'key',
        message: `"${key}" and "${tools[0]}" both say where to`,
        hint: 'write one of them, or a second "notify"',
      })
    }
    for (const tool of tools) checkOnlyOne(tool, [...path, tool], issues)
    if (!has('text') && !has('card')) issues.push({ path, message: '"notify" needs "text" or "card"' })
    for (const key of has('card') ? ['to', ...tools] : []) checkChannel(value[key], [...path, key], issues)
  }

  function checkPlace(value: Record<string, unknown>, path: Path, issues: Issue[]) {
    for (const key of ['connection', 'to'].filter((one) => !Object.hasOwn(value, one))) {
      issues.push({ path, message: `"notify" needs "${key}"` })
    }
    if (!Object.hasOwn(value, 'connection')) return
    const showsCard = value['card'] !== undefined
    const ability = abilityCheck(
      connections,
      ({ can }) => can.includes('chat') || (!showsCard && can.includes('notify')),
      () => ({ cannot: showsCard ? 'show cards' : 'send notices' }),
    )
    ability(value['connection'], [...path, 'connection'], issues)
  }

  /** Which one is meant must not depend on what is connected later. */
  function checkOnlyOne(tool: ChatTool, path: Path, issues: Issue[]) {
    const all = connections?.filter(({ connector }) => connector === tool)
    if (!all || all.length === 1) return
    const names = all.map(({ name }) => `"${name}"`)
    issues.push({
      path,
      at: 'key',
      message: names.length === 0 ? `there is no ${tool} connection` : `there are ${names.length} ${tool} connections`,
      hint: names.length === 0 ? 'connect one, or leave this out' : `name one: "connection" with ${names.join(' or ')}`,
    })
  }
}

function checkChannel(to: unknown, path: Path, issues: Issue[]) {
  if (typeof to !== 'string' || !isAddress(to)) return
  issues.push({ path, message: 'a card goes to a channel, this is a person', hint: 'tell them with "text" alone' })
}
