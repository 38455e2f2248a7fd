/** Buttons, selects and links of a card. What Slack cannot carry back whole is left out: a cut value would act on something else. */
import type {
  ActionsBlock,
  ActionsBlockElement,
  Button,
  ConfirmationDialog,
  PlainTextOption,
  Select,
} from '@slack/types'
import type { ButtonAction, CardAction, Confirm, LinkAction, Option, SelectAction } from '#hub/connector/card.ts'
import { packAct } from './action-id.ts'
import { limits } from './limits.ts'
import { oneLine, plain, webAddress } from './text.ts'

/** So many stand side by side, the scale of a survey among them; of more, only the first. */
const mostWithoutMenu = 12
const shownBesideMenu = 8
/** Selects with more JSON than this ask the hub for their options instead of carrying them. */
const largestSelect = 3_000

/** @param characters how much JSON the rows may have together. */
export function renderActions(actions: readonly CardAction[], characters: number): readonly ActionsBlock[] {
  const atOnce = actions.length <= mostWithoutMenu ? mostWithoutMenu : shownBesideMenu
  const shown: ActionsBlockElement[] = []
  const hidden: { readonly option: PlainTextOption; readonly element: ActionsBlockElement }[] = []
  for (const [index, action] of actions.entries()) {
    const element = renderAction(action, index, characters / 4)
    if (element === undefined) continue
    const option = shown.length < atOnce ? undefined : menuOption(action, index)
    if (option === undefined) shown.push(element)
    else hidden.push({ option, element })
  }
  const alone = hidden.length % limits.optionsPerMenu === 1 ? hidden.pop() : undefined
  if (alone) shown.push(alone.element)
  const menus = chunks(hidden, limits.optionsPerMenu).map(
    (entries, index): ActionsBlockElement => ({
      type: 'overflow',
      action_id: packAct(actions.length + index, { act: '' }),
      options: entries.map(({ option }) => option),
    }),
  )
  const elements = fitting([...shown, ...menus], characters)
  return chunks(elements, limits.elementsPerActions).map((part) => ({ type: 'actions', elements: part }))
}

/** The button of a row. */
export function renderButton(action: ButtonAction, index: number): Button | undefined {
  const id = packAct(index, { act: action.act })
  if (id.length > limits.actionId || action.value.length > limits.buttonValue) return undefined
  return {
    type: 'button',
    action_id: id,
    text: plain(action.label, limits.buttonText),
    value: action.value,
    ...(action.style ? { style: action.style } : {}),
    ...(action.confirm ? { confirm: renderConfirm(action.confirm, action.style) } : {}),
  }
}

/** The options of a select that asks for them: those whose label contains what was typed, as many as Slack shows. */
export function renderOptions(options: readonly Option[], typed: string): readonly PlainTextOption[] {
  const wanted = oneLine(typed).toLocaleLowerCase()
  const seen = new Set<string>()
  return options
    .filter(({ value, label }) => {
      if (value === '' || value.length > limits.optionValue || seen.has(value)) return false
      seen.add(value)
      return label.toLocaleLowerCase().includes(wanted)
    })
    .slice(0, limits.optionsPerSelect)
    .map(({ value, label }) => ({ text: plain(label, limits.optionText), value }))
}

function renderAction(action: CardAction, index: number, largest: number): ActionsBlockElement | undefined {
  switch (action.kind) {
    case 'button':
      return renderButton(action, index)
    case 'link':
      return renderLink(action, index)
    case 'select':
      return renderSelect(action, index, Math.max(largest, largestSelect))
  }
}

function renderLink(action: LinkAction, index: number): Button | undefined {
  const url = webAddress(action.url)
  if (url === undefined) return undefined
  return { type: 'button', action_id: packAct(index, { act: '' }), text: plain(action.label, limits.buttonText), url }
}

/** What is chosen stands in the placeholder with its label: Slack shows either a value without a label, or only a label. */
function renderSelect(action: SelectAction, index: number, largest: number): Select | undefined {
  const options = renderOptions(action.options, '')
  const id = packAct(index, { act: action.act, value: action.value })
  if (id.length > limits.actionId || options.length === 0) return undefined
  const chosen = action.options.find(({ value }) => value === action.chosen)?.label
  const placeholder = plain(chosen === undefined ? action.label : `${action.label}: ${chosen}`, limits.placeholder)
  const few: Select = { type: 'static_select', action_id: id, placeholder, options: [...options] }
  if (JSON.stringify(few).length <= largest) return few
  return { type: 'external_select', action_id: id, placeholder, min_query_length: 0 }
}

/** In a menu there is no question before a single entry: what asks first stays a button. */
function menuOption(action: CardAction, index: number): PlainTextOption | undefined {
  if (action.kind === 'select' || (action.kind === 'button' && action.confirm)) return undefined
  const carried = action.kind === 'link' ? { act: '' } : { act: action.act, value: action.value }
  const value = packAct(index, carried)
  if (value.length > limits.optionValue) return undefined
  const url = action.kind === 'link' ? webAddress(action.url) : undefined
  return { text: plain(action.label, limits.optionText), value, ...(url ? { url } : {}) }
}

function renderConfirm(confirm: Confirm, style: ButtonAction['style']): ConfirmationDialog {
  return {
    title: plain(confirm.title, limits.confirmTitle),
    text: plain(confirm.text, limits.confirmText),
    confirm: plain(confirm.yes, limits.confirmButton),
    deny: plain(confirm.no, limits.confirmButton),
    ...(style ? { style } : {}),
  }
}

function fitting(elements: readonly ActionsBlockElement[], characters: number): readonly ActionsBlockElement[] {
  let left = characters
  return elements.filter((element) => {
    /** Beside the element itself: its part of the row around it. */
    const size = JSON.stringify(element).length + 32
    if (size > left) return false
    left -= size
    return true
  })
}

function chunks<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, part) => list.slice(part * size, (part + 1) * size))
}
