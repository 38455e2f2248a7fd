import { describe, expect, it } from 'vitest'
import { envReference, readEnv } from '#hub/platform/env.ts'

describe('the environment', () => {
  it('needs nothing', () => {
    const env = readEnv({})
    expect(env).toMatchObject({
      port: 3000,
      baseUrl: 'http://localhost:3000',
      roles: ['web', 'worker'],
      logLevel: 'info',
      extraHosts: [],
      isConfigNamed: false,
    })
    expect(env.dataDir).toMatch(/[/\\]data$/)
    expect('databaseUrl' in env || 'secretKeys' in env || 'adminToken' in env).toBe(false)
  })

  it('reads every variable; empty is absent', () => {
    const env = readEnv({
      DATABASE_URL: 'postgresql://u:p@db:5432/hub',
      DESKWEAVE_DATA: '/srv/data',
      PORT: '0',
      DESKWEAVE_BASE_URL: 'https://hub.example/',
      DESKWEAVE_SECRET_KEY: `${'a'.repeat(32)},${'b'.repeat(32)}`,
      DESKWEAVE_ADMIN_TOKEN: 'x'.repeat(16),
      DESKWEAVE_EXTRA_HOSTS: 'desk.internal:8443, [::1]:9',
      DESKWEAVE_ROLE: 'worker',
      LOG_LEVEL: '',
      DESKWEAVE_CONFIG: '/etc/deskweave.yaml',
    })
    expect(env).toEqual({
      databaseUrl: 'postgresql://u:p@db:5432/hub',
      dataDir: '/srv/data',
      port: 0,
      baseUrl: 'https://hub.example',
      secretKeys: ['a'.repeat(32), 'b'.repeat(32)],
      adminToken: 'x'.repeat(16),
      extraHosts: ['desk.internal:8443', '[::1]:9'],
      roles: ['worker'],
      logLevel: 'info',
      configFile: '/etc/deskweave.yaml',
      isConfigNamed: true,
    })
  })

  it('lists everything that is not right, with its value unless it is secret', () => {
    const wrong = () =>
      readEnv({
        PORT: '70000',
        DESKWEAVE_ROLE: 'web,boss',
        DESKWEAVE_SECRET_KEY: 'swordfish',
        DESKWEAVE_BASE_URL: 'hub.example',
        DATABASE_URL: 'mysql://root:swordfish@db/x',
        DESKWEAVE_EXTRA_HOSTS: 'desk.internal',
        LOG_LEVEL: 'loud',
      })
    expect(wrong).toThrowErrorMatchingInlineSnapshot(`
      [Error: the environment is not right.
        DATABASE_URL: expected a URL such as postgresql://user:password@host:5432/database
        DESKWEAVE_SECRET_KEY: expected 32 bytes in base64 or hex, or a passphrase of at least 32 characters
        PORT is "70000": expected a number from 0 to 65535
        DESKWEAVE_BASE_URL is "hub.example": expected a URL such as https://hub.example.com
        DESKWEAVE_EXTRA_HOSTS is "desk.internal": expected a list of host:port with commas between them, such as desk.internal:8443
        DESKWEAVE_ROLE is "web,boss": expected web, worker or web,worker
        LOG_LEVEL is "loud": expected debug, info, warn, error or silent]
    `)
  })

  it('documents each variable it reads', () => {
    const rows = envReference()
    expect(rows.map((row) => row.name)).toContain('DATABASE_URL')
    for (const row of rows) expect(row.about.length * row.expects.length * row.otherwise.length).toBeGreaterThan(0)
    expect(rows.filter((row) => row.secret).map((row) => row.name)).toEqual([
      'DATABASE_URL',
      'DESKWEAVE_SECRET_KEY',
      'DESKWEAVE_ADMIN_TOKEN',
    ])
  })
})
