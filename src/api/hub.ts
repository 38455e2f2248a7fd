/** The parts of the hub that the API works with. */
import type { Hub } from '#hub/hub.ts'
import type { RuleBook } from '#hub/pipeline/rule-book.ts'
import type { Reconciliation } from '#hub/reconcile/index.ts'

export type ApiHub = Hub & { readonly rules: RuleBook; readonly reconciliation: Pick<Reconciliation, 'run'> }
