import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bounceAddress,
  caseIdOf,
  isShapedLikeOurs,
  loopMark,
  messageIdFor,
  provenBounce,
  provenCase,
  provenMessageId,
  replyAddress,
} from './signed-address.ts'

const config = {
  address: 'support@example.com',
  signing_secret: 'example-signing-secret-000001',
  plus_addressing: true,
}
const caseId = 'abcdefgh23456777'
const letters = 'abcdefghijklmnopqrstuvwxyz234567'
const caseIds = fc.string({ unit: fc.constantFrom(...letters), minLength: 16, maxLength: 16 })

describe('signed addresses of the mail connector', () => {
  // Computed with Python's hmac, hashlib and base64.
  it('have the values that another program works out', () => {
    const messageId = '<c.abcdefgh23456777.b3l76b4llt.cjm43iztmxlggcqbownkoujhoa@example.com>'
    expect(replyAddress(config, caseId)).toBe('support+r.abcdefgh23456777.mtzzoaylfujoxcqcutol4vzoey@example.com')
    expect(messageIdFor(config, caseId, 'k1')).toBe(messageId)
    expect(bounceAddress(config, caseId, messageId)).toBe(
      'support+b.abcdefgh23456777.b3l76b4llt.gnyoeuddvmugy3rwsfuahb5kra@example.com',
    )
    expect(bounceAddress(config, caseId, '<of.another@kind>')).toBe(
      'support+b.abcdefgh23456777.krt3fo2sjcqvqwnml3gurlmzru@example.com',
    )
    expect(loopMark(config)).toBe('eiqtjhmjnai5wnkiwu4cyzxqxq@example.com')
    expect(caseIdOf(config, 'x')).toBe('4fg3o6qljehcmm44')
  })

  it('prove what they were made for, for every case and message', () => {
    fc.assert(
      fc.property(caseIds, fc.string(), (id, key) => {
        const messageId = messageIdFor(config, id, key)
        expect(provenMessageId(config, messageId)).toBe(id)
        expect(provenMessageId(config, messageId.slice(1, -1))).toBe(id)
        expect(provenCase(config, replyAddress(config, id))).toBe(id)
        expect(provenCase(config, replyAddress(config, id).toUpperCase())).toBe(id)
        expect(provenBounce(config, bounceAddress(config, id, messageId))).toEqual({ caseId: id, messageId })
        expect(provenCase(config, bounceAddress(config, id, messageId))).toBe(id)
      }),
    )
  })

  it('prove nothing once a character is changed, cut, added or moved', () => {
    const messageId = messageIdFor(config, caseId, 'k1')
    const made = [replyAddress(config, caseId), bounceAddress(config, caseId, messageId), messageId]
    let tried = 0
    for (const text of made) {
      for (let at = 0; at < text.length; at++) {
        const changed = [...new Set('a7.+@'.split(''))].map((letter) => text.slice(0, at) + letter + text.slice(at + 1))
        const variants = [...changed, text.slice(0, at) + text.slice(at + 1), `${text.slice(0, at)}a${text.slice(at)}`]
        // A message id is the same without its angle brackets.
        const isOther = (one: string) => one.replace(/^<|>$/g, '') !== text.replace(/^<|>$/g, '')
        for (const forged of variants.filter(isOther)) {
          tried += 1
          expect([forged, provenCase(config, forged)]).toEqual([forged, undefined])
          expect([forged, provenBounce(config, forged)]).toEqual([forged, undefined])
          expect([forged, provenMessageId(config, forged)]).toEqual([forged, undefined])
        }
      }
    }
    expect(tried).toBeGreaterThan(1_000)
  })

  it('prove nothing for another secret, another mailbox or another purpose', () => {
    const others = [
      { ...config, signing_secret: 'example-signing-secret-000002' },
      { ...config, address: 'sales@example.com' },
      { ...config, address: 'support@example.org' },
    ]
    for (const other of others) {
      const messageId = messageIdFor(other, caseId, 'k1')
      expect(provenMessageId(config, messageId.replace(/@.*/, '@example.com>'))).toBeUndefined()
      const stolen = [replyAddress(other, caseId), bounceAddress(other, caseId, messageId)]
      for (const address of stolen) {
        expect(provenCase(config, address.replace(/^[a-z]+/, 'support').replace(/@.*/, '@example.com'))).toBeUndefined()
      }
    }
    const mac = replyAddress(config, caseId).slice(-38, -12)
    expect(provenCase(config, `support+r.${caseId}.${mac}@example.com`)).toBe(caseId)
    expect(provenCase(config, `support+b.${caseId}.${mac}@example.com`)).toBeUndefined()
    expect(provenMessageId(config, `<c.${caseId}.b3l76b4llt.${mac}@example.com>`)).toBeUndefined()
  })

  it('are never proven by arbitrary text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.emailAddress()), caseIds, caseIds, (text, id, rest) => {
        const mac = `${rest}aaaaaaaaaa`
        for (const claim of [text, `support+r.${id}.${mac}@example.com`, `support+b.${id}.${mac}@example.com`]) {
          expect(provenCase(config, claim)).toBeUndefined()
          expect(provenMessageId(config, claim)).toBeUndefined()
        }
        const claim = `<c.${id}.aaaaaaaaaa.${mac}@example.com>`
        expect(provenMessageId(config, claim)).toBeUndefined()
        expect(isShapedLikeOurs(config, claim)).toBe(true)
      }),
    )
  })

  it('stay within the 64 characters of a local part, and are plain where they cannot', () => {
    const longer = { ...config, address: 'customer@example.com' }
    const messageId = messageIdFor(longer, caseId, 'k1')
    expect(bounceAddress(config, caseId, messageIdFor(config, caseId, 'k1')).split('@')[0]).toHaveLength(64)
    expect(provenBounce(longer, bounceAddress(longer, caseId, messageId))).toEqual({ caseId })
    const tooLong = { ...config, address: 'customer-support-emea@example.com' }
    expect(replyAddress(tooLong, caseId)).toBe(tooLong.address)
    const plain = { ...config, plus_addressing: false }
    expect(replyAddress(plain, caseId)).toBe(plain.address)
    expect(bounceAddress(plain, caseId, messageId)).toBe(plain.address)
  })

  it('refuse to be made for what is no case id', () => {
    expect(() => replyAddress(config, '4242')).toThrow(/16 of \[a-z0-9\]/)
    expect(() => messageIdFor(config, 'a\0', 'k')).toThrow(/16 of \[a-z0-9\]/)
  })
})
