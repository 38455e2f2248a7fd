import { beforeEach, describe, expect, it } from 'vitest'
import type { Delivery } from '#hub/delivery/index.ts'
import { type OutboxEntry, putInOutbox } from '#hub/outbox/index.ts'
import { testDatabase } from '#kit'
import { openShop, openTill, passTime, rows, type Shop, update, type Vendor } from './till.ts'

const database = testDatabase()
let vendor: Vendor
let shop: Shop
let delivery: Delivery

beforeEach(async () => {
  await database.reset()
  vendor = await openTill()
  shop = await openShop(database, vendor)
  delivery = shop.deliver()
  await shop.put([update('first', 'case-0')])
  // From now on the lane is held.
  await shop.workOff(delivery)
})

const entry = (key: string, caseId: string): OutboxEntry => ({
  ...update(key, caseId),
  lane: shop.connectionId,
  connectionId: shop.connectionId,
  cause: { depth: 0 },
})
const done = () => vendor.effects.map(({ key }) => key)
const open = () =>
  shop.db
    .selectFrom('outbox')
    .select(['key', 'attempts', 'fence'])
    .where('state', '=', 'pending')
    .orderBy('seq')
    .execute()

describe('effects handed to a lane of this process', () => {
  it('leave when they are committed and not before, and look claimed to everybody else', async () => {
    const handover = delivery.newHandover()
    await putInOutbox(shop.db, [entry('a', 'case-1'), entry('b', 'case-2')], handover)
    expect(await open()).toMatchObject([
      { key: 'a', attempts: 1, fence: expect.any(Number) },
      { key: 'b', attempts: 1, fence: expect.any(Number) },
    ])
    await shop.deliver().drain()
    expect(done()).toEqual(['first'])

    expect(handover.committed()).toBe(false)
    await delivery.drain()
    expect(done().sort()).toEqual(['a', 'b', 'first'])
    expect((await rows(shop.db)).map(({ state, attempts }) => [state, attempts])).toEqual(Array(3).fill(['sent', 1]))
  })

  it('wait for their turn behind an earlier one of their case, in one transaction or in two', async () => {
    vendor.fault = (call) => (call === 1 ? '503' : 'none')
    const first = delivery.newHandover()
    await putInOutbox(shop.db, [entry('a1', 'case-1'), entry('a2', 'case-1')], first)
    expect(first.committed()).toBe(true)
    await delivery.drain()
    const second = delivery.newHandover()
    await putInOutbox(shop.db, [entry('a3', 'case-1'), entry('b1', 'case-2')], second)
    expect(second.committed()).toBe(true)
    await delivery.drain()
    expect(done()).toEqual(['first', 'b1'])

    await passTime(shop.db)
    await shop.workOff(delivery)
    expect(done()).toEqual(['first', 'b1', 'a1', 'a2', 'a3'])
  })

  it('are nobody’s when their transaction did not happen, and leave no gap in the lane', async () => {
    const handover = delivery.newHandover()
    const failed = shop.db.transaction().execute(async (trx) => {
      await putInOutbox(trx, [entry('a', 'case-1')], handover)
      throw new Error('something else went wrong')
    })
    await expect(failed).rejects.toThrow('something else')
    handover.rolledBack()
    await shop.put([update('b', 'case-1')])
    await delivery.drain()
    expect(done()).toEqual(['first', 'b'])
  })

  it('go back at once when the lane stops', async () => {
    const handover = delivery.newHandover()
    await putInOutbox(shop.db, [entry('a', 'case-1')], handover)
    await delivery.stop()
    handover.committed()
    const other = shop.deliver()
    await expect.poll(async () => (await open())[0]?.fence).toBe(null)
    await shop.workOff(other)
    expect(done()).toEqual(['first', 'a'])
  })

  it('are written once per key, and what is there already is nobody’s news', async () => {
    const handover = delivery.newHandover()
    await putInOutbox(shop.db, [entry('first', 'case-0'), entry('a', 'case-1')], handover)
    expect(handover.committed()).toBe(false)
    await delivery.drain()
    expect(done()).toEqual(['first', 'a'])
  })
})
