import { describe, expect, it } from 'vitest'
import type { LoadedConnection } from '#hub/connections/index.ts'
import type { Context } from '#hub/connector/contract.ts'
import { ConnectorError, type ConnectorErrorCode } from '#hub/connector/errors.ts'
import type { Attachment, Observation } from '#hub/connector/facts.ts'
import type { InboxRow, Observed } from '#hub/normalise/index.ts'
import { withNamedFiles } from '#hub/normalise/name-files.ts'

const row = (attempts = 0): InboxRow => ({
  seq: 1,
  connection_id: 'con_1',
  dedupe_key: 'k',
  source: 'webhook',
  body: Buffer.from(''),
  attempts,
})
const seen = [{ name: 'attachment', url: 'https://talk.example/message/1' }]
const picture = { name: 'image.png', url: 'https://talk.example/image' }
const message = { id: '1', text: 'The log', files: [picture], unnamed: { at: 'message 1', seen } }
const chat = (what: Extract<Observation, { type: 'chat' }>['happening']['what']): Observation => ({
  occurredAt: '2026-11-22T10:00:00.000Z',
  byHub: false,
  type: 'chat',
  happening: { user: 'leo', what },
})
const said = chat({ kind: 'message', message })
const pressed = chat({ kind: 'press', act: { act: 'take', value: 'case_1', fields: {} } })

/** @param filesOf what the tool tells. */
async function name(observed: readonly Observed[], filesOf: (at: string) => readonly Attachment[]) {
  const asked: string[] = []
  const warned: string[] = []
  const can = {
    chat: {
      async filesOf(_ctx: unknown, at: string) {
        asked.push(at)
        return filesOf(at)
      },
    },
  }
  const connection = { id: 'con_1', connector: { can } } as unknown as LoadedConnection
  const log = { warn: (_data: object, text: string) => warned.push(text) }
  const contextFor = (signal: AbortSignal) => ({ signal, log }) as unknown as Context<unknown>
  const read = await withNamedFiles(connection, observed, contextFor, new AbortController().signal)
  return { read, asked, warned }
}

const filesIn = (one: Observed | undefined) => {
  if (!one || 'failed' in one) return undefined
  const [observation] = one.observations
  const what = observation?.type === 'chat' ? observation.happening.what : undefined
  return what?.kind === 'message' ? what.message.files : undefined
}
const fails = (code: ConnectorErrorCode) => () => {
  throw new ConnectorError(code, 'talk: no', code === 'rate_limited' ? { retryAfterMs: 7_000 } : {})
}

describe('files that a chat tool does not name', () => {
  it('are asked for, once for each message, and stand beside those that it named', async () => {
    const { read, asked } = await name([{ row: row(), observations: [said] }], () => [{ name: 'router.log', id: 'F1' }])
    expect(asked).toEqual(['message 1'])
    expect(filesIn(read[0])).toEqual([
      { ...picture, source: 'con_1' },
      { name: 'router.log', id: 'F1', source: 'con_1' },
    ])
  })

  it('are asked for of nothing else', async () => {
    const failed: Observed = { row: row(), failed: 'quarantined', reason: 'broken' }
    const others: readonly Observed[] = [{ row: row(), observations: [pressed] }, failed]
    const { read, asked } = await name(others, () => [])
    expect([read, asked]).toEqual([others, []])
  })

  it.each(['unavailable', 'rate_limited', 'outcome_unknown'] as const)(
    'keep their message waiting while the tool cannot tell (%s), and nobody else',
    async (code) => {
      const both: readonly Observed[] = [
        { row: row(2), observations: [said] },
        { row: row(), observations: [pressed] },
      ]
      const { read } = await name(both, fails(code))
      expect(read[0]).toMatchObject({ failed: 'retry', ...(code === 'rate_limited' ? { retryAfterMs: 7_000 } : {}) })
      expect(read[1]).toEqual(both[1])
    },
  )

  it.each([
    ['rejected', 0],
    ['auth_failed', 0],
    ['not_found', 0],
    ['malformed', 0],
    ['unavailable', 3],
  ] as const)('are links to the message when the tool refuses or stays away: %s at try %i', async (code, attempts) => {
    const { read, warned } = await name([{ row: row(attempts), observations: [said] }], fails(code))
    expect(filesIn(read[0])).toEqual([picture, ...seen].map((file) => ({ ...file, source: 'con_1' })))
    expect(warned).toHaveLength(1)
  })
})
