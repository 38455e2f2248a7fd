/** Form → modal. Pure, never throws, and always within what Slack takes; the dialog's answer is read by `readInteraction`. */
import type { InputBlock, InputBlockElement, ModalView } from '@slack/types'
import type { Form, FormField } from '#hub/connector/card.ts'
import { fieldId, packAct } from './action-id.ts'
import { limits, type Room, viewRoom } from './limits.ts'
import { renderOptions } from './render-actions.ts'
import { renderBlocks, shrink } from './render-blocks.ts'
import { clean, oneLine, plain } from './text.ts'
import type { Place } from './wire.ts'
import type { SlackWords } from './words.ts'

/** The value of the one box of a switch. */
const on = 'on'

/**
 * For `views.open`, `views.push` and `views.update`.
 * @param place where the dialog was asked for: Slack forgets it, so it travels with the dialog.
 */
export function renderForm(form: Form, words: SlackWords, place?: Place): ModalView {
  const fields = renderFields(form.fields, words)
  const room: Room = shrink(viewRoom, fields)
  return {
    type: 'modal',
    callback_id: packAct(0, { act: form.act }),
    private_metadata: JSON.stringify({ value: form.value, ...(place ? { place } : {}) }),
    title: plain(form.title, limits.viewTitle),
    submit: plain(form.submit, limits.viewButton),
    close: plain(form.cancel, limits.viewButton),
    blocks: [...renderBlocks({ blocks: form.blocks }, room, words), ...fields],
  }
}

/** A field's name is the id of its block, so that a refusal can name it: `{ response_action: 'errors', errors: { name: … } }`. */
function renderFields(fields: readonly FormField[], words: SlackWords): readonly InputBlock[] {
  const seen = new Set<string>()
  return fields
    .filter(({ name }) => name !== '' && name.length <= limits.blockId && !seen.has(name) && seen.add(name))
    .flatMap((field): readonly InputBlock[] => {
      const element = renderElement(field, words)
      if (element === undefined) return []
      const isRequired = field.kind !== 'switch' && field.isRequired === true
      const hint = isTooLong(field) ? words.tooLongToEdit : oneLine(field.hint ?? '')
      return [
        {
          type: 'input',
          block_id: field.name,
          label: plain(field.label, limits.inputLabel),
          ...(hint === '' ? {} : { hint: plain(hint, limits.inputHint) }),
          optional: !isRequired,
          element,
        },
      ]
    })
    .slice(0, viewRoom.blocks - 1)
}

function renderElement(field: FormField, words: SlackWords): InputBlockElement | undefined {
  switch (field.kind) {
    case 'text': {
      const initial = isTooLong(field) ? '' : clean(field.initial ?? '')
      return {
        type: 'plain_text_input',
        action_id: fieldId,
        multiline: field.isLong === true,
        max_length: longestIn(field),
        ...(initial === '' ? {} : { initial_value: initial }),
      }
    }
    case 'choice': {
      const options = [...renderOptions(field.options, '')]
      const initial = options.find(({ value }) => value === field.initial)
      if (options.length === 0) return undefined
      return {
        type: 'static_select',
        action_id: fieldId,
        options,
        ...(initial ? { initial_option: initial } : {}),
      }
    }
    case 'switch': {
      const box = { text: plain(words.yes, limits.optionText), value: on }
      return {
        type: 'checkboxes',
        action_id: fieldId,
        options: [box],
        ...(field.initial ? { initial_options: [box] } : {}),
      }
    }
  }
}

type TextField = FormField & { readonly kind: 'text' }

function longestIn({ longest }: TextField): number {
  return Math.min(Math.max(1, Math.floor(longest) || 1), limits.textInput)
}

function isTooLong(field: FormField): boolean {
  return field.kind === 'text' && clean(field.initial ?? '').length > longestIn(field)
}
