import { describe, expect, it } from 'vitest'
import type { OutMessage } from '#hub/connector/contract.ts'
import { ConnectorError, type ConnectorErrorCode } from '#hub/connector/errors.ts'
import type { Attachment } from '#hub/connector/facts.ts'
import { type ReadFile, withItsFiles } from '#hub/delivery/files.ts'

const mebibyte = 1024 * 1024
const log: Attachment = {
  id: 'F1',
  name: 'log.txt',
  contentType: 'text/plain',
  sizeBytes: 5,
  url: 'https://chat.example/F1',
}
const photo: Attachment = { id: 'F2', name: 'photo.png', sizeBytes: 21 * mebibyte, url: 'https://chat.example/F2' }

const contents: ReadFile = async ({ name }) => Buffer.from(`the ${name}`)
const failing = (code: ConnectorErrorCode): ReadFile => {
  return () => Promise.reject(new ConnectorError(code, 'no', { retryAfterMs: 7_000 }))
}
const note = (...attachments: readonly Attachment[]): OutMessage => ({
  visibility: 'internal',
  text: 'Look',
  attachments,
})
const desk = { maxBytes: 50 * mebibyte }

describe('files of a message', () => {
  it('leave with it, as the tool that told of them has them', async () => {
    expect(await withItsFiles(note(log), desk, contents, 0)).toEqual({
      visibility: 'internal',
      text: 'Look',
      files: [
        {
          name: 'log.txt',
          contentType: 'text/plain',
          content: Buffer.from('the log.txt'),
          url: 'https://chat.example/F1',
        },
      ],
      filesMayWait: true,
    })
  })

  it('stay as they are for a tool that takes none: it names them', async () => {
    expect(await withItsFiles(note(log), undefined, contents, 0)).toEqual(note(log))
  })

  it('are named with their links when they are too large', async () => {
    const out = await withItsFiles({ ...note(log, photo), html: '<b>Look</b>' }, desk, contents, 0)
    expect(out.files?.map(({ name }) => name)).toEqual(['log.txt'])
    expect(out.text).toBe('Look\n\nFiles not sent: photo.png (https://chat.example/F2)')
    expect(out.html).toBe('<b>Look</b><p>Files not sent: photo.png (https://chat.example/F2)</p>')
    expect(out.attachments).toBeUndefined()
  })

  it('that lie where colleagues work are named to customers without their addresses', async () => {
    const inside = { ...log, isInternal: true } as const
    const reply = { visibility: 'public', text: 'Look', attachments: [inside] } as const
    const gone = await withItsFiles(reply, desk, failing('rejected'), 0)
    expect(gone.text).toBe('Look\n\nFiles not sent: log.txt')
    const sent = await withItsFiles(reply, desk, contents, 0)
    const named = await withItsFiles(reply, undefined, contents, 0)
    expect(JSON.stringify([sent, named])).not.toContain('chat.example')
    expect(named.attachments).toMatchObject([{ name: 'log.txt' }])
    const note = await withItsFiles({ ...reply, visibility: 'internal' }, desk, failing('rejected'), 0)
    expect(note.text).toContain('https://chat.example/F1')
  })

  it('hold the message back when the tool cannot take them, but not for ever', async () => {
    const patience = await Promise.all(
      [0, 1, 2, 9].map((attempts) => withItsFiles(note(log), desk, contents, attempts)),
    )
    expect(patience.map(({ filesMayWait }) => filesMayWait)).toEqual([true, true, undefined, undefined])
  })

  it('are named when they turn out larger than they were said to be', async () => {
    const swollen: ReadFile = async (_, maxBytes) => Buffer.alloc(maxBytes + 1)
    expect(await withItsFiles(note({ name: '<b>' }), desk, swollen, 0)).toEqual({
      visibility: 'internal',
      text: 'Look\n\nFiles not sent: <b>',
    })
  })

  it('share what the tool takes in one message', async () => {
    const asked: number[] = []
    const read: ReadFile = async (_, maxBytes) => {
      asked.push(maxBytes)
      return Buffer.alloc(mebibyte)
    }
    const small = { name: 'part.bin' }
    const out = await withItsFiles(note(small, small, small), { maxBytes: 2 * mebibyte }, read, 0)
    expect(asked).toEqual([2 * mebibyte, mebibyte])
    expect(out.files).toHaveLength(2)
    expect(out.text).toBe('Look\n\nFiles not sent: part.bin')
  })

  it('are ten at most', async () => {
    const many = Array.from({ length: 12 }, (_, n) => ({ name: `${n}.txt` }))
    const out = await withItsFiles({ ...note(...many), text: '' }, desk, contents, 0)
    expect(out.files).toHaveLength(10)
    expect(out.text).toBe('Files not sent: 10.txt, 11.txt')
  })

  it.each(['not_found', 'rejected', 'auth_failed', 'host_refused', 'malformed'] as const)(
    'are named at once when they cannot be had: %s',
    async (code) => {
      const out = await withItsFiles(note(log), desk, failing(code), 0)
      expect(out.text).toBe('Look\n\nFiles not sent: log.txt (https://chat.example/F1)')
    },
  )

  it.each(['rate_limited', 'unavailable', 'outcome_unknown'] as const)(
    'are waited for twice, then the message goes without them: %s',
    async (code) => {
      for (const attempts of [0, 1]) {
        await expect(withItsFiles(note(log), desk, failing(code), attempts)).rejects.toMatchObject({
          code: 'unavailable',
          retryAfterMs: 7_000,
          message: 'the file "log.txt" cannot be read now: no',
        })
      }
      expect((await withItsFiles(note(log), desk, failing(code), 2)).text).toContain('Files not sent: log.txt')
    },
  )
})
