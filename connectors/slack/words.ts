/** The few words that the drawing itself adds to a card, in the reader's language. */
export interface SlackWords {
  /** Stands where something was cut and leads to the whole: "… more in Deskweave". */
  readonly more: string
  /** For the rows of a list that did not fit: "… and 12 more". */
  readonly surplus: (count: number) => string
  /** Beside the mark of a message: "Internal note". */
  readonly internal: string
  /** "Visible to the customer". */
  readonly public: string
  /** The one box of a switch: "Yes". */
  readonly yes: string
  /** In place of a text that is too long to be edited in a dialog: half of it would be sent as the whole. */
  readonly tooLongToEdit: string
}
