/** What the planner knows of the workspace: the part that a batch of claims may touch. */
import type { DatedFields } from '#hub/platform/db/schema.ts'
import type { Key } from './claim.ts'
import type { CompanyWorld } from './company-plan.ts'

/** A profile with its one vendor record: what it owns stays with it through merges. */
export interface Leaf {
  readonly id: string
  readonly rootId: string
  readonly name: string | null
  readonly createdAt: Date
  /** Of the newest news, never of a merge: an undone merge leaves no trace in it. */
  readonly updatedAt: Date
  /** The connection whose vendor gave the record its id; null where an address is the record's key. */
  readonly vendor: string | null
  /** How many identities it owns. */
  readonly emails: number
  readonly phones: number
  /** Leaves that a person has parted from this one: the hub never joins them again by itself. */
  readonly blocked: readonly string[]
}

export interface PersonRecord {
  readonly connectionId: string
  readonly externalId: string
  readonly profileId: string
  readonly companyId: string | null
  /** Some claim about it was verified. */
  readonly verified: boolean
  readonly facts: DatedFields
  readonly observedAt: string
}

/** Whose key it is. A vendor's id needs none: it is its record's own key. */
export interface Identity extends Key {
  readonly profileId: string
  readonly verified: boolean
  readonly connectionId: string
  readonly externalId: string
}

/** Complete: with a leaf come all leaves of its root. */
export interface World {
  readonly leaves: ReadonlyMap<string, Leaf>
  readonly records: ReadonlyMap<string, PersonRecord>
  readonly identities: ReadonlyMap<string, Identity>
  readonly companies: CompanyWorld
}

/** The place of a key in maps. */
export function keyText(key: Key): string {
  return `${key.kind}:${key.value}`
}
