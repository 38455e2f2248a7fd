/**
 * Seals what must not be readable at rest (AES-256-GCM) and signs what comes back from outside (HMAC-SHA256). Several
 * keys may be given: the first seals and signs, all open and verify, so that keys can be replaced one after the other.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  randomBytes,
  scryptSync,
  timingSafeEqual,
} from 'node:crypto'
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'

export interface SecretBox {
  /** @param aad where the value belongs, such as `connection:c_1`: it opens in that place only. */
  seal(value: unknown, aad: string): Buffer
  /** @throws Error when it was sealed by another key, for another place, or changed since. */
  open(sealed: Buffer, aad: string): unknown
  /** 32 bytes. Signatures for one purpose are worth nothing for another. */
  sign(purpose: string, data: string | Uint8Array): Buffer
  verify(purpose: string, data: string | Uint8Array, signature: Uint8Array): boolean
}

/** Format byte, key id, nonce, ciphertext, tag. */
const format = 1
const nonceBytes = 12
const tagBytes = 16
const headBytes = 2 + nonceBytes

interface Key {
  readonly id: number
  readonly sealing: Buffer
  readonly signing: (purpose: string) => Buffer
}

/** @param secrets each 32 bytes in base64 or hex, or a passphrase of at least 32 characters. */
export function createSecretBox(secrets: readonly string[]): SecretBox {
  const keys = secrets.map(toKey)
  const [first] = keys
  if (!first) throw new TypeError('a secret box needs at least one key')
  return {
    seal(value, aad) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', first.sealing, nonce).setAAD(Buffer.from(aad))
      const text = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()])
      return Buffer.concat([Buffer.of(format, first.id), nonce, text, cipher.getAuthTag()])
    },
    open(sealed, aad) {
      const candidates =
        sealed[0] === format && sealed.length >= headBytes + tagBytes ? keys.filter((key) => key.id === sealed[1]) : []
      for (const key of candidates) {
        const decipher = createDecipheriv('aes-256-gcm', key.sealing, sealed.subarray(2, headBytes), {
          authTagLength: tagBytes,
        })
          .setAAD(Buffer.from(aad))
          .setAuthTag(sealed.subarray(-tagBytes))
        try {
          const text = Buffer.concat([decipher.update(sealed.subarray(headBytes, -tagBytes)), decipher.final()])
          return JSON.parse(text.toString('utf8'))
        } catch {
          // Another key with the same id, or changed: told below.
        }
      }
      const why =
        candidates.length > 0
          ? 'it was changed, or sealed for another place'
          : 'its key is not among DESKWEAVE_SECRET_KEY'
      throw new Error(
        `the secrets of ${aad} cannot be opened: ${why}; give the key they were sealed with, or enter them again`,
      )
    },
    sign: (purpose, data) => hmac(first, purpose, data),
    verify: (purpose, data, signature) =>
      signature.length === 32 && keys.some((key) => timingSafeEqual(hmac(key, purpose, data), signature)),
  }
}

function hmac(key: Key, purpose: string, data: string | Uint8Array): Buffer {
  return createHmac('sha256', key.signing(purpose)).update(data).digest()
}

function toKey(secret: string): Key {
  const master = toBytes(secret)
  const derive = (use: string) => Buffer.from(hkdfSync('sha256', master, '', `deskweave ${use}`, 32))
  const signing = new Map<string, Buffer>()
  return {
    id: createHash('sha256').update(derive('key id')).digest()[0] ?? 0,
    sealing: derive('seal'),
    signing(purpose) {
      const known = signing.get(purpose) ?? derive(`sign ${purpose}`)
      signing.set(purpose, known)
      return known
    },
  }
}

function toBytes(secret: string): Buffer {
  if (/^[0-9a-f]{64}$/i.test(secret)) return Buffer.from(secret, 'hex')
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(secret)) return Buffer.from(secret, 'base64')
  if (secret.length < 32) throw new TypeError('DESKWEAVE_SECRET_KEY: a passphrase needs at least 32 characters')
  // The same passphrase must give the same key on every replica, so there is no salt of its own.
  return scryptSync(secret, 'deskweave', 32)
}

/** The key kept in the data folder, made when there is none. It must be backed up with the database. */
export function keyFromFile(dataDir: string): string {
  const file = join(dataDir, 'secret.key')
  const found = readIfThere(file)
  if (found) return found
  mkdirSync(dataDir, { recursive: true })
  const made = join(dataDir, `secret.key.${process.pid}`)
  rmSync(made, { force: true })
  const handle = openSync(made, 'wx', 0o600)
  writeSync(handle, `${randomBytes(32).toString('base64')}\n`)
  fsyncSync(handle)
  closeSync(handle)
  try {
    // A link appears whole or not at all, and never replaces the key of a hub that was faster.
    linkSync(made, file)
  } catch (error) {
    if (!readIfThere(file)) throw error
  } finally {
    rmSync(made, { force: true })
  }
  return readIfThere(file) ?? keyFromFile(dataDir)
}

function readIfThere(file: string): string | undefined {
  try {
    const key = readFileSync(file, 'utf8').trim()
    chmodSync(file, 0o600)
    if (key) return key
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  throw new Error(`${file} is empty: restore it from a backup; credentials sealed with it cannot be opened otherwise`)
}
