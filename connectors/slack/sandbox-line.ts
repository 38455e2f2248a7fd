/** Socket Mode in the stand-in: a WebSocket of one's own (RFC 6455), as small as the messages need. */
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { z } from 'zod'

export interface SandboxLine {
  /** `ws://…`, good for one line. */
  open(): string
  /** Sends a request down the line. @returns the payload of its acknowledgement; undefined when none came in time. */
  send(type: string, payload: object): Promise<object | undefined>
  /** Resolves when somebody has opened the line. */
  readonly stands: Promise<void>
  close(): Promise<void>
}

const magic = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const ackWithinMs = 3_000
const Ack = z.object({ envelope_id: z.string(), payload: z.looseObject({}).optional() })

export async function startLine(): Promise<SandboxLine> {
  const server = createServer()
  const waiting = new Map<string, (payload: object) => void>()
  const { promise: stands, resolve: stood } = Promise.withResolvers<void>()
  let line: Duplex | undefined
  let count = 0
  const next = () => {
    count += 1
    return count
  }

  server.on('upgrade', (request, socket: Duplex) => {
    const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${magic}`).digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
    line = socket
    let received: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      for (let frame = readFrame(received); frame; frame = readFrame(received)) {
        received = received.subarray(frame.length)
        if (frame.opcode === 8) socket.end(Buffer.from([0x88, 0]))
        if (frame.opcode === 9) socket.write(Buffer.from([0x8a, 0]))
        if (frame.opcode !== 1) continue
        const { envelope_id: id, payload = {} } = Ack.parse(JSON.parse(frame.payload.toString('utf8')))
        waiting.get(id)?.(payload)
        waiting.delete(id)
      }
    })
    socket.on('error', () => {})
    socket.write(textFrame({ type: 'hello', num_connections: 1, connection_info: { app_id: 'A0' } }))
    stood()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  return {
    stands,
    open: () => `ws://127.0.0.1:${port}/link/?ticket=${next()}`,
    async send(type, payload) {
      if (!line) return undefined
      const id = `envelope-${next()}`
      const acknowledged = new Promise<object | undefined>((resolve) => {
        waiting.set(id, resolve)
        setTimeout(() => resolve(undefined), ackWithinMs).unref()
      })
      line.write(textFrame({ envelope_id: id, type, payload, accepts_response_payload: type !== 'events_api' }))
      return await acknowledged
    },
    async close() {
      line?.destroy()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

interface Frame {
  readonly opcode: number
  readonly payload: Buffer
  /** Of the whole frame. */
  readonly length: number
}

/** A client masks what it sends. @returns undefined while a part is missing */
function readFrame(bytes: Buffer): Frame | undefined {
  const [first, second] = bytes
  if (first === undefined || second === undefined) return undefined
  const short = second & 0x7f
  const head = short === 127 ? 10 : short === 126 ? 4 : 2
  if (bytes.length < head + 4) return undefined
  const size = short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short
  const length = head + 4 + size
  if (bytes.length < length) return undefined
  const mask = bytes.subarray(head, head + 4)
  const payload = Buffer.from(bytes.subarray(head + 4, length).map((byte, index) => byte ^ (mask[index % 4] ?? 0)))
  return { opcode: first & 0x0f, payload, length }
}

function textFrame(message: object): Buffer {
  const text = Buffer.from(JSON.stringify(message))
  const head = Buffer.alloc(text.length < 126 ? 2 : 10)
  head[0] = 0x81
  if (text.length < 126) head[1] = text.length
  else {
    head[1] = 127
    head.writeBigUInt64BE(BigInt(text.length), 2)
  }
  return Buffer.concat([head, text])
}
