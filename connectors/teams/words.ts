/** The few words that the drawing itself adds to a card, in the reader's language. */
export interface CardWords {
  /** ISO 639-1, for the client's dates: `en`, `es`. */
  readonly language: string
  /** Stands where a text was cut, and leads to the card's page: `… more in Deskweave`. */
  readonly more: string
  /** For rows, facts, options, actions or files that did not fit: `… and 12 more`. */
  readonly moreItems: (count: number) => string
  /** Above a message, beside its sign: `Internal note`, `Public`. */
  readonly internal: string
  readonly public: string
  /** The button beside a list to choose from: `Set`. */
  readonly set: string
  /** In a list to choose from, as long as nothing is chosen: `Choose…`. */
  readonly choose: string
  /** Under a field that must not stay empty: `Needed`. */
  readonly required: string
  /** In place of a text that is too long to be edited in a dialog. */
  readonly tooLongToEdit: string
}
