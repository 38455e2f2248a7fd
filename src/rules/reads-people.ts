/** Whether a rule needs to know the person that an event is about: nobody is loaded whom no rule would look at. */
import type { ActionDefinition, ActionName, RuleDefinition } from './definition.ts'

/** Whatever their texts say: some tell or change who it is, others show a person where there is no case. */
const actsOnPeople = {
  assign: false,
  status: false,
  priority: false,
  tag: false,
  reply: false,
  note: false,
  create_case: true,
  update_person: true,
  notify: true,
  approval: true,
  webhook: false,
} as const satisfies Readonly<Record<ActionName, boolean>>

/** Rather once too often: a person who was not loaded would look like one of whom nothing is known. */
export function readsPeople({ if: condition, then }: RuleDefinition): boolean {
  return then.some(isAboutPeople) || mayNamePeople(condition) || mayNamePeople(then)
}

/** The word anywhere, or what a template could spell it by: a backslash, or brackets around a name that it works out. */
function mayNamePeople(value: unknown): boolean {
  if (typeof value === 'string') return /profile|\\/.test(value) || (/\{[{%]/.test(value) && value.includes('['))
  return typeof value === 'object' && value !== null && Object.values(value).some(mayNamePeople)
}

function isAboutPeople(action: ActionDefinition): boolean {
  // Without a body it tells the whole event.
  if ('webhook' in action) return action.webhook.body === undefined
  return Object.entries(actsOnPeople).some(([name, is]) => is && Object.hasOwn(action, name))
}
