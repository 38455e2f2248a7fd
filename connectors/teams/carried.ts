/** What a button or a dialog of ours carries through Teams and back. */
import { z } from 'zod'
import type { Act } from '#hub/connector/card.ts'

/** Under a key of its own: Teams mixes the inputs' values, and data of its own, into the same object. */
const Carried = z.object({
  deskweave: z.union([
    z.object({ act: z.string(), value: z.string(), choice: z.string().optional() }),
    z.object({ dismiss: z.literal(true) }),
  ]),
})

export const carry = (act: string, value: string, choice?: string) => ({
  deskweave: { act, value, ...(choice === undefined ? {} : { choice }) },
})

export const dismissal = { deskweave: { dismiss: true } } as const

/** The ids of inputs: the prefix keeps a field's name from colliding with other data, and tells a switch from a text. */
export const textInput = (name: string) => `text:${name}`
export const switchInput = (name: string) => `switch:${name}`
export const selectInput = (position: number) => `select:${position}`

/**
 * @returns the act; `dismissed` for a dialog's cancel button; nothing for data that is not ours.
 * Fields left empty are absent. A card's selects are all sent along with each press, so only the pressed one counts.
 */
export function readCarried(data: unknown): Act | 'dismissed' | undefined {
  const read = Carried.safeParse(data).data?.deskweave
  if (!read) return undefined
  if ('dismiss' in read) return 'dismissed'
  const inputs = z.record(z.string(), z.unknown()).parse(data)
  const { act, value, choice } = read
  if (choice === undefined) return { act, value, fields: fieldsOf(inputs) }
  const chosen = inputs[choice]
  return { act, value, fields: typeof chosen === 'string' && chosen !== '' ? { chosen } : {} }
}

function fieldsOf(inputs: Readonly<Record<string, unknown>>): Act['fields'] {
  const fields = Object.entries(inputs).flatMap(([id, given]): (readonly [string, string | boolean])[] => {
    if (id.startsWith('switch:')) return [[id.slice('switch:'.length), given === 'true' || given === true]]
    if (!id.startsWith('text:') || typeof given !== 'string' || given === '') return []
    return [[id.slice('text:'.length), given]]
  })
  return Object.fromEntries(fields)
}
