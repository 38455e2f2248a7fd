/** What a button or a dialog of ours carries through Teams and back. */
import { z } from 'zod'
import type { Act, Form } from '#hub/connector/card.ts'

const Field = z.intersection(
  z.object({ name: z.string(), label: z.string(), hint: z.string().exactOptional() }),
  z.discriminatedUnion('kind', [
    z.object({
      kind: z.literal('text'),
      isLong: z.boolean().exactOptional(),
      isRequired: z.boolean().exactOptional(),
      initial: z.string().exactOptional(),
      longest: z.int().positive(),
    }),
    z.object({
      kind: z.literal('choice'),
      options: z.array(z.object({ value: z.string(), label: z.string() })),
      isRequired: z.boolean().exactOptional(),
      initial: z.string().exactOptional(),
    }),
    z.object({ kind: z.literal('switch'), initial: z.boolean() }),
  ]),
)
/** A form without its blocks and values: enough to show it once more. */
const Outline = z.object({ title: z.string(), submit: z.string(), cancel: z.string(), fields: z.array(Field) })
type Outline = z.output<typeof Outline>

/** Under a key of its own: Teams mixes the inputs' values, and data of its own, into the same object. */
const Carried = z.object({
  deskweave: z.union([
    z.object({
      act: z.string(),
      value: z.string(),
      choice: z.string().optional(),
      form: z.union([Outline, z.literal(true)]).optional(),
    }),
    z.object({ dismiss: z.literal(true) }),
  ]),
})

export const carry = (act: string, value: string, choice?: string) => ({
  deskweave: { act, value, ...(choice === undefined ? {} : { choice }) },
})

/** @param outlined whether the form travels along, so that it can be shown again when it was filled in wrongly. */
export function carryForm({ act, value, title, submit, cancel, fields }: Form, outlined: boolean) {
  const bare = fields.map((field): Outline['fields'][number] => {
    if (field.kind === 'switch') return field
    const { initial: _, ...rest } = field
    return rest.kind === 'choice' ? { ...rest, options: [...rest.options] } : rest
  })
  const outline: Outline = { title, submit, cancel, fields: bare }
  return { deskweave: { act, value, form: outlined ? outline : (true as const) } }
}

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

/** Whether the data is a form's, sent, rather than a button's. */
export function isForm(data: unknown): boolean {
  const read = Carried.safeParse(data).data?.deskweave
  return read !== undefined && 'form' in read && read.form !== undefined
}

/** The form as it was filled in; nothing when it did not travel along. */
export function readForm(data: unknown): Form | undefined {
  const read = Carried.safeParse(data).data?.deskweave
  const given = readCarried(data)
  if (!read || 'dismiss' in read || typeof read.form !== 'object' || typeof given !== 'object') return undefined
  const { title, submit, cancel, fields } = read.form
  return {
    act: read.act,
    value: read.value,
    title,
    submit,
    cancel,
    blocks: [],
    fields: fields.map((field) => {
      const typed = given.fields[field.name]
      if (field.kind === 'switch') return { ...field, initial: typed === true }
      return typeof typed === 'string' ? { ...field, initial: typed } : field
    }),
  }
}

function fieldsOf(inputs: Readonly<Record<string, unknown>>): Act['fields'] {
  const fields = Object.entries(inputs).flatMap(([id, given]): (readonly [string, string | boolean])[] => {
    if (id.startsWith('switch:')) return [[id.slice('switch:'.length), given === 'true' || given === true]]
    if (!id.startsWith('text:') || typeof given !== 'string' || given === '') return []
    return [[id.slice('text:'.length), given]]
  })
  return Object.fromEntries(fields)
}
