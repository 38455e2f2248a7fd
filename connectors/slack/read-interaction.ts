/** What somebody pressed, chose, typed or submitted in Slack. Pure; the request's signature was checked before. */
import { z } from 'zod'
import type { Act } from '#hub/connector/card.ts'
import { UnreadableInput } from '#hub/connector/errors.ts'
import { fieldId, unpackAct } from './action-id.ts'
import { isGone, isHeldBack } from './told-files.ts'
import {
  type Interaction,
  type Place,
  type SharedFile,
  WireBlockActions,
  WireBlockSuggestion,
  WireCommand,
  type WireElementState,
  WireMessageAction,
  WireMetadata,
  WireShortcut,
  type WireState,
  type WireView,
  WireViewClosed,
  WireViewSubmission,
} from './wire.ts'

/**
 * The payload inside the body of an interaction or of a slash command (`application/x-www-form-urlencoded`).
 * Over Socket Mode the payload comes as it is.
 * @throws UnreadableInput
 */
export function interactionPayload(body: string): unknown {
  const form = new URLSearchParams(body)
  const payload = form.get('payload')
  if (payload === null) return Object.fromEntries(form)
  try {
    return JSON.parse(payload)
  } catch (error) {
    throw new UnreadableInput('the field "payload" is not JSON', { cause: error })
  }
}

/** @throws UnreadableInput when a kind that we know has not the shape that we know. */
export function readInteraction(payload: unknown): Interaction {
  const { type, command, ssl_check: certificateCheck } = parse(Kind, payload, 'interaction')
  if (certificateCheck) return { kind: 'nothing', why: 'Slack checks the certificate' }
  if (command) return readCommand(parse(WireCommand, payload, 'slash command'))
  switch (type) {
    case 'block_actions':
      return readPress(parse(WireBlockActions, payload, type))
    case 'view_submission':
      return readView('submit', parse(WireViewSubmission, payload, type))
    case 'view_closed':
      return readView('cancel', parse(WireViewClosed, payload, type))
    case 'shortcut': {
      const shortcut = parse(WireShortcut, payload, type)
      return { kind: 'shortcut', name: shortcut.callback_id, ...press(shortcut) }
    }
    case 'message_action':
      return readMessageShortcut(parse(WireMessageAction, payload, type))
    case 'block_suggestion':
      return readOptions(parse(WireBlockSuggestion, payload, type))
    default:
      return { kind: 'nothing', why: `"${String(type).slice(0, 40)}" is no kind that is read` }
  }
}

const optionalText = z.string().nullish().catch(undefined)
const Kind = z.object({ type: optionalText, command: optionalText, ssl_check: optionalText })

function parse<T extends z.ZodType>(schema: T, payload: unknown, what: string): z.output<T> {
  const parsed = schema.safeParse(payload)
  if (parsed.success) return parsed.data
  throw new UnreadableInput(`${what}: ${z.prettifyError(parsed.error).slice(0, 500)}`)
}

/** A message has one press at a time; what is not ours (an input that reports while typing) is passed over. */
function readPress(payload: z.output<typeof WireBlockActions>): Interaction {
  const typed = typedFields(payload.view?.state ?? payload.state)
  for (const { type, action_id, value, selected_option, action_ts } of payload.actions) {
    const chosen = selected_option?.value ?? undefined
    const carried = unpackAct((type === 'overflow' ? chosen : action_id) ?? '')
    if (!carried?.act) continue
    const act: Act = {
      act: carried.act,
      value: carried.value ?? value ?? '',
      fields: { ...typed, ...(chosen === undefined || type === 'overflow' ? {} : { chosen }) },
    }
    const { view } = payload
    const place = placeOf(payload) ?? (view ? metadataOf(view).place : undefined)
    return {
      kind: 'act',
      act,
      ...press({ ...payload, action_ts }),
      ...(place ? { place } : {}),
      ...(view ? { view: viewRef(view) } : {}),
    }
  }
  return { kind: 'nothing', why: 'only a link, or nothing of ours, was pressed' }
}

function readView(
  kind: 'submit' | 'cancel',
  payload: z.output<typeof WireViewSubmission> | z.output<typeof WireViewClosed>,
): Interaction {
  const { view } = payload
  const carried = unpackAct(view.callback_id ?? '')
  if (!carried?.act) return { kind: 'nothing', why: 'the dialog is not ours' }
  const { value, place } = metadataOf(view)
  const act: Act = { act: carried.act, value, fields: typedFields(view.state) }
  return { kind, act, view: viewRef(view), ...press(payload), ...(place ? { place } : {}) }
}

