import { describe, expect, it } from 'vitest'
import { snooze, snoozeOf } from '#hub/snoozes/index.ts'
import { testDatabase } from '#kit'
import { mail, postScene } from './post.ts'

const database = testDatabase()
const scene = postScene(database)

it('no rule follows a case that the hub heard of only when it was gone', async () => {
  for (const on of ['case.created', 'case.deleted', 'case.solved']) {
    await scene.rule({ id: on.replace('.', '-'), name: on, on, then: [{ tag: { add: ['seen'] } }] })
  }
  const at = '2026-11-22T09:00:00Z'
  const gone = { id: 'T-9', status: 'solved', deleted: true, updatedAt: at } as const
  await scene.deliver({ type: 'case', occurredAt: at, byHub: false, case: gone })
  expect(await scene.runs()).toEqual([])
  expect(await scene.types()).toEqual(['case.created', 'case.deleted'])
})

describe('a case that is put aside', () => {
  async function putAside() {
    await scene.deliver(mail('m-1', 'ana@example.com'))
    const caseId = (await scene.caseOf('of-m-1'))?.id ?? ''
    const until = new Date('2026-11-29T10:00:00Z')
    await database.db.transaction().execute((trx) => snooze(trx, { caseId, until, by: 'Leo' }, scene.clock.now()))
    return caseId
  }

  it('comes back as soon as its customer writes', async () => {
    const caseId = await putAside()
    await scene.deliver(mail('m-2', 'ana@example.com', { proven: ['of-m-1'], at: '2026-11-22T09:30:00Z' }))
    expect(await snoozeOf(database.db, caseId)).toBeUndefined()
    expect((await scene.types()).slice(-2)).toEqual(['message.received', 'case.unsnoozed'])
  })

  it('is put aside no more once it is solved, and no less after other changes', async () => {
    const caseId = await putAside()
    await scene.person(caseId, { change: { priority: 'high' } })
    expect(await snoozeOf(database.db, caseId)).toBeDefined()
    await scene.person(caseId, { change: { status: 'solved' } })
    expect(await snoozeOf(database.db, caseId)).toBeUndefined()
    expect((await scene.types()).slice(-2)).toEqual(['case.solved', 'case.unsnoozed'])
  })
})
