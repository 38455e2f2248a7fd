import { describe, expect, it } from 'vitest'
import { createLog } from '#hub/platform/log.ts'

function logged(write: (log: ReturnType<typeof createLog>) => void): Record<string, unknown>[] {
  const lines: string[] = []
  write(createLog('info', { write: (line) => void lines.push(line) }))
  return lines.map((line) => JSON.parse(line))
}

describe('the log', () => {
  it('writes one JSON line per message, from its level up', () => {
    const lines = logged((log) => {
      log.debug({}, 'unheard')
      log.info({ case_id: 'case_1' }, 'heard')
    })
    expect(lines).toEqual([
      { level: 'info', time: expect.stringMatching(/^\d{4}-.*Z$/), case_id: 'case_1', msg: 'heard' },
    ])
  })

  it('hides values under secret names at any depth, and bytes', () => {
    const [line] = logged((log) =>
      log.warn(
        {
          headers: { Authorization: 'Bearer x', 'set-cookie': ['a'], accept: 'b' },
          config: [{ apiToken: 't', apiKey: 'k', clientSecret: 's', password: 'p', webhook: { signature: 'g' } }],
          sealed: Buffer.from('x'),
          body: Buffer.from('hello'),
        },
        'm',
      ),
    )
    expect(line).toMatchObject({
      headers: { Authorization: '[hidden]', 'set-cookie': '[hidden]', accept: 'b' },
      config: [
        {
          apiToken: '[hidden]',
          apiKey: '[hidden]',
          clientSecret: '[hidden]',
          password: '[hidden]',
          webhook: { signature: '[hidden]' },
        },
      ],
      sealed: '[hidden]',
      body: '[5 bytes]',
    })
  })

  it('tells an error by its own words, without what drivers hang on it', () => {
    const cause = Object.assign(new Error('connect to postgresql://hub:swordfish@db/x failed'), {
      code: 'ECONNREFUSED',
    })
    const error = Object.assign(new Error('outer', { cause }), {
      detail: 'Key (email)=(ana@example.com)',
      config: { auth: 'x' },
    })
    const [line] = logged((log) => log.error({ err: error }, 'm'))
    expect(line).toMatchObject({
      err: {
        type: 'Error',
        message: 'outer',
        cause: { code: 'ECONNREFUSED', message: 'connect to postgresql://[hidden]@db/x failed' },
      },
    })
    expect(JSON.stringify(line)).not.toMatch(/swordfish|ana@example/)
  })

  it('survives values that hold themselves', () => {
    const circle: Record<string, unknown> = {}
    circle['self'] = circle
    expect(logged((log) => log.info(circle, 'm'))).toHaveLength(1)
  })
})
