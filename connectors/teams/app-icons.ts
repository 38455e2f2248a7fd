/** The app's two icons, drawn: a weave of two warp and two weft threads. */
import { crc32, deflateSync } from 'node:zlib'

type Colour = readonly [red: number, green: number, blue: number, alpha: number]

const white: Colour = [255, 255, 255, 255]
const clear: Colour = [255, 255, 255, 0]

/** 192 × 192, on the accent colour; the mark keeps to the middle, since Teams rounds the corners off. */
export const colourIcon = (accent: string): Buffer => png(192, 0.5, white, colourOf(accent))

/** 32 × 32, white on nothing: Teams colours it for its theme. */
export const outlineIcon = (): Buffer => png(32, 0.9, white, clear)

const threads = [0.28, 0.72]
const halfWidth = 0.11
const gap = 0.06

/** Whether a point of the unit square is on a thread. Where two cross, one goes over, in turn, and the other has a gap. */
function isThread(x: number, y: number): boolean {
  return (
    threads.some(
      (at, column) => on(x, at) && within(y) && !threads.some((row, number) => under(y, row, column + number)),
    ) ||
    threads.some(
      (at, row) => on(y, at) && within(x) && !threads.some((column, number) => under(x, column, row + number + 1)),
    )
  )
}

const on = (value: number, at: number) => Math.abs(value - at) <= halfWidth
const within = (value: number) => value >= 0 && value <= 1
const under = (value: number, at: number, turn: number) => turn % 2 === 0 && Math.abs(value - at) <= halfWidth + gap

const samples = 4

/** @param share of the side that the mark takes, in the middle. */
function png(side: number, share: number, mark: Colour, ground: Colour): Buffer {
  const margin = (1 - share) / 2
  const unit = (pixel: number, sample: number) => ((pixel + (sample + 0.5) / samples) / side - margin) / share
  const rows = Buffer.alloc(side * (1 + side * 4))
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      let hits = 0
      for (let sample = 0; sample < samples * samples; sample += 1) {
        hits += isThread(unit(x, sample % samples), unit(y, Math.floor(sample / samples))) ? 1 : 0
      }
      const covered = hits / samples ** 2
      const at = y * (1 + side * 4) + 1 + x * 4
      rows.set(
        mark.map((value, channel) => Math.round(value * covered + (ground[channel] ?? 0) * (1 - covered))),
        at,
      )
    }
  }
  return encode(side, rows)
}

/** Eight bits of red, green, blue and alpha, rows unfiltered. https://www.w3.org/TR/png-3/ */
function encode(side: number, rows: Buffer): Buffer {
  const head = Buffer.alloc(13)
  head.writeUInt32BE(side, 0)
  head.writeUInt32BE(side, 4)
  head.set([8, 6, 0, 0, 0], 8)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', deflateSync(rows, { level: 9 })), chunk('IEND')])
}

function chunk(type: string, data: Buffer = Buffer.alloc(0)): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}

function colourOf(hex: string): Colour {
  const [red = 0, green = 0, blue = 0] = (hex.match(/[\da-f]{2}/gi) ?? []).map((part) => Number.parseInt(part, 16))
  return [red, green, blue, 255]
}
