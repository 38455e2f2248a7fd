/** What Slack refuses to take more of. Characters, as JavaScript counts them; read 2026-11 from docs.slack.dev/reference/block-kit. */
export const limits = {
  section: 3_000,
  /** Elements of a context block: not documented for each, this is the least of what is. */
  context: 2_000,
  field: 2_000,
  fieldsPerSection: 10,
  header: 150,
  elementsPerActions: 25,
  optionsPerMenu: 5,
  optionsPerSelect: 100,
  optionText: 75,
  /** The SDK's types say 75, newer pages say 150. */
  optionValue: 75,
  placeholder: 150,
  buttonText: 75,
  buttonValue: 2_000,
  url: 3_000,
  actionId: 255,
  confirmTitle: 100,
  confirmText: 300,
  confirmButton: 30,
  viewTitle: 24,
  viewButton: 24,
  callbackId: 255,
  blockId: 255,
  privateMetadata: 3_000,
  inputLabel: 2_000,
  inputHint: 2_000,
  textInput: 3_000,
} as const

/** How much one surface holds: blocks, and characters of its JSON. */
export interface Room {
  readonly blocks: number
  readonly characters: number
}

/**
 * Slack answers `msg_blocks_too_long` at about 13,000 characters and does not say what it counts; the sum of the texts alone
 * is too little (github.com/slackapi/bolt-js/issues/2867), so the whole JSON is held below 12,000.
 */
export const messageRoom: Room = { blocks: 50, characters: 12_000 }

/** Views are refused (`view_too_large`) far above this; more than this nobody reads. */
export const viewRoom: Room = { blocks: 100, characters: 60_000 }
