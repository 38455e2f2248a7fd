import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { newId } from '#hub/platform/ids.ts'
import { createSecretBox } from '#hub/platform/secret-box.ts'
import { createPass, createToken, isPassGood, passLifetimeMs, readToken } from '#hub/surveys/token.ts'

const secrets = createSecretBox(['a passphrase that is long enough to be one'])
const content = { invitationId: newId('inv'), expiresAt: new Date('2026-12-06T10:00:00Z') }

describe('a survey token', () => {
  it('carries the invitation and its end, in letters that any mail keeps', () => {
    const token = createToken(secrets, content)
    expect(token).toMatch(/^[A-Za-z0-9_-]{72}$/)
    expect(readToken(secrets, token)).toEqual(content)
  })

  it('is worth nothing when any bit of it is another', () => {
    const token = Buffer.from(createToken(secrets, content), 'base64url')
    const opened = Array.from({ length: token.length * 8 }, (_, bit) => {
      const changed = Buffer.from(token)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      return readToken(secrets, changed.toString('base64url'))
    }).filter((read) => read !== undefined)
    expect(opened).toEqual([])
  })

  it('is not guessed', () => {
    const guess = fc
      .uint8Array({ minLength: 54, maxLength: 54 })
      .map((bytes) => Buffer.from(bytes).toString('base64url'))
    fc.assert(
      fc.property(guess, (token) => readToken(secrets, token) === undefined),
      { numRuns: 10_000 },
    )
  })

  it.each(['', 'x', '../../etc/passwd', '%00', 'A'.repeat(71), 'A'.repeat(73), `${'A'.repeat(71)}=`, '💥'.repeat(18)])(
    'is refused when it has another form: %j',
    (token) => {
      expect(readToken(secrets, token)).toBeUndefined()
    },
  )

  it('has one spelling', () => {
    const token = createToken(secrets, content)
    expect(
      [`${token}=`, ` ${token}`, token.replaceAll('-', '+'), `${token}A`].filter((other) => other !== token),
    ).toSatisfy((others: string[]) => others.every((other) => readToken(secrets, other) === undefined))
  })

  it('of another key, or signed for another purpose, is refused', () => {
    const other = createSecretBox(['another passphrase that is long enough as well'])
    expect(readToken(secrets, createToken(other, content))).toBeUndefined()
    const forPage = { sign: (_: string, data: string | Uint8Array) => secrets.sign('survey page', data) }
    expect(readToken(secrets, createToken(forPage, content))).toBeUndefined()
  })

  it('is not made for what is no invitation', () => {
    expect(() => createToken(secrets, { ...content, invitationId: 'case_1' })).toThrow(/expected inv_/)
  })
})

describe('the pass of a page', () => {
  const now = new Date('2026-11-22T10:00:00Z')
  const pass = createPass(secrets, content.invitationId, now)
  const good = (at: number, text = pass, id = content.invitationId) => isPassGood(secrets, id, text, new Date(at))

  it('is good for half a day', () => {
    expect(good(now.getTime())).toBe(true)
    expect(good(now.getTime() + passLifetimeMs)).toBe(true)
    expect(good(now.getTime() + passLifetimeMs + 1000)).toBe(false)
    expect(good(now.getTime() - 120_000)).toBe(false)
  })

  it('is good for its own invitation only', () => {
    expect(good(now.getTime(), pass, newId('inv'))).toBe(false)
  })

  it.each(['', 'x', 'A'.repeat(56), createToken(secrets, content)])('cannot be made up: %s', (text) => {
    expect(good(now.getTime(), text)).toBe(false)
  })
})
