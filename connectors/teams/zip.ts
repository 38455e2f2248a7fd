/** A ZIP archive of a few small files: no folders, no encryption, the same bytes for the same files. */
import { crc32, deflateRawSync } from 'node:zlib'

const deflated = 8
const version = 20
/** Names are UTF-8. */
const flags = 0x0800
/** 1 January 1980, the first day that the format knows: a date would make each archive another. */
const date = 0x21

/** https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16. */
export function zip(files: Readonly<Record<string, string | Uint8Array>>): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, content] of Object.entries(files)) {
    const bytes = Buffer.from(content)
    const packed = deflateRawSync(bytes, { level: 9 })
    const path = Buffer.from(name)
    const common = fields([
      [2, version],
      [2, flags],
      [2, deflated],
      [2, 0],
      [2, date],
      [4, crc32(bytes)],
      [4, packed.length],
      [4, bytes.length],
      [2, path.length],
      [2, 0],
    ])
    const local = Buffer.concat([fields([[4, 0x04034b50]]), common, path, packed])
    const entry = [
      fields([
        [4, 0x02014b50],
        [2, version],
      ]),
      common,
      fields([
        [2, 0],
        [2, 0],
        [2, 0],
        [4, 0],
        [4, offset],
      ]),
      path,
    ]
    parts.push(local)
    directory.push(...entry)
    offset += local.length
  }
  const index = Buffer.concat(directory)
  const count = parts.length
  const end = fields([
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, count],
    [2, count],
    [4, index.length],
    [4, offset],
    [2, 0],
  ])
  return Buffer.concat([...parts, index, end])
}

/** Little-endian numbers of two or four bytes. */
function fields(list: readonly (readonly [size: 2 | 4, value: number])[]): Buffer {
  const bytes = list.map(([size, value]) => {
    const field = Buffer.alloc(size)
    field.writeUIntLE(value, 0, size)
    return field
  })
  return Buffer.concat(bytes)
}
