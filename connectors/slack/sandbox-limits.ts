/** Slack's limits as a schema of its own, typed in from the vendor's pages: what it refuses, Slack refuses. For the sandbox and for tests. */
import { z } from 'zod'

const plainText = (longest: number) =>
  z.strictObject({ type: z.literal('plain_text'), text: z.string().min(1).max(longest), emoji: z.boolean().optional() })
const markup = (longest: number) =>
  z.strictObject({ type: z.literal('mrkdwn'), text: z.string().min(1).max(longest), verbatim: z.literal(true) })
const anyText = (longest: number) => z.union([plainText(longest), markup(longest)])

const areUnique = (list: readonly string[]) => new Set(list).size === list.length

const confirm = z.strictObject({
  title: plainText(100),
  text: plainText(300),
  confirm: plainText(30),
  deny: plainText(30),
  style: z.enum(['primary', 'danger']).optional(),
})
const actionId = z.string().min(1).max(255)
const option = z.strictObject({
  text: plainText(75),
  value: z.string().min(1).max(75),
  url: z.url().max(3_000).optional(),
})
const options = z
  .array(option)
  .min(1)
  .max(100)
  .refine((list) => areUnique(list.map(({ value }) => value)))
const button = z.strictObject({
  type: z.literal('button'),
  action_id: actionId,
  text: plainText(75),
  value: z.string().max(2_000).optional(),
  url: z.url().max(3_000).optional(),
  style: z.enum(['primary', 'danger']).optional(),
  confirm: confirm.optional(),
})
const staticSelect = z.strictObject({
  type: z.literal('static_select'),
  action_id: actionId,
  placeholder: plainText(150).optional(),
  options,
  initial_option: option.optional(),
})
const externalSelect = z.strictObject({
  type: z.literal('external_select'),
  action_id: actionId,
  placeholder: plainText(150),
  min_query_length: z.literal(0),
})
const overflow = z.strictObject({ type: z.literal('overflow'), action_id: actionId, options: options.max(5) })
const input = z.discriminatedUnion('type', [
  staticSelect,
  z.strictObject({
    type: z.literal('plain_text_input'),
    action_id: actionId,
    multiline: z.boolean(),
    max_length: z.int().min(1).max(3_000),
    initial_value: z.string().min(1).max(3_000).optional(),
  }),
  z.strictObject({
    type: z.literal('checkboxes'),
    action_id: actionId,
    options: options.max(10),
    initial_options: options.max(10).optional(),
  }),
])

const Block = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('header'), text: plainText(150) }),
  z.strictObject({ type: z.literal('divider') }),
  z.strictObject({ type: z.literal('context'), elements: z.array(anyText(2_000)).min(1).max(10) }),
  z
    .strictObject({
      type: z.literal('section'),
      text: anyText(3_000).optional(),
      fields: z.array(anyText(2_000)).min(1).max(10).optional(),
      accessory: button.optional(),
    })
    .refine(({ text, fields }) => text !== undefined || fields !== undefined),
  z.strictObject({
    type: z.literal('actions'),
    elements: z
      .array(z.discriminatedUnion('type', [button, staticSelect, externalSelect, overflow]))
      .min(1)
      .max(25)
      .refine((list) => areUnique(list.map(({ action_id }) => action_id))),
  }),
  z.strictObject({
    type: z.literal('input'),
    block_id: z.string().min(1).max(255),
    label: plainText(2_000),
    hint: plainText(2_000).optional(),
    optional: z.boolean(),
    element: input,
  }),
])

export const WithinMessage = z
  .strictObject({ text: z.string().min(1).max(4_000), blocks: z.array(Block).min(1).max(50) })
  .refine((message) => JSON.stringify(message).length <= 12_000, 'more than 12,000 characters')

const viewBlocks = z
  .array(Block)
  .max(100)
  .refine((blocks) => {
    return areUnique(blocks.flatMap((block) => ('block_id' in block ? [block.block_id] : [])))
  })

const modal = {
  type: z.literal('modal'),
  private_metadata: z.string().max(3_000),
  title: plainText(24),
  close: plainText(24),
  blocks: viewBlocks,
}
const isSmallEnough = (view: object) => JSON.stringify(view).length <= 250_000

export const WithinModal = z
  .strictObject({ ...modal, callback_id: z.string().min(1).max(255), submit: plainText(24) })
  .refine(isSmallEnough, 'view_too_large')

/** A dialog without a field needs no button that sends it. */
export const WithinView = z.union([
  WithinModal,
  z
    .strictObject({ ...modal, private_metadata: modal.private_metadata.optional(), blocks: viewBlocks.min(1) })
    .refine((view) => view.blocks.every(({ type }) => type !== 'input') && isSmallEnough(view)),
])

export const WithinHome = z.strictObject({ type: z.literal('home'), blocks: viewBlocks.min(1) })
