/** The response to a request of Slack's: empty for most, an answer where Slack waits for one. Pure, never throws. */
import type { Card, SelectAction } from '#hub/connector/card.ts'
import type { ChatAnswer } from '#hub/connector/chat.ts'
import type { InboundContext, InboundItem, Reply } from '#hub/connector/contract.ts'
import { UnreadableInput } from '#hub/connector/errors.ts'
import type { SlackConfig } from './config.ts'
import { spokenIn } from './phrases.ts'
import { readInput } from './receive.ts'
import { renderOptions } from './render-actions.ts'
import { renderForm } from './render-form.ts'
import { cardView, lineView } from './views.ts'
import type { Interaction } from './wire.ts'

const acknowledged: Reply = { status: 200, headers: {}, body: '' }

export function reply(item: InboundItem, answer: ChatAnswer | undefined, ctx: InboundContext<SlackConfig>): Reply {
  const interaction = interactionIn(item.body)
  if (interaction?.kind === 'submit') return json(afterSubmit(interaction, answer, ctx.config))
  if (interaction?.kind === 'options') return json({ options: optionsFor(interaction, answer) })
  return acknowledged
}

type Submitted = Extract<Interaction, { kind: 'submit' }>
type Asked = Extract<Interaction, { kind: 'options' }>

/** https://docs.slack.dev/surfaces/modals#updating_response */
function afterSubmit({ place }: Submitted, answer: ChatAnswer | undefined, config: SlackConfig): object {
  const spoken = spokenIn(config, place?.channel)
  if (answer === undefined) {
    return { response_action: 'update', view: lineView(spoken.working, spoken.goesOn, spoken) }
  }
  switch (answer.kind) {
    case 'errors':
      return { response_action: 'errors', errors: answer.errors }
    case 'form': {
      const view = renderForm(answer.form, spoken.words, place)
      return { response_action: answer.replaces ? 'update' : 'push', view }
    }
    case 'private':
      return { response_action: 'update', view: cardView(answer.card, spoken, place) }
    case 'results':
    case 'unfurls':
    case 'home':
    case 'card':
    case 'toast':
    case 'nothing':
      return { response_action: 'clear' }
  }
}

/** Of the select that asks, on the card as it is now: those with what was typed in them. */
function optionsFor({ act, typed }: Asked, answer: ChatAnswer | undefined): readonly object[] {
  const card = answer?.kind === 'card' || answer?.kind === 'private' ? answer.card : undefined
  return renderOptions(card ? (selectOf(card, act.act, act.value)?.options ?? []) : [], typed)
}

function selectOf({ actions }: Card, act: string, value: string): SelectAction | undefined {
  return actions.find((one): one is SelectAction => one.kind === 'select' && one.act === act && one.value === value)
}

function json(body: object): Reply {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

function interactionIn(body: string): Interaction | undefined {
  try {
    const input = readInput(body)
    return input.kind === 'interaction' ? input.interaction : undefined
  } catch (error) {
    if (error instanceof UnreadableInput) return undefined
    throw error
  }
}
