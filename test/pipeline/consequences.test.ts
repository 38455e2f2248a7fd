import { expect, it } from 'vitest'
import { testDatabase } from '#kit'
import { postScene } from './post.ts'

const scene = postScene(testDatabase())

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
