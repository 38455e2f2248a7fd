/** What one language needs. Texts in braces are filled in by the code that uses them. */
import type { SurveyKind } from '../scale.ts'

export interface Messages {
  /** The language's own name, for the switch. */
  readonly language: string
  readonly kinds: Readonly<Record<SurveyKind, KindMessages>>
  readonly page: {
    readonly title: string
    /** {subject} */
    readonly about: string
    readonly send: string
    /** {max} */
    readonly commentHint: string
    readonly optional: string
    readonly oneAnswer: string
    readonly optOut: string
    readonly chooseScore: string
    readonly again: string
    readonly switchLanguage: string
  }
  readonly thanks: PageText & {
    /** {score}, {max} */
    readonly score: string
    readonly comment: string
  }
  readonly answered: PageText
  readonly optedOut: PageText
  /** Before `optedOut`, with its button. */
  readonly stop: PageText
  readonly expired: PageText
  readonly notFound: PageText
  readonly tooMany: PageText
  readonly tooLarge: PageText
  readonly unavailable: PageText
  readonly message: {
    readonly greeting: string
    readonly howTo: string
    /** {date} */
    readonly until: string
    /** Before the address where surveys are stopped. */
    readonly stop: string
  }
}

export interface KindMessages {
  readonly question: string
  readonly comment: string
  /** The meaning of each score, lowest first. */
  readonly scores: readonly string[]
  readonly lowest: string
  readonly highest: string
}

export interface PageText {
  readonly title: string
  readonly text: string
}
