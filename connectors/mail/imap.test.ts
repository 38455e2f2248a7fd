import { describe, expect, it } from 'vitest'
import { isDue, proceed, readCursor, readUpTo, searches } from './cursor.ts'
import { imapError } from './imap-error.ts'

const now = new Date('2026-11-22T10:00:00Z')

describe('how far a folder is read', () => {
  it('begins at the end of a folder that is seen for the first time', () => {
    expect(proceed(undefined, { uidvalidity: '7', highestUid: 40 }, now)).toEqual({ uidvalidity: '7', lastUid: 40 })
  })

  it('reads a folder for sent mail that was not there before from the time it was missed', () => {
    const reading = proceed(undefined, { uidvalidity: '7', highestUid: 2 }, now, '2026-11-20T00:00:00.000Z')
    expect(reading).toEqual({ uidvalidity: '7', lastUid: 0, rescan: { since: '2026-11-20T00:00:00.000Z', upTo: 2 } })
  })

  it.each([
    ['another validity', { uidvalidity: '8', highestUid: 60 }],
    ['fewer UIDs than were given out', { uidvalidity: '7', highestUid: 30 }],
  ])('reads the last 30 days again after %s', (_, look) => {
    const reading = proceed({ uidvalidity: '7', lastUid: 40 }, look, now)
    const { uidvalidity, highestUid: upTo } = look
    expect(reading).toEqual({ uidvalidity, lastUid: 0, rescan: { since: '2026-10-23T10:00:00.000Z', upTo } })
  })

  it('goes on with a rescan where it was stopped, and reads all that came since', () => {
    const rescan = { since: '2026-10-23T10:00:00.000Z', upTo: 60 }
    const half = readUpTo({ uidvalidity: '8', lastUid: 0, rescan }, 35)
    expect(half).toEqual({ uidvalidity: '8', lastUid: 35, rescan })
    expect(searches(half)).toEqual([{ uid: '36:60', since: new Date('2026-10-22T10:00:00Z') }, { uid: '61:*' }])
    expect(readUpTo(half, 60)).toEqual({ uidvalidity: '8', lastUid: 60 })
  })

  it('takes from a rescan what came since, by the minute and with an hour for the clocks', () => {
    const reading = { uidvalidity: '8', lastUid: 0, rescan: { since: '2026-11-22T10:00:00.000Z', upTo: 60 } }
    const at = (time: string, uid = 7) => isDue(reading, { uid, receivedAt: new Date(time) })
    expect([at('2026-11-22T10:00:00Z'), at('2026-11-22T09:01:00Z'), at('2026-11-22T08:59:00Z')]).toEqual([
      true,
      true,
      false,
    ])
    expect(at('2026-11-22T08:59:00Z', 61)).toBe(true)
    expect(at('no time at all')).toBe(true)
  })

  it('refuses a cursor that it did not write', () => {
    expect(() => readCursor('{"folders":[]}')).toThrow('start the reconciliation anew')
  })
})

describe('what an IMAP failure means', () => {
  const failed = (details: object) => imapError(Object.assign(new Error('Command failed'), details), 'IMAP x:993')

  it.each([
    ['wrong credentials', { authenticationFailed: true, responseStatus: 'NO' }, 'auth_failed'],
    [
      'a server that cannot check them now',
      { authenticationFailed: true, responseStatus: 'NO', serverResponseCode: 'UNAVAILABLE' },
      'unavailable',
    ],
    [
      'too many lines at Gmail',
      { authenticationFailed: true, responseStatus: 'NO', response: 'Too many simultaneous connections. (Failure)' },
      'unavailable',
    ],
    [
      'Microsoft after many sign-ins',
      { authenticationFailed: true, response: 'User is authenticated but not connected.' },
      'unavailable',
    ],
    ['a line that broke during the sign-in', { authenticationFailed: true, code: 'NoConnection' }, 'unavailable'],
    ['a full mailbox', { responseStatus: 'NO', serverResponseCode: 'OVERQUOTA' }, 'rejected'],
    ['nobody listening', { code: 'ECONNREFUSED' }, 'unavailable'],
  ])('%s', (_, details, code) => {
    expect(failed(details)).toMatchObject({ code })
  })

  it('waits as long as Microsoft asks for', () => {
    const responseText = 'Request is throttled. Suggested Backoff Time: 299961 milliseconds'
    expect(failed({ responseStatus: 'BAD', responseText })).toMatchObject({
      code: 'rate_limited',
      retryAfterMs: 299_961,
    })
  })

  it('leaves errors of our own as they are', () => {
    const bug = new TypeError('undefined is not a function')
    expect(imapError(bug, 'IMAP x:993')).toBe(bug)
  })
})
