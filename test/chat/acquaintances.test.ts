import { describe, expect, it } from 'vitest'
import { createAcquaintances } from '#hub/chat/acquaintances.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { fakeClock } from '#kit'

const hourMs = 3_600_000

describe('whom a chat tool has told of', () => {
  function tool() {
    const clock = fakeClock('2026-11-30T10:00:00Z')
    const people = createAcquaintances(clock.now)
    const asked = { times: 0, problem: undefined as ConnectorError | undefined }
    const meet = () =>
      people('con_1 leo', async () => {
        asked.times += 1
        if (asked.problem) throw asked.problem
        return { id: 'leo', name: `Leo, as told ${asked.times}`, kind: 'member' }
      })
    return { clock, asked, meet }
  }

  it('is asked about again after a minute, and not before', async () => {
    const { clock, asked, meet } = tool()
    await meet()
    clock.advance(59_999)
    expect((await meet()).person.name).toBe('Leo, as told 1')
    clock.advance(1)
    expect((await meet()).person.name).toBe('Leo, as told 2')
    expect(asked.times).toBe(2)
  })

  it('counts as it was told for a day while the tool is away, and no longer', async () => {
    const { clock, asked, meet } = tool()
    const { readAt } = await meet()
    asked.problem = new ConnectorError('unavailable', '503')
    clock.advance(24 * hourMs - 1)
    expect(await meet()).toEqual({ person: expect.objectContaining({ name: 'Leo, as told 1' }), readAt })
    clock.advance(1)
    await expect(meet()).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('counts no more once the tool says that they are gone', async () => {
    const { clock, asked, meet } = tool()
    await meet()
    asked.problem = new ConnectorError('not_found', '404')
    clock.advance(hourMs)
    await expect(meet()).rejects.toMatchObject({ code: 'not_found' })
  })
})
