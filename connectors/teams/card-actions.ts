/** What can be pressed on a card. */
import type { Action, CardElement, IColumn, IExecuteAction, ISubmitAction } from '@microsoft/teams.cards'
import type { ButtonAction, CardAction, Confirm, SelectAction } from '#hub/connector/card.ts'
import { carry, selectInput } from './carried.ts'
import { escapeMarkdown, oneLine, plain, webUrl } from './markdown.ts'
import { foldLine, type Room } from './room.ts'
import type { CardWords } from './words.ts'

interface Drawing {
  readonly words: CardWords
  readonly room: Room
}

/** What Teams shows as buttons; the others go into its "…" menu. */
const mostButtons = 6
const longestLabel = 80

/** Selects and questions, which are elements, and the card's own buttons. `hidden` is how many actions had no room. */
export interface DrawnActions {
  readonly elements: readonly CardElement[]
  readonly buttons: readonly Action[]
  readonly hidden: number
}

export function drawActions(actions: readonly CardAction[], drawing: Drawing): DrawnActions {
  const shown = actions.slice(0, drawing.room.actions)
  const elements = shown.flatMap((action, position): readonly CardElement[] => {
    if (action.kind === 'select') return drawSelect(action, position, drawing)
    return action.kind === 'button' ? question(action, `${position}`, drawing) : []
  })
  const hidden = actions.length - shown.length
  const answers = answersTo(shown)
  if (answers) return { elements: [...elements, ...scale(answers)], buttons: [], hidden }
  const buttons = shown
    .flatMap((action, position): readonly Action[] => {
      if (action.kind === 'button') return [drawButton(action, `${position}`)]
      const url = action.kind === 'link' ? webUrl(action.url) : undefined
      return url === undefined ? [] : [{ type: 'Action.OpenUrl', title: label(action.label), url }]
    })
    .map((button, position) => (position < mostButtons ? button : { ...button, mode: 'secondary' as const }))
  return { elements, buttons, hidden }
}

/** All of them answers to one question, and more than a row holds. */
function answersTo(actions: readonly CardAction[]): readonly ButtonAction[] | undefined {
  const buttons = actions.filter((action) => action.kind === 'button')
  const isOneQuestion = buttons.length === actions.length && new Set(buttons.map(({ act }) => act)).size === 1
  return isOneQuestion && buttons.length > mostButtons ? buttons : undefined
}

/** In rows of about the same length: what lies behind "…" is chosen less, so the end of a scale must not. */
function scale(answers: readonly ButtonAction[]): readonly CardElement[] {
  const rows = Math.ceil(answers.length / mostButtons)
  const perRow = Math.ceil(answers.length / rows)
  return Array.from({ length: rows }, (_, row) => ({
    type: 'ActionSet',
    ...(row > 0 ? { spacing: 'Small' as const } : {}),
    actions: answers
      .slice(row * perRow, (row + 1) * perRow)
      .map((answer, place) => drawButton(answer, `${row * perRow + place}`)),
  }))
}

/** A button at the end of a row. */
export function actionColumn(action: ButtonAction, id: string): IColumn {
  return {
    type: 'Column',
    width: 'auto',
    verticalContentAlignment: 'Center',
    items: [{ type: 'ActionSet', actions: [drawButton(action, id)] }],
  }
}

/**
 * The step between a press and the act. Version 1.5 has no confirming dialog, and a card that Action.ShowCard opened can
 * only be closed by the button that opened it; so the question is a part of the card that the button shows and "no" hides.
 */
export function question(action: ButtonAction, id: string, { room }: Drawing): readonly CardElement[] {
  const { confirm } = action
  if (!confirm) return []
  return [
    {
      type: 'Container',
      id: questionId(id),
      isVisible: false,
      style: 'emphasis',
      items: [
        ...wording(confirm, room),
        {
          type: 'ActionSet',
          actions: [
            { ...acting({ ...action, label: confirm.yes }), ...style(action) },
            { type: 'Action.ToggleVisibility', title: label(confirm.no), targetElements: [questionId(id)] },
          ],
        },
      ],
    },
  ]
}

function wording({ title, text }: Confirm, room: Room): readonly CardElement[] {
  return [
    { type: 'TextBlock', text: escapeMarkdown(foldLine(oneLine(title), room.line)), wrap: true, weight: 'Bolder' },
    { type: 'RichTextBlock', inlines: [{ type: 'TextRun', text: plain(foldLine(text, room.text)) }] },
  ]
}

function drawButton(action: ButtonAction, id: string): Action {
  if (!action.confirm) return { ...acting(action), ...style(action) }
  return {
    type: 'Action.ToggleVisibility',
    title: label(action.label),
    targetElements: [questionId(id)],
    ...style(action),
  }
}

/** Inputs stay out of it: a press must not depend on what stands in the selects beside it. */
function acting(action: ButtonAction): IExecuteAction | ISubmitAction {
  const title = label(action.label)
  const data = carry(action.act, action.value)
  return action.opensForm
    ? { type: 'Action.Submit', title, data: { ...data, msteams: { type: 'task/fetch' } }, associatedInputs: 'none' }
    : { type: 'Action.Execute', title, verb: action.act, data, associatedInputs: 'none' }
}

/** A list to choose from and a button beside it: version 1.5 knows no action on a change. */
function drawSelect(action: SelectAction, position: number, drawing: Drawing): readonly CardElement[] {
  const { words, room } = drawing
  const id = selectInput(position)
  const choices = action.options.slice(0, room.options)
  const chosen = action.options.find(({ value }) => value === action.chosen)
  if (chosen && !choices.includes(chosen)) choices.splice(-1, 1, chosen)
  const hidden = action.options.length - choices.length
  return [
    {
      type: 'ColumnSet',
      columns: [
        {
          type: 'Column',
          width: 'stretch',
          items: [
            {
              type: 'Input.ChoiceSet',
              id,
              label: label(action.label),
              style: listStyle(choices.length),
              placeholder: plain(words.choose),
              choices: choices.map(({ value, label: title }) => ({ value, title: label(title) })),
              ...(chosen && choices.includes(chosen) ? { value: chosen.value } : {}),
            },
          ],
        },
        {
          type: 'Column',
          width: 'auto',
          verticalContentAlignment: 'Bottom',
          items: [
            {
              type: 'ActionSet',
              actions: [
                {
                  ...choosing(action, id),
                  title: label(words.set),
                  tooltip: label(`${words.set}: ${action.label}`),
                },
              ],
            },
          ],
        },
      ],
    },
    ...(hidden > 0
      ? [
          {
            type: 'RichTextBlock' as const,
            inlines: [{ type: 'TextRun' as const, text: plain(words.moreItems(hidden)), isSubtle: true }],
          },
        ]
      : []),
  ]
}

function choosing({ act, value, opensForm }: SelectAction, id: string): IExecuteAction | ISubmitAction {
  const data = carry(act, value, id)
  return opensForm
    ? { type: 'Action.Submit', data: { ...data, msteams: { type: 'task/fetch' } } }
    : { type: 'Action.Execute', verb: act, data }
}

const questionId = (id: string) => `question-${id}`

const styles = { primary: 'positive', danger: 'destructive' } as const
const style = (action: ButtonAction) => (action.style ? { style: styles[action.style] } : {})

/** A long list is searched by typing, which Teams has beyond the published schema of 1.5; other clients draw it compact. */
export const listStyle = (options: number) => (options > 10 ? 'filtered' : 'compact')

/** Buttons and options know no Markdown, and cut what is longer than they are wide. */
export const label = (text: string) => plain(foldLine(oneLine(text), longestLabel))
