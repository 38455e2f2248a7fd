import { beforeEach, describe, expect, it } from 'vitest'
import { acts } from '#hub/workbench/index.ts'
import { testDatabase } from '#kit'
import { chatScene } from './scene.ts'

const database = testDatabase()
const merged: string[][] = []
/** Merges by itself, and knows custom fields by number. */
const scene = chatScene(database, {
  desk: {
    takesCustom: (_config, name) => /^\d+$/.test(name),
    async merge(_ctx, id, intoId) {
      merged.push([id, intoId])
      return {}
    },
    effects: { create: 'keyed', update: 'keyed', message: 'keyed', revise: 'keyed', merge: 'keyed' },
  },
})
const { told } = scene

beforeEach(() => {
  merged.length = 0
})

async function arrive(id: string): Promise<string> {
  const facts = { id, subject: `Case ${id}`, status: 'open', requester: { emails: ['ana@customer.example'] } } as const
  await scene.tell({ type: 'case', case: facts, occurredAt: scene.clock.now().toISOString(), byHub: false })
  return await scene.caseId(id)
}
const deliveries = () =>
  database.db.selectFrom('outbox').select(['state', 'error']).where('state', '<>', 'sent').execute()

describe('a desk with ways of its own', () => {
  it('merges two cases itself: it is told nothing more about the one that it closes', async () => {
    const caseId = await arrive('T-1')
    await arrive('T-2')
    await scene.submit('leo', acts.merge, caseId, { into: 'T-2' })
    expect(merged).toEqual([['T-1', 'T-2']])
    expect(told.changes).toEqual([])
    expect(told.messages.map((one) => one.caseId)).toEqual(['T-2'])
    expect(await deliveries()).toEqual([])
  })

  it('is not bothered with fields that only the hub has', async () => {
    const caseId = await arrive('T-1')
    await scene.submit('leo', acts.setCategory, caseId, { category: 'Billing' })
    expect(told.changes).toEqual([])
    expect(await deliveries()).toEqual([])
    const { custom } = await database.db.selectFrom('cases').select('custom').executeTakeFirstOrThrow()
    expect(JSON.stringify(custom)).toContain('Billing')
  })
})
