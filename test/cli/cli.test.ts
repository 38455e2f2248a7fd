import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { connectors } from '#connectors'
import { suppress } from '#hub/outbox/index.ts'
import { startEmbedded } from '#hub/platform/embedded-postgres.ts'
import { quietLog, testDatabase } from '#kit'
import { adminToken, startHubProcess, temporaryFolder } from '#kit/hub-process.ts'
import { administer } from '#kit/server.ts'
import { run } from './run.ts'

const folder = temporaryFolder()
afterAll(() => folder.remove())

function file(name: string, text: string): string {
  const path = join(folder.path, name)
  writeFileSync(path, text)
  return path
}

const good = `
rules:
  - id: urgent-first
    name: Urgent cases are tagged
    on: [case.created]
    if: { field: case.priority, is: urgent }
    then:
      - tag: { add: [first] }
    mode: on
`

describe('validate', () => {
  it('shows file, line and column of a mistake, and what was meant', async () => {
    const path = file('typo.yaml', good.replace('case.priority', 'case.priorty'))
    const { code, out, err } = await run(['validate', path])
    expect(code).toBe(1)
    expect(out).toBe('')
    expect(err).toContain(`${path}:6:18`)
    expect(err).toContain('case.priority')
    expect(err).toContain('1 problem; nothing was changed')
  })

  it('says what a good file holds', async () => {
    const { code, out } = await run(['validate', file('good.yaml', good)])
    expect([code, out]).toEqual([0, 'no problems: 0 connections, 1 rule, 0 surveys, 0 agents, 0 macros\n'])
  })

  it('names a file that is not there', async () => {
    const { code, err } = await run(['validate', join(folder.path, 'absent.yaml')])
    expect(code).toBe(1)
    expect(err).toContain('absent.yaml: there is no such file')
  })

  it('checks the file of DESKWEAVE_CONFIG when none is named', async () => {
    const { code } = await run(['validate'], { DESKWEAVE_CONFIG: file('named.yaml', good) })
    expect(code).toBe(0)
  })
})

describe('commands that do not exist', () => {
  it.each([[['nonsense']], [['replay', 'inbox', 'seven']], [['connect']], [['connect', 'desk', '--set', 'novalue']]])(
    '%j ends with 2 and words',
    async (args) => {
      const { code, err } = await run(args)
      expect(code).toBe(2)
      expect(err).toMatch(/error: .*/)
    },
  )

  it('asks which when replay names nothing', async () => {
    const { code, err } = await run(['replay', 'inbox'])
    expect([code, err]).toEqual([1, 'deskweave: say which: ids, --quarantined or --dead\n'])
  })
})

const Doctor = z.object({
  ok: z.boolean(),
  checks: z.array(
    z.object({
      name: z.string(),
      state: z.enum(['ok', 'notice', 'wrong']),
      detail: z.string(),
      todo: z.string().optional(),
    }),
  ),
})

describe('doctor without a database', () => {
  it('finds nothing wrong with a fresh folder, and leaves it as it is', async () => {
    const data = join(folder.path, 'fresh')
    const { code, out } = await run(['doctor', '--json'], { DESKWEAVE_DATA: data, PORT: '1' })
    const { ok, checks } = Doctor.parse(JSON.parse(out))
    expect([code, ok]).toEqual([0, true])
    expect(checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['Node', 'data folder', 'disk', 'secret key', 'address', 'hub', 'database']),
    )
    expect(existsSync(data)).toBe(false)
  })

  it('says in words what is wrong, without the password', async () => {
    const env = {
      DATABASE_URL: 'postgres://someone:hunter2@127.0.0.1:1/nothing',
      DESKWEAVE_DATA: folder.path,
      PORT: '1',
    }
    const { code, out, err } = await run(['doctor'], env)
    expect(code).toBe(1)
    expect(out).toContain('WRONG  database: cannot be reached')
    expect(out).toContain('-> check that it runs')
    expect(out + err).not.toContain('hunter2')
  })

  it("opens the hub's own database when no hub runs, and says so", async () => {
    const dataDir = join(folder.path, 'embedded')
    mkdirSync(dataDir)
    const server = await startEmbedded({ dataDir, log: quietLog })
    await server.stop()
    const { code, out } = await run(['doctor'], { DESKWEAVE_DATA: dataDir, PORT: '1' })
    expect(code).toBe(0)
    expect(out).toContain(`ok     database: embedded, in ${dataDir}; started for this look, since no hub runs`)
    expect(out).toContain('note   migrations: none yet')
  })

  it('names a variable that is not as expected', async () => {
    const { code, out } = await run(['doctor'], { PORT: 'many' })
    expect(code).toBe(1)
    expect(out).toContain('PORT is "many"')
  })

  it('refuses an address without TLS that others use', async () => {
    const { code, out } = await run(['doctor'], {
      DESKWEAVE_BASE_URL: 'http://hub.invalid',
      DESKWEAVE_DATA: folder.path,
    })
    expect(code).toBe(1)
    expect(out).toContain('http://hub.invalid is not encrypted')
  })
})

