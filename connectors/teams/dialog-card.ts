/** A card shown in a dialog. Dialogs know no Action.Execute, and a button that would open a dialog replaces the one it is in. */
import type { IAdaptiveCard } from '@microsoft/teams.cards'

/** Pure: the same card, each of its buttons one that sends the dialog. */
export function inDialog(card: IAdaptiveCard): IAdaptiveCard {
  return {
    ...card,
    ...(card.body ? { body: card.body.map(sending) } : {}),
    ...(card.actions ? { actions: card.actions.map(sending) } : {}),
  }
}

/** Pure: what is drawn, each button in it one that sends the dialog. */
export function sending<T>(value: T): T
export function sending(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sending)
  if (typeof value !== 'object' || value === null) return value
  const node: Record<string, unknown> = Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, sending(inner)]),
  )
  if (node['type'] !== 'Action.Execute' && node['type'] !== 'Action.Submit') return node
  const { verb: _verb, data, ...action } = node
  const { msteams: _opens, ...carried } =
    typeof data === 'object' && data !== null ? { msteams: undefined, ...data } : {}
  return { ...action, type: 'Action.Submit', data: carried }
}
