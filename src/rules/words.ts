/** Conditions and actions in plain words, for histories and for "why did it not fire". */

import { isMap } from './check.ts'
import { compileCondition, operatorsOf } from './compile.ts'
import {
  type ActionDefinition,
  type ConditionDefinition,
  isGroup,
  type OperatorName,
  placesOf,
  type TestDefinition,
} from './definition.ts'
import { findField } from './field.ts'
import { createSlots, openFrame } from './frame.ts'
import { show } from './issue.ts'
import { changeOf, operators } from './operator.ts'
import type { RuleContext } from './plan.ts'

export function conditionWords(condition: ConditionDefinition): string {
  if (!isGroup(condition)) {
    return operatorsOf(condition)
      .map((entry) => testWords(condition, entry))
      .join(' and ')
  }
  const parts = [
    ...(condition.all ? [joined(condition.all, ' and ')] : []),
    ...(condition.any ? [joined(condition.any, ' or ')] : []),
    ...(condition.none ? [`none of ${joined(condition.none, ', ')}`] : []),
  ]
  return parts.join(' and ')
}
function joined(conditions: readonly ConditionDefinition[], word: string): string {
  const parts = conditions.map((child) => (isGroup(child) ? `(${conditionWords(child)})` : conditionWords(child)))
  return parts.length > 1 ? `(${parts.join(word)})` : parts.join('')
}

function testWords(test: TestDefinition, [operator, argument]: [OperatorName, unknown]): string {
  return `${test.field} ${operators[operator].words} ${valueWords(argument)}`
}

function valueWords(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'nothing' : value.map(show).join(', ')
  if (value === true) return 'yes'
  if (value === false) return 'no'
  if (isMap(value))
    return Object.entries(value)
      .map(([key, item]) => `${key} ${valueWords(item)}`)
      .join(', ')
  return value === null || value === undefined ? 'nothing' : show(value)
}

/** The first condition that did not hold, with what was there instead; undefined when all hold. */
export function firstFailure(condition: ConditionDefinition, context: RuleContext, now: Date): string | undefined {
  if (!isGroup(condition)) {
    const failed = operatorsOf(condition).find(
      ([name, argument]) => !holds({ field: condition.field, [name]: argument }, context, now),
    )
    return failed && `${testWords(condition, failed)}: not so, ${actually(condition.field, failed[0], context)}`
  }
  for (const child of condition.all ?? []) {
    const failure = firstFailure(child, context, now)
    if (failure !== undefined) return failure
  }
  if (condition.any && !condition.any.some((child) => holds(child, context, now))) {
    const failures = condition.any.map((child) => firstFailure(child, context, now))
    return `none of these holds: ${failures.join('; ')}`
  }
  const forbidden = condition.none?.find((child) => holds(child, context, now))
  return forbidden && `${conditionWords(forbidden)}: this holds, and must not`
}

function holds(condition: ConditionDefinition, context: RuleContext, now: Date): boolean {
  const slots = createSlots()
  const test = compileCondition(condition, slots)
  return test(openFrame(slots.all, context, now))
}

function actually(name: string, operator: OperatorName, context: RuleContext): string {
  const field = findField(name)
  if (!field) return 'there is no such field'
  if (operator.startsWith('changed')) {
    const change = changeOf(field, context)
    return change ? `it changed from ${valueWords(change.from)} to ${valueWords(change.to)}` : 'it did not change'
  }
  const value = field.read(context)
  if (value === undefined) return `this event has no ${name.split('.')[0]}`
  return value === null || value === '' ? 'it is not set' : `it is ${valueWords(value)}`
}

export function actionWords(action: ActionDefinition): string {
  if ('assign' in action) {
    const { agent, team } = action.assign
    const parts = [
      ...(agent === undefined ? [] : [agent === null ? 'nobody' : agent]),
      ...(team === undefined ? [] : [team === null ? 'no team' : `team ${show(team)}`]),
    ]
    return `assign to ${parts.join(', ')}`
  }
  if ('status' in action) return `set the status to ${action.status}`
  if ('priority' in action) return `set the priority to ${action.priority}`
  if ('tag' in action) {
    const { add, remove } = action.tag
    return [
      ...(add ? [`add the tags ${add.join(', ')}`] : []),
      ...(remove ? [`remove the tags ${remove.join(', ')}`] : []),
    ].join(' and ')
  }
  if ('reply' in action) return `reply to the customer: ${show(action.reply.text)}`
  if ('note' in action) return `write a note: ${show(action.note.text)}`
  if ('create_case' in action) {
    const { connection, subject, text, ...rest } = action.create_case
    return `open a case in ${connection}: ${show(subject)}, ${show(text)}${extras(rest)}`
  }
  if ('update_person' in action) {
    const { traits, connection } = action.update_person
    return `update the person${connection ? ` in ${connection}` : ''}: ${valueWords(traits)}`
  }
  if ('notify' in action) {
    const { text, card } = action.notify
    const places = placesOf(action.notify).map(
      ({ tool, to }) => `${to} in ${'connector' in tool ? tool.connector : tool.connection}`,
    )
    return `notify ${places.join(' and ')}${card ? ' with the card of the case' : ''}${text === undefined ? '' : `: ${show(text)}`}`
  }
  if ('approval' in action) {
    const { connection, to, question } = action.approval
    return `ask ${to} in ${connection} to approve: ${show(question)}`
  }
  const { url, body } = action.webhook
  return `call ${url}${body === undefined ? '' : ` with ${show(JSON.stringify(body))}`}`
}
function extras(rest: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(rest).map(([name, value]) => `, ${name} ${valueWords(value)}`)
  return entries.join('')
}
