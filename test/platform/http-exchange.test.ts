import { describe, expect, it, onTestFinished } from 'vitest'
import { AnswerTooLong, exchange, NoAnswer } from '#hub/platform/http-exchange.ts'
import { createGuardedAgent, extraHosts } from '#hub/platform/ssrf.ts'
import { localServer } from './local-server.ts'

describe('exchange', () => {
  it('gives a slot back after the total time, though bytes keep dripping in', async () => {
    const server = await localServer((_request, response) => {
      response.writeHead(200)
      const drip = setInterval(() => response.write('x'), 20)
      response.on('close', () => clearInterval(drip))
    })
    onTestFinished(() => server[Symbol.asyncDispose]())
    const failed = await call(server.host, { timeoutMs: 150 })
    expect(failed).toBeInstanceOf(NoAnswer)
    expect(failed).toMatchObject({ sent: true, message: 'no answer within 0.15 s' })
  })

  it('refuses an answer by its announced length, before it reads it', async () => {
    const server = await localServer((_request, response) => {
      response.writeHead(200, { 'content-length': '5000000' })
      response.write('x')
    })
    onTestFinished(() => server[Symbol.asyncDispose]())
    const failed = await call(server.host, { timeoutMs: 5_000 })
    expect(failed).toBeInstanceOf(AnswerTooLong)
    expect(failed).toMatchObject({ status: 200 })
  })

  it('asks before it sends, when the socket is ready', async () => {
    let served = 0
    const server = await localServer((_request, response) => {
      served += 1
      response.end('{}')
    })
    onTestFinished(() => server[Symbol.asyncDispose]())
    const asked: number[] = []
    const beforeSend = () => {
      asked.push(served)
      if (asked.length > 1) throw new Error('no more')
    }
    expect(await call(server.host, { beforeSend })).toMatchObject({ status: 200 })
    expect(await call(server.host, { beforeSend })).toMatchObject({ sent: false, message: 'no more' })
    expect(asked).toEqual([0, 1])
    expect(served).toBe(1)
  })
})

function call(host: string, options: { timeoutMs?: number; beforeSend?: () => void }) {
  const agent = createGuardedAgent({ extraHosts: extraHosts([host]) })
  onTestFinished(() => agent.destroy())
  return exchange(agent, {
    method: 'POST',
    url: new URL(`http://${host}/`),
    headers: {},
    maxBytes: 1_000_000,
    timeoutMs: options.timeoutMs ?? 5_000,
    signal: new AbortController().signal,
    ...(options.beforeSend ? { beforeSend: options.beforeSend } : {}),
  }).catch((error: unknown) => error)
}
