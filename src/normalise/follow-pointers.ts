/** Thin webhooks say only "case 512 changed": the hub reads each record once, a hundred at a time. */
import type { LoadedConnection } from '#hub/connections/index.ts'
import type { Context } from '#hub/connector/contract.ts'
import type { CaseFacts, PersonFacts } from '#hub/connector/facts.ts'
import { clean } from './clean.ts'
import type { Fact, Observed, Reading } from './index.ts'

const perRead = 100

/** @throws ConnectorError when the vendor cannot be read: then nothing of this connection's batch is concluded. */
export async function followPointers(
  observed: readonly Observed[],
  connection: LoadedConnection,
  context: Context<unknown>,
): Promise<readonly Reading[]> {
  const { readCases, readPeople } = connection.connector.can
  const wanted = { case: new Set<string>(), person: new Set<string>() }
  for (const one of observed) {
    if ('failed' in one) continue
    for (const observation of one.observations) {
      if (observation.type === 'pointer') wanted[observation.entity].add(observation.id)
    }
  }
  const readAt = context.now().toISOString()
  const cases = readCases
    ? await readAll([...wanted.case], (ids) => readCases.get(context, ids))
    : new Map<string, CaseFacts>()
  const people = readPeople
    ? await readAll([...wanted.person], (ids) => readPeople.get(context, ids))
    : new Map<string, PersonFacts>()

  return observed.map((one): Reading => {
    if ('failed' in one) return one
    const facts = one.observations.flatMap((observation): readonly Fact[] => {
      if (observation.type !== 'pointer') return [observation]
      const { occurredAt, byHub } = observation
      if (observation.entity === 'case') {
        const found = cases.get(observation.id)
        // The first pointer to a case carries what was read; the others in the batch say the same. A record that is gone
        // says nothing.
        cases.delete(observation.id)
        return found ? [{ occurredAt, byHub, readAt, type: 'case', case: found }] : []
      }
      const found = people.get(observation.id)
      people.delete(observation.id)
      return found ? [{ occurredAt, byHub, type: 'person', person: found }] : []
    })
    return { row: one.row, connection, facts: inOrder(facts) }
  })
}

/** A case before the messages on it, and these before their files, whatever order the webhook told them in. */
function inOrder(facts: readonly Fact[]): readonly Fact[] {
  const place = ({ type }: Fact) => (type === 'file' ? 2 : type === 'message' ? 1 : 0)
  return facts.toSorted((a, b) => place(a) - place(b))
}

async function readAll<T extends { readonly id?: string | undefined }>(
  ids: readonly string[],
  read: (ids: readonly string[]) => Promise<readonly T[]>,
): Promise<Map<string, T>> {
  const found = new Map<string, T>()
  for (let start = 0; start < ids.length; start += perRead) {
    for (const record of await read(ids.slice(start, start + perRead))) {
      if (record.id !== undefined) found.set(record.id, clean(record))
    }
  }
  return found
}
