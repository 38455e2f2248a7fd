/**
 * What only one process may do at a time, for as long as it says so again in time. All times are the database's. A holder
 * that was away too long must stop by itself: others may have begun.
 */
import { sql } from 'kysely'
import type { Db } from './db/database.ts'

export interface Lease {
  readonly name: string
  /** One process, or one holder in it. */
  readonly owner: string
}

/** Takes the lease, or keeps it. @returns false when somebody else has it. */
export async function takeLease(db: Db, { name, owner }: Lease, seconds: number): Promise<boolean> {
  const { rows } = await sql`
    insert into leases (name, owner, lease_until)
    values (${name}, ${owner}, statement_timestamp() + make_interval(secs => ${seconds}))
    on conflict (workspace_id, name) do update set owner = excluded.owner, lease_until = excluded.lease_until
      where leases.owner = excluded.owner or leases.lease_until < statement_timestamp()
    returning name
  `.execute(db)
  return rows.length > 0
}

export async function dropLease(db: Db, { name, owner }: Lease): Promise<void> {
  await db.deleteFrom('leases').where('name', '=', name).where('owner', '=', owner).execute()
}
