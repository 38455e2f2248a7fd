/**
 * How an act travels through Slack and back: `<number>|<act>` beside a value, or `<number>|<act>|<value>` where there is only
 * one field. The number makes it the only one in its block, as Slack demands.
 */

export interface CarriedAct {
  readonly act: string
  readonly value?: string
}

export function packAct(index: number, { act, value }: CarriedAct): string {
  const name = act.replace(/[%|]/g, (found) => (found === '%' ? '%25' : '%7C'))
  return `${index}|${name}${value === undefined ? '' : `|${value}`}`
}

/** @returns undefined for an id that is not ours. A link's act is empty: it only leads somewhere. */
export function unpackAct(id: string): CarriedAct | undefined {
  const [, name, value] = /^\d+\|([^|]*)(?:\|(.*))?$/s.exec(id) ?? []
  if (name === undefined) return undefined
  const act = name.replaceAll('%7C', '|').replaceAll('%25', '%')
  return { act, ...(value === undefined ? {} : { value }) }
}

/** Of the one element in each input block of a form; the block's id is the field's name. */
export const fieldId = 'field'
