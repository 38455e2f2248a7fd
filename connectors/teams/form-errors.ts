/**
 * A dialog that was filled in wrongly. Teams closes it when it is sent, whatever comes back, and knows no errors of fields: so
 * the same form is opened again, with what was typed and with what is wrong.
 */
import type { Form } from '#hub/connector/card.ts'
import { readForm } from './carried.ts'

/** @returns nothing when the form was too large to travel with its data. */
export function formWithErrors(data: unknown, errors: Readonly<Record<string, string>>): Form | undefined {
  const form = readForm(data)
  if (!form) return undefined
  const known = new Set(form.fields.map(({ name }) => name))
  const others = Object.entries(errors).flatMap(([name, text]) => (known.has(name) ? [] : [text]))
  return {
    ...form,
    blocks: others.map((text) => ({ kind: 'notice', text, tone: 'urgent' })),
    fields: form.fields.map((field) => {
      const error = Object.hasOwn(errors, field.name) ? errors[field.name] : undefined
      return error === undefined ? field : { ...field, hint: `⚠️ ${error}` }
    }),
  }
}
