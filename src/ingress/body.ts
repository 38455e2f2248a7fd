/** Reads a webhook's body within its limits. */
import type { IncomingMessage } from 'node:http'

/** One thing, and a batch of things: a body that begins with `[`. */
export const bodyLimits = { singleBytes: 1024 * 1024, batchBytes: 4 * 1024 * 1024 }

export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge'
}
export class BodyCut extends Error {
  override readonly name = 'BodyCut'
}

/** @throws BodyTooLarge as soon as it is known; BodyCut when the sender went away in the middle. */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > bodyLimits.batchBytes) return Promise.reject(new BodyTooLarge())
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    let limit: number | undefined
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      limit ??= limitOf(chunk)
      if (size > (limit ?? bodyLimits.singleBytes)) {
        request.removeAllListeners('data')
        reject(new BodyTooLarge())
        return
      }
      chunks.push(chunk)
    })
    request.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
    request.on('aborted', () => reject(new BodyCut()))
    request.on('error', () => reject(new BodyCut()))
  })
}

/** By the first byte that is not white space; `undefined` while there is none. */
function limitOf(chunk: Buffer): number | undefined {
  for (const byte of chunk) {
    if (byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d) continue
    return byte === 0x5b ? bodyLimits.batchBytes : bodyLimits.singleBytes
  }
  return undefined
}
