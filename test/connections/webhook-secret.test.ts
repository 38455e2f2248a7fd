import { describe, expect, it } from 'vitest'
import { activeSecrets, checkWebhookSecret, newWebhookSecret, rotate } from '#hub/connections/webhook-secret.ts'

const now = new Date('2026-11-22T10:00:00Z')
const hours = (count: number) => new Date(now.getTime() + count * 3_600_000)

describe('checkWebhookSecret', () => {
  it.each(['', '   ', 'short', 'x'.repeat(40), 'whsec_', 'whsec_c2hvcnQ=', 'whsec_'.padEnd(60, 'A')])(
    'refuses "%s"',
    (secret) => {
      expect(() => checkWebhookSecret(secret)).toThrow(TypeError)
    },
  )

  it('takes its own and a vendor-made one', () => {
    expect(checkWebhookSecret(newWebhookSecret())).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    expect(checkWebhookSecret(' 8f742231b10e8888abcd99yyyzzz85a5 ')).toBe('8f742231b10e8888abcd99yyyzzz85a5')
  })

  it('does not repeat the secret in its refusal', () => {
    expect(() => checkWebhookSecret('hunter2-hunter2')).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('hunter2') }),
    )
  })
})

describe('rotate', () => {
  it('keeps the former secret for the overlap and no longer', () => {
    const secrets = rotate([{ secret: 'old' }], 'new', now, 24)
    expect(activeSecrets(secrets, now)).toEqual(['new', 'old'])
    expect(activeSecrets(secrets, hours(23.99))).toEqual(['new', 'old'])
    expect(activeSecrets(secrets, hours(24))).toEqual(['new'])
  })

  it('has two at most', () => {
    const twice = rotate(rotate([{ secret: 'a' }], 'b', now, 24), 'c', hours(1), 24)
    expect(activeSecrets(twice, hours(2))).toEqual(['c', 'b'])
  })

  it('without an overlap drops the former at once', () => {
    expect(rotate([{ secret: 'old' }], 'new', now, 0)).toEqual([{ secret: 'new' }])
  })

  it('changes nothing when the same secret is entered again', () => {
    expect(rotate([{ secret: 'same' }], 'same', now, 24)).toEqual([{ secret: 'same' }])
  })
})
