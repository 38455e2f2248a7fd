/** Traits that rules set. They are records of the hub's own, one per rule and leaf, and compete with the vendors' by time. */
import { sql } from 'kysely'
import type { FieldValue } from '#hub/connector/facts.ts'
import { inserter } from '#hub/platform/db/bulk.ts'
import type { Trx } from '#hub/platform/db/database.ts'
import { hubSource } from './load.ts'

interface RuleTraits {
  /** The leaf. */
  readonly profileId: string
  readonly traits: Readonly<Record<string, FieldValue>>
  readonly ruleId: string
}

const columns = {
  connection_id: 'text',
  external_id: 'text',
  profile_id: 'text',
  verified: 'boolean',
  facts: 'jsonb',
  observed_at: 'timestamptz',
}
const onRecord = `on conflict (workspace_id, connection_id, external_id) do update
  set facts = person_records.facts || excluded.facts, observed_at = excluded.observed_at`
const insertRecords = inserter({ table: 'person_records', columns, onConflict: onRecord })

/** Later entries win over earlier ones of the same rule and profile. */
export async function setTraits(trx: Trx, wanted: readonly RuleTraits[], now: Date): Promise<void> {
  if (wanted.length === 0) return
  const at = now.toISOString()
  const rows = new Map<string, { profileId: string; facts: Record<string, unknown> }>()
  for (const { profileId, traits, ruleId } of wanted) {
    const externalId = ruleRecord(ruleId, profileId)
    const facts = Object.entries(traits).map(([name, value]) => [`traits.${name}`, { value, at }] as const)
    rows.set(externalId, { profileId, facts: { ...rows.get(externalId)?.facts, ...Object.fromEntries(facts) } })
  }
  const records = [...rows].map(([externalId, { profileId, facts }]) => ({
    connection_id: hubSource,
    external_id: externalId,
    profile_id: profileId,
    verified: true,
    facts,
    observed_at: at,
  }))
  await insertRecords(trx, records)
  await sql`update profiles set updated_at = ${now} where id = any(${[...new Set(wanted.map((one) => one.profileId))]})`.execute(
    trx,
  )
}

function ruleRecord(ruleId: string, profileId: string): string {
  return `rule:${ruleId}:${profileId}`
}

/** The rule behind a record of the hub's own. */
export function ruleOf(connectionId: string, record: string): string | undefined {
  if (connectionId !== hubSource || !record.startsWith('rule:')) return undefined
  return record.slice('rule:'.length, record.lastIndexOf(':'))
}
