import { describe, expect, it } from 'vitest'
import type { Http, HttpInit } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { fetchFile } from '#hub/connector/file.ts'

const url = new URL('https://desk.example/files/7?key=secret-key')
const asked: [string, HttpInit | undefined][] = []

function doorTo(...answers: (Response | Error)[]) {
  asked.length = 0
  const fetch: Http['fetch'] = async (given, init) => {
    asked.push([String(given), init])
    const answer = answers.shift() ?? new Error('asked once too often')
    if (answer instanceof Error) throw answer
    return answer
  }
  const json = () => Promise.reject(new Error('a file is not JSON'))
  return { http: { fetch, json }, now: () => new Date('2026-11-22T10:00:00Z') }
}
const to = (location: string) => new Response('', { status: 302, headers: { location } })
const headers = { authorization: 'Bearer made-up' }

describe('a file', () => {
  it('is read as it is, and the door is asked for no more than is wanted', async () => {
    const bytes = new Uint8Array([0, 255, 13, 10])
    const content = await fetchFile(doorTo(new Response(bytes)), url, { headers, maxBytes: 4 })
    expect(content).toEqual(bytes)
    expect(asked).toEqual([[url.href, { headers, maxBytes: 4 }]])
  })

  it.each([
    ['than the door lets through', new ConnectorError('malformed', 'the answer is longer than 4 bytes')],
    ['than was asked for', new Response('paper jam')],
  ])('is rejected when it is longer %s, and its key stays out of the words', async (_, answer) => {
    const failed = await fetchFile(doorTo(answer), url, { maxBytes: 4 }).catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: 'rejected', message: expect.stringContaining('more than 4 bytes') })
    expect(String(failed)).not.toContain('secret-key')
  })

  it('is followed once, to where the connector allows, without its headers', async () => {
    const mayFollow = ({ hostname }: URL) => hostname === 'cdn.example'
    const door = doorTo(to('https://cdn.example/7'), new Response('x'))
    expect(Buffer.from(await fetchFile(door, url, { headers, maxBytes: 9, mayFollow })).toString()).toBe('x')
    expect(asked[1]).toEqual(['https://cdn.example/7', { headers: {}, maxBytes: 9 }])

    const twice = doorTo(to('https://cdn.example/7'), to('https://cdn.example/8'))
    await expect(fetchFile(twice, url, { maxBytes: 9, mayFollow })).rejects.toMatchObject({ code: 'rejected' })
    for (const location of ['https://evil.example/', '/login', 'https://']) {
      const door = doorTo(to(location))
      await expect(fetchFile(door, url, { maxBytes: 9, mayFollow })).rejects.toMatchObject({ code: 'host_refused' })
    }
  })

  it('is not followed where the connector says nothing of it', async () => {
    const door = doorTo(to('https://desk.example/8'))
    await expect(fetchFile(door, url, { maxBytes: 9 })).rejects.toMatchObject({ code: 'rejected' })
  })

  it.each([
    [401, 'auth_failed'],
    [404, 'not_found'],
    [429, 'rate_limited'],
    [503, 'unavailable'],
  ])('that is answered with %i is %s', async (status, code) => {
    const answer = new Response('', { status, headers: { 'retry-after': '7' } })
    const failed = fetchFile(doorTo(answer), url, { maxBytes: 9 })
    await expect(failed).rejects.toMatchObject({ code, retryAfterMs: 7_000 })
  })
})