describe('on a database', () => {
  const database = testDatabase()
  const env = () => ({
    DATABASE_URL: database.url,
    DESKWEAVE_DATA: join(folder.path, 'data'),
    DESKWEAVE_SECRET_KEY: 'a passphrase of more than thirty-two characters',
    DESKWEAVE_ADMIN_TOKEN: adminToken,
    PORT: '1',
  })
  let connectionId = ''
  beforeAll(async () => {
    const { code, out } = await run(['migrate'], env())
    expect([code, out]).toEqual([0, 'the database is ready (workspace "default")\n'])
    const connected = await run(
      [
        'connect',
        'desk',
        '--name',
        'Legacy desk',
        '--set',
        'auth.mode=hmac',
        '--set',
        'auth.header=X-Sign',
        '--set',
        'auth.tolerance_seconds=60',
        '--json',
      ],
      env(),
    )
    expect(connected.err).toBe('')
    connectionId = z.object({ id: z.string() }).parse(JSON.parse(connected.out)).id
  })

  it('connects with settings as the connector wants them', async () => {
    const handle = await database.open('default')
    const rows = await handle.db.selectFrom('connections').select(['id', 'name', 'config']).execute()
    expect(rows).toEqual([
      {
        id: connectionId,
        name: 'Legacy desk',
        config: { auth: { mode: 'hmac', header: 'X-Sign', tolerance_seconds: 60 } },
      },
    ])
    const [audit] = await handle.db
      .selectFrom('audit')
      .select(['actor', 'act'])
      .where('act', '=', 'connection.installed')
      .execute()
    expect(audit).toEqual({ actor: 'cli', act: 'connection.installed' })
  })

  it('says what is missing when there is nobody to ask', async () => {
    const { code, err } = await run(['connect', 'zendesk', '--name', 'Z'], env())
    expect(code).toBe(1)
    expect(err).toContain('subdomain:')
    expect(err).toContain('--set name=value')
    const unknown = await run(['connect', 'acme'], env())
    const names = Object.keys(connectors).join(', ')
    expect(unknown.err).toBe(`deskweave: there is no connector "acme"; there are ${names}\n`)
  })

  it('plans, applies and then has nothing to do', async () => {
    const path = file('apply.yaml', `workspace: Acme\n${good}`)
    const plan = await run(['plan', path], env())
    expect(plan).toMatchObject({ code: 0, err: '' })
    expect(plan.out).toContain('+ rule urgent-first')
    const applied = await run(['apply', path], env())
    expect(applied).toMatchObject({ code: 0, out: plan.out })
    expect((await run(['plan', path], env())).out).toBe('nothing to do: the hub is as the files say\n')
  })

  it('refuses to apply a file with a problem', async () => {
    const { code, out } = await run(['apply', file('bad.yaml', good.replace('mode: on', 'mode: loud'))], env())
    expect([code, out]).toEqual([1, ''])
  })

  it('finds what waits for a person, and gives it another turn', async () => {
    const handle = await database.open('default')
    await handle.db
      .insertInto('inbox')
      .values({
        connection_id: connectionId,
        dedupe_key: 'k',
        source: 'webhook',
        body: Buffer.from('x'),
        state: 'quarantined',
        reason: 'not JSON',
      })
      .execute()
    await handle.db
      .insertInto('outbox')
      .values({
        key: 'd',
        lane: connectionId,
        order_key: 'c',
        action: '{}',
        cause: '{"depth":0}',
        state: 'dead',
        error: '{"code":"rejected","message":"no such ticket"}',
      })
      .execute()
    await suppress(
      handle.db,
      [{ address: 'ana@example.com', reason: '5.1.1 no such user', connectionId, caseId: 'case_1' }],
      new Date(),
    )
    const sick = await run(['doctor'], env())
    expect(sick.code).toBe(1)
    expect(sick.out).toContain('"Legacy desk": 1 webhook could not be read: not JSON')
    expect(sick.out).toContain('"Legacy desk": 1 dead letter: no such ticket')
    expect(sick.out).toContain('ok     connection "Legacy desk"')
    expect(sick.out).toContain('1 address that mail came back from, such as ana@example.com (5.1.1 no such user)')
    expect(sick.out).toContain('DELETE /api/v1/suppressions/')
    const [row] = await handle.db.selectFrom('inbox').select('seq').execute()
    const replayed = await run(['replay', 'inbox', String(row?.seq), '999'], env())
    expect(replayed).toEqual({
      code: 1,
      out: '1 to be worked again\n',
      err: 'inbox row 999: not there, or waiting already\n',
    })
    expect(await run(['replay', 'deliveries', '--dead'], env())).toEqual({
      code: 0,
      out: '1 to be worked again\n',
      err: '',
    })
    const well = Doctor.parse(JSON.parse((await run(['doctor', '--json'], env())).out))
    expect(well).toMatchObject({ ok: true })
  })

  it('does not make a new key when the right one is missing', async () => {
    const { DESKWEAVE_SECRET_KEY: _, ...rest } = env()
    const data = join(folder.path, 'keyless')
    const { code, out } = await run(['doctor'], { ...rest, DESKWEAVE_DATA: data })
    expect(code).toBe(1)
    expect(out).toContain('secret.key is missing')
    expect(existsSync(data) ? readdirSync(data) : []).toEqual([])
  })

  it('says when the key is another one', async () => {
    const { code, out } = await run(['doctor'], {
      ...env(),
      DESKWEAVE_SECRET_KEY: 'another passphrase of more than thirty-two',
    })
    expect(code).toBe(1)
    expect(out).toContain('WRONG  connection "Legacy desk"')
  })

  it('knows a database that has not been migrated', async () => {
    await administer(database.url, 'create database unmigrated')
    const url = new URL(database.url)
    url.pathname = '/unmigrated'
    const { code, out } = await run(['doctor'], { ...env(), DATABASE_URL: url.href })
    expect(code).toBe(0)
    expect(out).toContain('note   migrations: none yet')
    await administer(database.url, 'drop database unmigrated')
  })

  it('connects through the hub that runs, which knows it at once', async () => {
    const { PORT: _, ...settings } = env()
    const hub = await startHubProcess({ dataDir: join(folder.path, 'running'), env: settings })
    try {
      const { code, out } = await run(['connect', 'desk', '--name', 'Second desk'], {
        ...env(),
        DESKWEAVE_BASE_URL: hub.url,
      })
      expect(code).toBe(0)
      expect(out).toMatch(/secret {2}whsec_\S+ {2}\(shown this once\)/)
      const { data } = z
        .object({ data: z.array(z.looseObject({ name: z.string() })) })
        .parse(await hub.api('GET', '/connections'))
      expect(data.map(({ name }) => name)).toContain('Second desk')
      const { data: audit } = z
        .object({ data: z.array(z.looseObject({ actor: z.string() })) })
        .parse(await hub.api('GET', '/audit?limit=1'))
      expect(audit).toMatchObject([{ actor: 'admin', act: 'connection.installed' }])
      const again = await run(['connect', 'desk', '--name', 'Second desk'], { ...env(), DESKWEAVE_BASE_URL: hub.url })
      expect(again.err).toContain('a connection is called "Second desk" already')
      const doctor = await run(['doctor'], { ...env(), DESKWEAVE_BASE_URL: hub.url })
      expect(doctor.out).toContain(`ok     hub: answers at ${hub.url}`)
    } finally {
      await hub.stop()
    }
  })
})
