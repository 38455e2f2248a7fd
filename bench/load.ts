/**
 * A load generator that costs little: requests are signed and written out beforehand, and each of N keep-alive connections
 * sends the next one when its answer is in. Runs in a process of its own.
 */
import net from 'node:net'

export interface LoadResult {
  readonly sent: number
  readonly answered2xx: number
  readonly seconds: number
  readonly perSecond: number
  /** Time to the answer. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** As fast as the other side answers. @param next the next request, ready to send; undefined ends the load. */
export async function loadFlatOut(
  port: number,
  connections: number,
  next: () => Buffer | undefined,
): Promise<LoadResult> {
  const latencies: number[] = []
  let ok = 0
  const started = performance.now()
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const client = await connect(port)
      for (let request = next(); request; request = next()) {
        const at = performance.now()
        const status = await client.exchange(request)
        latencies.push(performance.now() - at)
        if (status >= 200 && status < 300) ok += 1
      }
      client.close()
    }),
  )
  return summarise(latencies, ok, (performance.now() - started) / 1000)
}

/** At a steady rate, whatever the other side does: a slow answer does not slow the next request. */
export async function loadAtRate(
  port: number,
  startAtMs: number,
  perSecond: number,
  requests: readonly Buffer[],
): Promise<LoadResult> {
  const clients = await Promise.all(Array.from({ length: 50 }, () => connect(port)))
  const latencies: number[] = []
  let ok = 0
  const started = startAtMs - performance.timeOrigin
  await Promise.all(
    requests.map(async (request, index) => {
      const dueMs = (index * 1000) / perSecond
      await new Promise((resolve) => setTimeout(resolve, started + dueMs - performance.now()))
      const at = performance.now()
      const status = await (clients[index % clients.length] as Client).exchange(request)
      latencies.push(performance.now() - at)
      if (status >= 200 && status < 300) ok += 1
    }),
  )
  for (const client of clients) client.close()
  return summarise(latencies, ok, (performance.now() - started) / 1000)
}

interface Client {
  exchange(request: Buffer): Promise<number>
  close(): void
}

/** Understands just enough of HTTP/1.1: a status line, a content-length, one answer after the other. */
function connect(port: number): Promise<Client> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1')
    socket.setNoDelay(true)
    let received: Buffer = Buffer.alloc(0)
    let queue: { done: (status: number) => void; failed: (error: Error) => void }[] = []
    socket.on('data', (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
      for (;;) {
        const end = received.indexOf('\r\n\r\n')
        if (end === -1) return
        const head = received.toString('latin1', 0, end)
        if (/transfer-encoding/i.test(head)) return fail(new Error('the server answered in chunks'))
        const length = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0)
        if (received.length < end + 4 + length) return
        received = received.subarray(end + 4 + length)
        queue.shift()?.done(Number(head.slice(9, 12)))
      }
    })
    const fail = (error: Error) => {
      for (const one of queue) one.failed(error)
      queue = []
    }
    socket.on('error', (error) => {
      reject(error)
      fail(error)
    })
    socket.on('close', () => fail(new Error('the server closed the connection')))
    socket.on('connect', () =>
      resolve({
        exchange: (request) =>
          new Promise((done, failed) => {
            queue.push({ done, failed })
            socket.write(request)
          }),
        close: () => socket.destroy(),
      }),
    )
  })
}

export function httpRequest(path: string, headers: Readonly<Record<string, string>>, body: string): Buffer {
  const lines = Object.entries({ host: '127.0.0.1', ...headers, 'content-length': String(Buffer.byteLength(body)) })
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
  )
}

function summarise(latencies: number[], ok: number, seconds: number): LoadResult {
  latencies.sort((a, b) => a - b)
  return {
    sent: latencies.length,
    answered2xx: ok,
    seconds,
    perSecond: ok / seconds,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    maxMs: latencies.at(-1) ?? Number.NaN,
  }
}

export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN
}
