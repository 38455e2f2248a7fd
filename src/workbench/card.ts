/**
 * What agents see and press in a chat tool, described once. Each chat connector draws it with the vendor's own means, within
 * the vendor's limits; a kind that one of them cannot draw does not compile.
 *
 * Pure data: texts are plain (a renderer escapes them), times are ISO 8601 in UTC (a renderer shows them in the reader's own
 * zone where the vendor can), and nothing here knows a vendor.
 */

/** Something to read, and to act on. */
export interface Card {
  /** What the card is about and shows, such as `case:case_01…`: a newer card of the same key replaces an older one. */
  readonly key: string
  readonly title: string
  /** Where the title leads. */
  readonly url?: string
  readonly tone?: Tone
  readonly blocks: readonly CardBlock[]
  /** In rows of their own below the blocks; the first ones are the most wanted, and what does not fit goes into a menu. */
  readonly actions: readonly CardAction[]
  /** One line for notifications and for screen readers: the whole card in a sentence. */
  readonly summary: string
}

export type Tone = 'neutral' | 'good' | 'attention' | 'urgent'

export type CardBlock =
  | { readonly kind: 'text'; readonly text: string; readonly isSubtle?: boolean }
  /** Label and value, in two columns where there is room. */
  | { readonly kind: 'facts'; readonly facts: readonly Fact[] }
  | { readonly kind: 'heading'; readonly text: string }
  /** Rows, each with its own link and at most one button. */
  | { readonly kind: 'list'; readonly items: readonly ListItem[]; readonly whenEmpty: string }
  /** What somebody wrote. `internal` and `public` must be told apart at a glance, not by colour alone. */
  | { readonly kind: 'message'; readonly message: CardMessage }
  /** A warning or a piece of news about the card itself: "the desk cannot be reached; your change is waiting". */
  | { readonly kind: 'notice'; readonly text: string; readonly tone: Tone }
  | { readonly kind: 'divider' }

export interface Fact {
  readonly label: string
  readonly value: string | { readonly at: string }
  readonly url?: string
}

export interface ListItem {
  readonly title: string
  readonly detail?: string
  readonly url?: string
  readonly tone?: Tone
  readonly action?: ButtonAction
}

export interface CardMessage {
  readonly author: string
  readonly visibility: 'public' | 'internal'
  readonly text: string
  readonly at: string
  /** Names of files. */
  readonly files?: readonly string[]
}

export type CardAction = ButtonAction | SelectAction | LinkAction

/**
 * `act` (up to 50 characters) and `value` come back when it is pressed; who pressed it and whether they may is decided then.
 */
export interface ButtonAction {
  readonly kind: 'button'
  readonly act: string
  /** Up to 200 characters. */
  readonly value: string
  readonly label: string
  readonly style?: 'primary' | 'danger'
  /** Asked before anything happens. */
  readonly confirm?: Confirm
  /** It opens a form, or another card for the one who pressed: some tools must know that before it is pressed. */
  readonly opensForm?: boolean
}

export interface Confirm {
  readonly title: string
  readonly text: string
  readonly yes: string
  readonly no: string
}

/** Chosen, it acts at once: the option comes back as `fields.chosen`. Up to 100 options. */
export interface SelectAction {
  readonly kind: 'select'
  readonly act: string
  readonly value: string
  readonly label: string
  readonly options: readonly Option[]
  readonly chosen?: string
  /** As of a button. */
  readonly opensForm?: boolean
}

export interface Option {
  /** Up to 75 characters, each option its own. */
  readonly value: string
  readonly label: string
}

export interface LinkAction {
  readonly kind: 'link'
  readonly label: string
  readonly url: string
}

/** A dialog: opened by a button or a shortcut, it gives its values to `act`. */
export interface Form {
  readonly act: string
  readonly value: string
  readonly title: string
  readonly submit: string
  readonly cancel: string
  readonly blocks: readonly CardBlock[]
  readonly fields: readonly FormField[]
}

export type FormField = { readonly name: string; readonly label: string; readonly hint?: string } & (
  | {
      readonly kind: 'text'
      readonly isLong?: boolean
      readonly isRequired?: boolean
      readonly initial?: string
      /** Characters. */
      readonly longest: number
    }
  | {
      readonly kind: 'choice'
      readonly options: readonly Option[]
      readonly isRequired?: boolean
      readonly initial?: string
    }
  | { readonly kind: 'switch'; readonly initial: boolean }
)

/** What a submitted form or a pressed action carries. */
export interface Act {
  readonly act: string
  readonly value: string
  readonly fields: Readonly<Record<string, string | boolean>>
}
