import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { adminToken, knownAdminToken, tokenCheck } from '#hub/api/admin-token.ts'
import { temporaryFolder } from '#kit/hub-process.ts'

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder.remove())

it('makes a token once, where only its user reads it', () => {
  const dataDir = join(folder.path, 'data')
  expect(knownAdminToken({ dataDir })).toBeUndefined()
  const { token, file = '' } = adminToken({ dataDir })
  expect(Buffer.from(token.slice(4), 'base64url')).toHaveLength(32)
  expect(file).toBe(join(dataDir, 'admin.token'))
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readFileSync(file, 'utf8').trim()).toBe(token)
  expect(readdirSync(dataDir)).toEqual(['admin.token'])
  expect(adminToken({ dataDir }).token).toBe(token)
  expect(knownAdminToken({ dataDir })).toBe(token)
})

it('takes the one of the environment and writes none', () => {
  const env = { dataDir: folder.path, adminToken: 'given-by-the-environment' }
  expect(adminToken(env)).toEqual({ token: 'given-by-the-environment' })
  expect(readdirSync(folder.path)).toEqual([])
})

it('refuses a file that holds no token, rather than letting an empty one in', () => {
  mkdirSync(folder.path, { recursive: true })
  writeFileSync(join(folder.path, 'admin.token'), '\n')
  expect(() => adminToken({ dataDir: folder.path })).toThrow('holds no token')
})

it('tells the right header from all others', () => {
  const isRight = tokenCheck('the-right-token-0123456789')
  expect(isRight('Bearer the-right-token-0123456789')).toBe(true)
  expect(isRight('bearer the-right-token-0123456789')).toBe(true)
  for (const header of [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Bearer undefined',
    'Bearer the-right-token-012345678',
    'Bearer the-right-token-0123456789 ',
    'Bearer  the-right-token-0123456789',
    'the-right-token-0123456789',
    'Basic the-right-token-0123456789',
    `Bearer ${'x'.repeat(10_000)}`,
  ]) {
    expect(isRight(header)).toBe(false)
  }
})
