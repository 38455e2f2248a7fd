import type { Stage } from './stage.ts'

/** One thing that an agent can do in a chat tool, and the proof of it. */
export interface ChatFunction {
  readonly id: string
  readonly title: { readonly en: string; readonly es: string }
  /** Throws when the tool does not do it. Names of cases are its own: several run on one hub. */
  run(stage: Stage): Promise<void>
}
