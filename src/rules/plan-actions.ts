/** Actions with their templates compiled: an event's values go in, planned actions come out. */
import type { FieldValue, Scalar } from '#hub/connector/facts.ts'
import { isMap } from './check.ts'
import { type ActionDefinition, type NotifyDefinition, placesOf } from './definition.ts'
import type { PlannedAction, RuleContext } from './plan.ts'
import { compileTemplate, TemplateFailed, type TemplateScope, templateScope } from './template.ts'

export interface Scopes {
  readonly context: RuleContext
  readonly now: Date
  /** For texts that staff and internal systems see. */
  readonly staff: TemplateScope
  /** For what may reach the customer's side: without the text of an internal message. */
  readonly customers: TemplateScope
}

/** @throws TemplateFailed naming the action. */
export type Plan = (scopes: Scopes) => readonly PlannedAction[]
/** An action without templates is the same for every event. */
type ActionPlan = PlannedAction | ((scopes: Scopes) => PlannedAction)

export function openScopes(context: RuleContext, now: Date): Scopes {
  return { context, now, staff: templateScope(context, 'staff'), customers: templateScope(context, 'customers') }
}

export function compileActions(definitions: readonly ActionDefinition[]): Plan {
  const plans = definitions.flatMap((action) =>
    'notify' in action ? compileNotice(action.notify) : compileAction(action),
  )
  const fixed = plans.filter((plan) => typeof plan !== 'function')
  if (fixed.length === plans.length) return () => fixed
  return (scopes) => plans.map((plan) => (typeof plan === 'function' ? plan(scopes) : plan))
}

type OtherAction = Exclude<ActionDefinition, { readonly notify: unknown }>

function compileAction(action: OtherAction): ActionPlan {
  if ('assign' in action) return { type: 'assign', ...action.assign }
  if ('status' in action) return { type: 'status', status: action.status }
  if ('priority' in action) return { type: 'priority', priority: action.priority }
  if ('tag' in action) return { type: 'tag', add: action.tag.add ?? [], remove: action.tag.remove ?? [] }
  if ('reply' in action) {
    const text = filled('reply.text', action.reply.text, 'customers')
    return (scopes) => ({ type: 'reply', text: text(scopes) })
  }
  if ('note' in action) {
    const text = filled('note.text', action.note.text, 'staff')
    return (scopes) => ({ type: 'note', text: text(scopes) })
  }
  if ('create_case' in action) {
    const { subject, text, ...rest } = action.create_case
    const [fillSubject, fillText] = [
      filled('create_case.subject', subject, 'customers'),
      filled('create_case.text', text, 'customers'),
    ]
    return (scopes) => ({ type: 'create_case', ...rest, subject: oneLine(fillSubject(scopes)), text: fillText(scopes) })
  }
  if ('update_person' in action) return compilePersonUpdate(action.update_person)
  if ('approval' in action) {
    const { connection, to, question } = action.approval
    const [fillTo, fillQuestion] = [filled('approval.to', to, 'staff'), filled('approval.question', question, 'staff')]
    return (scopes) => ({
      type: 'approval',
      connection,
      to: oneLine(fillTo(scopes)),
      question: fillQuestion(scopes),
    })
  }
  const { url, body } = action.webhook
  if (body === undefined) return (scopes) => ({ type: 'webhook', url, body: wholeEvent(scopes.context) })
  const fill = compileValue('webhook.body', body, 'staff')
  return (scopes) => ({ type: 'webhook', url, body: fill(scopes) })
}

/** One for each place. */
function compileNotice(notify: NotifyDefinition): readonly ActionPlan[] {
  const { text, card } = notify
  const fillText = text === undefined ? undefined : filled('notify.text', text, 'staff')
  return placesOf(notify).map(({ tool, to }) => {
    const fillTo = filled(`notify.${'connector' in tool ? tool.connector : 'to'}`, to, 'staff')
    return (scopes: Scopes) => ({
      type: 'notify',
      ...tool,
      to: oneLine(fillTo(scopes)),
      ...(fillText ? { text: fillText(scopes) } : {}),
      ...(card ? { card } : {}),
    })
  })
}

/** Messages stay out: whoever wants their text in a webhook writes a body. */
function wholeEvent({ event, case: theCase, profile }: RuleContext): unknown {
  return { event, case: theCase, profile }
}

type Reach = 'staff' | 'customers'

/** A text that must not come out empty: an empty reply or channel name is a mistake, not a wish. */
function filled(name: string, text: string, reach: Reach): (scopes: Scopes) => string {
  const fill = template(name, text, reach)
  return (scopes) => {
    const result = fill(scopes)
    if (result.trim() === '') throw new TemplateFailed(`${name}: the text came out empty`)
    return result
  }
}

function template(name: string, text: string, reach: Reach): (scopes: Scopes) => string {
  const render = compileTemplate(text)
  return (scopes) => {
    try {
      return render(scopes[reach], scopes.now)
    } catch (error) {
      throw new TemplateFailed(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}

/** A trait comes back as customer data that any later reply may quote, so it counts as reaching the customer. */
function compilePersonUpdate(update: {
  traits: Readonly<Record<string, FieldValue>>
  connection?: string
}): ActionPlan {
  const fills = Object.entries(update.traits).map(([name, value]): [string, (scopes: Scopes) => FieldValue] => {
    const path = `update_person.traits.${name}`
    if (typeof value === 'string') return [name, template(path, value, 'customers')]
    if (!isList(value)) return [name, () => value]
    const items = value.map((item) => (typeof item === 'string' ? template(path, item, 'customers') : () => item))
    return [name, (scopes) => items.map((item) => item(scopes))]
  })
  return (scopes) => ({
    type: 'update_person',
    ...(update.connection === undefined ? {} : { connection: update.connection }),
    traits: Object.fromEntries(fills.map(([name, fill]) => [name, fill(scopes)])),
  })
}
function isList(value: FieldValue): value is readonly Scalar[] {
  return Array.isArray(value)
}

function compileValue(name: string, value: unknown, reach: Reach): (scopes: Scopes) => unknown {
  if (typeof value === 'string') return template(name, value, reach)
  if (Array.isArray(value)) {
    const items = value.map((item, index) => compileValue(`${name}[${index}]`, item, reach))
    return (scopes) => items.map((item) => item(scopes))
  }
  if (isMap(value)) {
    const entries = Object.entries(value).map(
      ([key, item]) => [key, compileValue(`${name}.${key}`, item, reach)] as const,
    )
    return (scopes) => Object.fromEntries(entries.map(([key, item]) => [key, item(scopes)]))
  }
  return () => value
}