function readMessageShortcut(payload: z.output<typeof WireMessageAction>): Interaction {
  const { message, channel } = payload
  const { ts, thread_ts: threadTs, user, bot_id: botId } = message
  return {
    kind: 'message_shortcut',
    name: payload.callback_id,
    ...press(payload),
    place: { channel: channel.id, messageTs: ts, ...(threadTs ? { threadTs } : {}) },
    message: {
      ts,
      ...(threadTs ? { threadTs } : {}),
      ...(user ? { userId: user } : {}),
      ...(botId ? { botId } : {}),
      text: message.text ?? '',
      files: (message.files ?? []).map(sharedFile),
    },
  }
}

/** Of what is gone the id alone is left. */
function sharedFile(file: WireSharedFile): SharedFile {
  const { id, name, mimetype, size, url_private_download: url } = file
  if (isGone(file)) return { id }
  return {
    id,
    ...(name ? { name } : {}),
    ...(mimetype ? { mediaType: mimetype } : {}),
    ...(typeof size === 'number' ? { bytes: size } : {}),
    ...(url ? { url } : {}),
    ...(isHeldBack(file) ? { isHeldBack: true } : {}),
  }
}

type WireSharedFile = NonNullable<z.output<typeof WireMessageAction>['message']['files']>[number]

function readOptions(payload: z.output<typeof WireBlockSuggestion>): Interaction {
  const carried = unpackAct(payload.action_id)
  if (!carried?.act) return { kind: 'nothing', why: 'the select is not ours' }
  const act: Act = { act: carried.act, value: carried.value ?? '', fields: {} }
  const place = placeOf(payload)
  return { kind: 'options', act, typed: payload.value ?? '', ...press(payload), ...(place ? { place } : {}) }
}

function readCommand(command: z.output<typeof WireCommand>): Interaction {
  const { user_id, team_id, enterprise_id, channel_id, is_enterprise_install: isOrg, ...rest } = command
  return {
    kind: 'command',
    command: rest.command,
    text: rest.text?.trim() ?? '',
    ...press({
      ...rest,
      user: { id: user_id, team_id },
      team: { id: team_id },
      enterprise: { id: enterprise_id },
      is_enterprise_install: isOrg === 'true',
    }),
    // Between the person and the app, where no channel is named.
    place: { channel: channel_id || user_id },
  }
}

interface Pressed {
  readonly user: { readonly id: string; readonly team_id?: string | null | undefined }
  readonly team?: { readonly id?: string | null | undefined } | null | undefined
  readonly enterprise?: { readonly id?: string | null | undefined } | null | undefined
  readonly trigger_id?: string | null | undefined
  readonly response_url?: string | null | undefined
  readonly is_enterprise_install?: boolean | null | undefined
  readonly api_app_id?: string | null | undefined
  readonly action_ts?: string | null | undefined
}

function press({ user, team, enterprise, trigger_id: triggerId, response_url: responseUrl, ...more }: Pressed) {
  const teamId = user.team_id ?? team?.id
  const { is_enterprise_install: isOfOrganisation, api_app_id: appId, action_ts: at } = more
  return {
    user: { id: user.id, ...(teamId ? { teamId } : {}) },
    install: {
      ...(team?.id && !(isOfOrganisation && enterprise?.id) ? { teamId: team.id } : {}),
      ...(enterprise?.id ? { enterpriseId: enterprise.id } : {}),
    },
    ...(triggerId ? { triggerId } : {}),
    ...(responseUrl ? { responseUrl } : {}),
    ...(appId ? { appId } : {}),
    ...(at ? { at } : {}),
  }
}

/** In a dialog and in the home tab there is no channel. */
function placeOf({ channel, message, container }: PlacedPayload): Place | undefined {
  const id = channel?.id ?? container?.channel_id
  if (!id) return undefined
  const messageTs = message?.ts ?? container?.message_ts
  const threadTs = message?.thread_ts ?? container?.thread_ts
  return {
    channel: id,
    ...(messageTs ? { messageTs } : {}),
    ...(threadTs ? { threadTs } : {}),
    ...(container?.is_ephemeral ? { isEphemeral: true } : {}),
  }
}

type PlacedPayload = Pick<z.output<typeof WireBlockActions>, 'channel' | 'message' | 'container'>

function viewRef({ id, hash, type }: WireView) {
  return { id, ...(hash ? { hash } : {}), ...(type === 'home' ? { isHome: true as const } : {}) }
}

function metadataOf({ private_metadata: metadata }: WireView): z.output<typeof WireMetadata> {
  try {
    return WireMetadata.parse(JSON.parse(metadata || '{}'))
  } catch {
    return { value: '' }
  }
}

/** By field name. What is empty is absent; a switch is always there. */
function typedFields(state: WireState): Act['fields'] {
  const blocks = Object.entries(state?.values ?? {})
  return Object.fromEntries(
    blocks.flatMap(([name, elements]) => {
      const value = elements[fieldId] && typedValue(elements[fieldId])
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

function typedValue({
  type,
  value,
  selected_option,
  selected_options,
}: WireElementState): string | boolean | undefined {
  if (type === 'checkboxes') return (selected_options ?? []).length > 0
  return (selected_option?.value ?? value) || undefined
}
