/** A form of the workbench as a Teams dialog (formerly "task module") with an Adaptive Card. */
import type { CardElement, IAdaptiveCard, IChoiceSetInput, ISubmitAction } from '@microsoft/teams.cards'
import type { Form, FormField } from '#hub/connector/card.ts'
import { label, listStyle } from './card-actions.ts'
import { type Drawing, drawBlocks, paragraph, run } from './card-blocks.ts'
import { carryForm, dismissal, switchInput, textInput } from './carried.ts'
import { sending } from './dialog-card.ts'
import { escapeMarkdown, oneLine, plain } from './markdown.ts'
import { firstThatFits, foldLine, longestCard, type Room, sizeOf } from './room.ts'
import type { CardWords } from './words.ts'

/** The value of `{ task: { type: 'continue', value } }`. Sizes are the client's own names for them. */
export interface Dialog {
  readonly title: string
  readonly width: 'small' | 'medium' | 'large'
  readonly height: 'small' | 'medium' | 'large'
  readonly card: { readonly contentType: 'application/vnd.microsoft.card.adaptive'; readonly content: IAdaptiveCard }
}

const longestTitle = 60

/**
 * Pure, and within the same size as a card. A text to edit is shown whole or, with a notice, not at all: what was cut would be
 * sent as if it were the whole.
 * @throws RangeError for a form with more fields than fit, which is about 40.
 */
export function renderForm(form: Form, words: CardWords): Dialog {
  const bare = firstThatFits((room) => draw(form, words, room))
  const content = outlined(bare, form)
  if (sizeOf(content) > longestCard) {
    throw new RangeError(
      `form ${form.act}: ${form.fields.length} fields do not fit into a Teams dialog; ask in two forms`,
    )
  }
  const isLarge = form.blocks.length > 2 || form.fields.some((field) => field.kind === 'text' && field.isLong)
  return {
    title: foldLine(oneLine(form.title), longestTitle),
    width: isLarge ? 'large' : 'medium',
    height: isLarge ? 'large' : 'medium',
    card: { contentType: 'application/vnd.microsoft.card.adaptive', content },
  }
}

/** With the form itself in what its button sends, where there is room for that. */
function outlined(card: IAdaptiveCard, form: Form): IAdaptiveCard {
  const [submit, ...others] = card.actions ?? []
  if (submit?.type !== 'Action.Submit') return card
  const whole = { ...card, actions: [{ ...submit, data: carryForm(form, true) }, ...others] }
  return sizeOf(whole) <= longestCard ? whole : card
}

function draw(form: Form, words: CardWords, room: Room): IAdaptiveCard {
  // Any other button would send what is filled in, too.
  const isForm = form.fields.length > 0
  const drawing: Drawing = { words, room, isForm }
  const submit: ISubmitAction = {
    type: 'Action.Submit',
    title: label(form.submit),
    style: 'positive',
    data: carryForm(form, false),
  }
  const cancel: ISubmitAction = {
    type: 'Action.Submit',
    title: label(form.cancel),
    data: dismissal,
    associatedInputs: 'none',
  }
  return {
    type: 'AdaptiveCard',
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    version: '1.5',
    lang: words.language,
    fallbackText: escapeMarkdown(foldLine(oneLine(form.title), longestTitle)),
    body: [...sending(drawBlocks(form.blocks, drawing)), ...form.fields.flatMap((field) => drawField(field, drawing))],
    actions: [submit, cancel],
  }
}

function drawField(field: FormField, drawing: Drawing): readonly CardElement[] {
  const { room } = drawing
  const hint = field.hint === undefined ? [] : [paragraph(run(foldLine(field.hint, room.text), { isSubtle: true }))]
  switch (field.kind) {
    case 'switch':
      return [
        {
          type: 'Input.Toggle',
          id: switchInput(field.name),
          title: label(field.label),
          value: `${field.initial}`,
          wrap: true,
        },
        ...hint,
      ]
    case 'choice':
      return [drawChoice(field, drawing), ...hint]
    case 'text': {
      const fits = (field.initial?.length ?? 0) <= Math.min(room.initial, field.longest)
      return [
        {
          type: 'Input.Text',
          id: textInput(field.name),
          label: label(field.label),
          maxLength: field.longest,
          ...(field.isLong ? { isMultiline: true } : {}),
          ...(field.initial !== undefined && fits ? { value: field.initial } : {}),
          ...required(field, drawing),
        },
        ...(fits ? [] : [paragraph(run(drawing.words.tooLongToEdit, { weight: 'Bolder' }))]),
        ...hint,
      ]
    }
  }
}

function drawChoice(field: FormField & { readonly kind: 'choice' }, drawing: Drawing): IChoiceSetInput {
  const { words, room } = drawing
  const choices = field.options.slice(0, room.options)
  const initial = field.options.find(({ value }) => value === field.initial)
  if (initial && !choices.includes(initial)) choices.splice(-1, 1, initial)
  return {
    type: 'Input.ChoiceSet',
    id: textInput(field.name),
    label: label(field.label),
    style: listStyle(choices.length),
    placeholder: plain(words.choose),
    choices: choices.map(({ value, label: title }) => ({ value, title: label(title) })),
    ...(initial && choices.includes(initial) ? { value: initial.value } : {}),
    ...required(field, drawing),
  }
}

const required = ({ isRequired }: { readonly isRequired?: boolean }, { words }: Drawing) =>
  isRequired ? { isRequired: true, errorMessage: plain(words.required) } : {}
