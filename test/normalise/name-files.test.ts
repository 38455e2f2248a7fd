import { describe, expect, it } from 'vitest'
import type { LoadedConnection } from '#hub/connections/index.ts'
import type { Context } from '#hub/connector/contract.ts'
import { ConnectorError, type ConnectorErrorCode } from '#hub/connector/errors.ts'
import type { Attachment, Observation } from '#hub/connector/facts.ts'
import type { InboxRow, Observed } from '#hub/normalise/index.ts'
import { withNamedFiles } from '#hub/normalise/name-files.ts'

const row = (): InboxRow => ({
  seq: 1,
  connection_id: 'con_1',
  dedupe_key: 'k',
  source: 'webhook',
  body: Buffer.from(''),
  attempts: 0,
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
async function name(
  observed: readonly Observed[],
  filesOf: (at: string) => readonly Attachment[] | Promise<readonly Attachment[]>,
  { id, at = 0 }: { readonly id: string; readonly at?: number },
) {
  const asked: string[] = []
  const warned: string[] = []
  const can = {
    chat: {
      async filesOf(_ctx: unknown, at: string) {
        asked.push(at)
        return await filesOf(at)
      },
    },
  }
  const connection = { id, connector: { can } } as unknown as LoadedConnection
  const log = { warn: (_data: object, text: string) => warned.push(text) }
  const now = () => new Date(at)
  const contextFor = (signal: AbortSignal) => ({ signal, log, now }) as unknown as Context<unknown>
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
  throw new ConnectorError(code, 'talk: no', { retryAfterMs: 86_400_000 })
}
const marked = (id: string, ...files: readonly Attachment[]) => files.map((file) => ({ ...file, source: id }))

describe('files that a chat tool does not name', () => {
  it('are asked for, once for each message, and stand beside those that it named', async () => {
    const router = { name: 'router.log', id: 'F1' }
    const { read, asked } = await name([{ row: row(), observations: [said] }], () => [router], { id: 'con_1' })
    expect(asked).toEqual(['message 1'])
    expect(filesIn(read[0])).toEqual(marked('con_1', picture, router))
  })

  it('are asked for of nothing else', async () => {
    const failed: Observed = { row: row(), failed: 'quarantined', reason: 'broken' }
    const others: readonly Observed[] = [{ row: row(), observations: [pressed] }, failed]
    const { read, asked } = await name(others, () => [], { id: 'con_2' })
    expect([read, asked]).toEqual([others, []])
  })

  it.each(['not_found', 'unavailable', 'rate_limited', 'outcome_unknown'] as const)(
    'are asked for once more when the tool could not tell: %s',
    async (code) => {
      const answers = [fails(code), () => [{ name: 'router.log' }]]
      const { read, asked } = await name([{ row: row(), observations: [said] }], () => answers.shift()?.() ?? [], {
        id: `con_${code}`,
      })
      expect(asked).toHaveLength(2)
      expect(filesIn(read[0])).toEqual(marked(`con_${code}`, picture, { name: 'router.log' }))
    },
  )

  it.each(['rejected', 'auth_failed', 'malformed', 'unavailable', 'rate_limited'] as const)(
    'are links to the message when the tool refuses or stays away, and the message waits for nothing: %s',
    async (code) => {
      const both: readonly Observed[] = [
        { row: row(), observations: [said] },
        { row: row(), observations: [pressed] },
      ]
      const { read, warned } = await name(both, fails(code), { id: `con_away_${code}` })
      expect(filesIn(read[0])).toEqual(marked(`con_away_${code}`, picture, ...seen))
      expect(read[1]).toEqual({ ...both[1] })
      expect(warned).toHaveLength(1)
    },
  )

  it('are not asked for while the tool is out of reach, and again half a minute later', async () => {
    const one = [{ row: row(), observations: [said] }]
    const id = 'con_rest'
    await name(one, fails('unavailable'), { id, at: 1_000 })
    const meanwhile = await name(one, () => [{ name: 'router.log' }], { id, at: 30_999 })
    expect([meanwhile.asked, filesIn(meanwhile.read[0])]).toEqual([[], marked(id, picture, ...seen)])
    const later = await name(one, () => [{ name: 'router.log' }], { id, at: 31_000 })
    expect(filesIn(later.read[0])).toEqual(marked(id, picture, { name: 'router.log' }))
  })

  it('of a tool that hangs cost no more than the patience of a batch', async () => {
    const hangs = () => new Promise<readonly Attachment[]>(() => {})
    const { read } = await name([{ row: row(), observations: [said] }], hangs, { id: 'con_hangs' })
    expect(filesIn(read[0])).toEqual(marked('con_hangs', picture, ...seen))
  })
})
