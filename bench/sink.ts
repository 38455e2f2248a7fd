/** Where effects arrive: counts them, and tells how long after the event each one came. Runs in a process of its own. */
import http from 'node:http'
import { quantile } from './load.ts'

let arrived = 0
let target = Number.POSITIVE_INFINITY
let latencies: number[] = []
/** Every event carries the moment it was sent, as milliseconds since 1970 with fraction, behind this mark. */
const sentAt = /sent_at_ms\W+([\d.]+)/

const server = http.createServer((request, response) => {
  let body = ''
  request.on('data', (chunk: Buffer) => {
    body += chunk
  })
  request.on('end', () => {
    response.writeHead(204).end()
    arrived += 1
    const at = Number(sentAt.exec(body)?.[1])
    if (!Number.isNaN(at)) latencies.push(performance.timeOrigin + performance.now() - at)
    if (arrived >= target) report()
  })
})

function report() {
  latencies.sort((a, b) => a - b)
  process.send?.({ arrived, at: Date.now(), p50Ms: quantile(latencies, 0.5), p99Ms: quantile(latencies, 0.99) })
}

process.on('message', (message: { readonly expect: number }) => {
  arrived = 0
  latencies = []
  target = message.expect
  process.send?.({ ready: true })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address && typeof address === 'object') process.send?.({ port: address.port })
})
