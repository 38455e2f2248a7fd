/** How a person works a card: finds a button by what is written on it, fills inputs in, sends. */
import { z } from 'zod'
import type { Json } from './sandbox-world.ts'

/** Every object in a card, whatever it is nested in. */
export function nodes(value: unknown): readonly Json[] {
  if (Array.isArray(value)) return value.flatMap(nodes)
  if (typeof value !== 'object' || value === null) return []
  const node: Json = { ...value }
  return [node, ...Object.values(node).flatMap(nodes)]
}

export const Action = z.looseObject({
  type: z.enum(['Action.Execute', 'Action.Submit']),
  title: z.string(),
  tooltip: z.string().optional(),
  verb: z.string().optional(),
  data: z.record(z.string(), z.unknown()),
  associatedInputs: z.string().optional(),
})
export type Action = z.output<typeof Action>

/** @param label what is written on it, or its tooltip where several read alike. @throws Error with all that could be pressed. */
export function buttonOf(card: unknown, label: string): Action {
  const buttons = nodes(card).flatMap((node) => Action.safeParse(node).data ?? [])
  const found = buttons.find(({ tooltip }) => tooltip === label) ?? buttons.find(({ title }) => title === label)
  if (found) return found
  throw new Error(`no button "${label}" on the card; it has ${buttons.map(({ title }) => title).join(', ') || 'none'}`)
}

/** @throws Error when none carries this act of the hub's. */
export function buttonOfAct(card: unknown, act: string): Action {
  const buttons = nodes(card).flatMap((node) => Action.safeParse(node).data ?? [])
  const found = buttons.find(({ data }) => Carried.safeParse(data).data?.deskweave.act === act)
  if (found) return found
  throw new Error(`no button on the card is for the act ${act}`)
}
const Carried = z.object({ deskweave: z.object({ act: z.string() }) })

const Input = z.looseObject({
  type: z.string().startsWith('Input.'),
  id: z.string(),
  label: z.string().optional(),
  title: z.string().optional(),
  value: z.string().optional(),
  choices: z.array(z.object({ title: z.string(), value: z.string() })).optional(),
})

/**
 * What the client sends along with a press.
 * @param typed by label, or by the input's id. A choice by its title or its value.
 * @throws Error for a label that the card does not have.
 */
export function inputsOf(card: unknown, typed: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const inputs = nodes(card).flatMap((node) => Input.safeParse(node).data ?? [])
  const unknown = new Set(Object.keys(typed))
  const values = inputs.map(({ id, label, title, value, choices }) => {
    const name = [id, id.replace(/^\w+:/, ''), label ?? '', title ?? ''].find((one) => one in typed)
    unknown.delete(name ?? '')
    const given = name === undefined ? value : typed[name]
    return [id, choices?.find((choice) => choice.title === given)?.value ?? given ?? ''] as const
  })
  if (unknown.size === 0) return Object.fromEntries(values)
  throw new Error(
    `the card has no input "${[...unknown].join('", "')}"; it has ${inputs.map(({ id }) => id).join(', ')}`,
  )
}

/** @param typed see `inputsOf`. */
export function dataOf(card: unknown, action: Action, typed: Readonly<Record<string, string>>): Json {
  return action.associatedInputs === 'none' ? action.data : { ...inputsOf(card, typed), ...action.data }
}

/** The first card of an activity. */
export function cardOf(activity: Json): unknown {
  const { attachments } = z
    .object({ attachments: z.array(z.object({ contentType: z.string(), content: z.unknown() })).min(1) })
    .parse(activity)
  return attachments[0]?.content
}
