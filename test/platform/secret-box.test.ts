import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { createSecretBox, keyFromFile } from '#hub/platform/secret-box.ts'

const oldKey = Buffer.alloc(32, 1).toString('base64')
const newKey = Buffer.alloc(32, 2).toString('hex')
const phrase = 'correct horse battery staple and more'

describe('the secret box', () => {
  it('opens what it sealed, for the same place only', () => {
    const box = createSecretBox([oldKey])
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (value, aad) => {
        expect(box.open(box.seal(value, aad), aad)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
    const sealed = box.seal({ token: 't' }, 'connection:c_1')
    expect(() => box.open(sealed, 'connection:c_2')).toThrow(
      'the secrets of connection:c_2 cannot be opened: it was changed, or',
    )
  })

  it('never seals the same value twice alike, and shows nothing of it', () => {
    const box = createSecretBox([oldKey])
    const [one, two] = [box.seal('hunter2hunter2', 'a'), box.seal('hunter2hunter2', 'a')]
    expect(one).not.toEqual(two)
    expect(one.includes('hunter2')).toBe(false)
  })

  it('refuses a change of any byte, and any shorter form', () => {
    const box = createSecretBox([oldKey])
    const sealed = box.seal({ token: 'abc' }, 'a')
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = Buffer.from(sealed)
      changed.writeUInt8(changed.readUInt8(index) ^ 1, index)
      expect(() => box.open(changed, 'a')).toThrow('cannot be opened')
      expect(() => box.open(sealed.subarray(0, index), 'a')).toThrow('cannot be opened')
    }
  })

  it('opens old values after a new key is put in front, until the old key is taken away', () => {
    const sealed = createSecretBox([oldKey]).seal('value', 'a')
    const rotating = createSecretBox([newKey, oldKey])
    expect(rotating.open(sealed, 'a')).toBe('value')
    const resealed = rotating.seal('value', 'a')
    expect(createSecretBox([newKey]).open(resealed, 'a')).toBe('value')
    expect(() => createSecretBox([newKey]).open(sealed, 'a')).toThrow('its key is not among DESKWEAVE_SECRET_KEY')
  })

  it('takes a passphrase, the same on every replica, and refuses a short one', () => {
    expect(createSecretBox([phrase]).open(createSecretBox([phrase]).seal(1, 'a'), 'a')).toBe(1)
    expect(() => createSecretBox(['short'])).toThrow('at least 32 characters')
  })

  it('signs for one purpose, and verifies with every key', () => {
    const signature = createSecretBox([oldKey]).sign('survey', 'data')
    const rotating = createSecretBox([newKey, oldKey])
    expect(rotating.verify('survey', 'data', signature)).toBe(true)
    expect(rotating.verify('session', 'data', signature)).toBe(false)
    expect(rotating.verify('survey', 'datA', signature)).toBe(false)
    expect(rotating.verify('survey', 'data', signature.subarray(0, 31))).toBe(false)
    expect(createSecretBox([newKey]).verify('survey', 'data', signature)).toBe(false)
  })
})

describe('the key in the data folder', () => {
  const home = mkdtempSync(join(tmpdir(), 'deskweave-key-'))
  afterAll(() => rmSync(home, { recursive: true }))
  it('is made once, readable by its owner only', () => {
    const folder = join(home, 'new')
    const key = keyFromFile(folder)
    expect(Buffer.from(key, 'base64')).toHaveLength(32)
    expect(keyFromFile(folder)).toBe(key)
    expect(statSync(join(folder, 'secret.key')).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['secret.key'])
  })

  it('is never replaced when the file was emptied', () => {
    const folder = join(home, 'emptied')
    mkdirSync(folder)
    writeFileSync(join(folder, 'secret.key'), '\n')
    expect(() => keyFromFile(folder)).toThrow('secret.key is empty: restore it from a backup')
  })
})
