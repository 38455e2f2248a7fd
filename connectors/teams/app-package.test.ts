import { crc32, inflateRawSync, inflateSync } from 'node:zlib'
import { AppManifestUtils, TeamsManifestConverter } from '@microsoft/app-manifest'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { teamsFunctions } from './app-functions.ts'
import { teamsAppPackage, teamsManifest, teamsPermissionsExplained, teamsTranslation } from './app-package.ts'
import { zip } from './zip.ts'

const options = {
  baseUrl: 'https://hub.example.com',
  name: 'Acme Support',
  botId: '0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9',
}

/** Reads an archive by its directory at the end, as every unpacker does. */
function unzip(archive: Buffer): Readonly<Record<string, Buffer>> {
  const end = archive.length - 22
  expect(archive.readUInt32LE(end)).toBe(0x06054b50)
  const files: Record<string, Buffer> = {}
  let at = archive.readUInt32LE(end + 16)
  for (let left = archive.readUInt16LE(end + 10); left > 0; left -= 1) {
    expect(archive.readUInt32LE(at)).toBe(0x02014b50)
    const [sum, packed, size] = [16, 20, 24].map((field) => archive.readUInt32LE(at + field))
    const nameLength = archive.readUInt16LE(at + 28)
    const name = archive.subarray(at + 46, at + 46 + nameLength).toString()
    const local = archive.readUInt32LE(at + 42)
    expect(archive.subarray(local + 30, local + 30 + nameLength).toString()).toBe(name)
    const content = inflateRawSync(archive.subarray(local + 30 + nameLength, local + 30 + nameLength + (packed ?? 0)))
    expect([crc32(content), content.length]).toEqual([sum, size])
    files[name] = content
    at += 46 + nameLength
  }
  expect(at).toBe(end)
  return files
}

/** Side and pixels of a PNG as this project writes it. */
function pixels(png: Buffer) {
  expect(png.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n')
  const side = png.readUInt32BE(16)
  expect([png.readUInt32BE(20), png[24], png[25]]).toEqual([side, 8, 6])
  const length = png.readUInt32BE(33)
  const data = png.subarray(41, 41 + length)
  expect(png.readUInt32BE(41 + length)).toBe(crc32(png.subarray(37, 41 + length)))
  const rows = inflateSync(data)
  const at = (x: number, y: number) => [
    ...rows.subarray(y * (1 + side * 4) + 1 + x * 4, y * (1 + side * 4) + 5 + x * 4),
  ]
  return {
    side,
    at,
    all: Array.from({ length: side * side }, (_unused, index) => at(index % side, Math.floor(index / side))),
  }
}

const json = (file: Buffer | undefined): unknown => JSON.parse(`${file}`)

describe('the Teams app package', () => {
  const files = unzip(teamsAppPackage(options))

  it("passes Microsoft's own validator, offline", async () => {
    const manifest = TeamsManifestConverter.jsonToManifest(`${files['manifest.json']}`)
    expect(await AppManifestUtils.validateAgainstSchema(manifest)).toEqual([])
    const wrong = TeamsManifestConverter.jsonToManifest(`${files['manifest.json']}`.replace('#1d3557', 'blue'))
    expect(await AppManifestUtils.validateAgainstSchema(wrong)).not.toEqual([])
  })

  it('says of channels what Teams takes since manifest 1.25, which its schema does not tell', () => {
    const manifest = teamsManifest(options)
    expect(manifest.supportsChannelFeatures).toBe('tier1')
    expect(manifest).not.toHaveProperty('supportedChannelTypes')
  })

  it('is translated into Spanish, for each of its texts but its name', () => {
    const spanish = z.record(z.string(), z.string()).parse(json(files['es.json']))
    const english = teamsManifest(options)
    const said = (path: string) =>
      path
        .split(/[.[\]]+/)
        .filter(Boolean)
        .reduce<unknown>((value, key) => z.record(z.string(), z.unknown()).parse({ ...Object(value) })[key], english)
    const paths = Object.keys(spanish).filter((path) => path !== '$schema')
    expect(paths.filter((path) => typeof said(path) !== 'string')).toEqual([])
    expect(paths.filter((path) => said(path) === spanish[path])).toEqual(['name.short', 'name.full'])
  })

  it.each(['en', 'es'] as const)(
    "says in '%s' only what Microsoft's schema of translations knows and has room for",
    async (language) => {
      const texts = teamsTranslation({ ...options, name: 'x'.repeat(30) }, language)
      // Its patterns are no regular expressions in the "unicode" mode that its validator uses.
      const Rules = z.record(z.string(), z.object({ maxLength: z.number().optional() }))
      const { properties, patternProperties } = z
        .object({ properties: Rules, patternProperties: Rules })
        .parse(await AppManifestUtils.fetchSchema(texts.$schema))
      const roomFor = (path: string) =>
        (properties[path] ?? Object.entries(patternProperties).find(([pattern]) => new RegExp(pattern).test(path))?.[1])
          ?.maxLength ?? 0
      const { $schema: _, ...said } = texts
      expect(Object.entries(said).filter(([path, text]) => `${text}`.length > roomFor(path))).toEqual([])
    },
  )

  it('asks for each permission and place because of a function, and says which', () => {
    const manifest = teamsManifest(options)
    const explained = teamsPermissionsExplained()
    const asked = manifest.authorization.permissions.resourceSpecific.map(({ name }) => name)
    expect(asked).toEqual(['ChannelMessage.Read.Group', 'ChatMessage.Read.Chat'])
    for (const name of asked) expect(explained).toContain(`| \`${name}\` | keep what is written`)
    expect(manifest.bots[0]?.scopes).toEqual(['team', 'groupChat', 'personal'])
    expect(manifest.bots[0]?.commandLists.every(({ commands }) => commands.length > 0 && commands.length <= 12)).toBe(
      true,
    )
    expect(new Set(teamsFunctions.map(({ does }) => does)).size).toBe(teamsFunctions.length)
  })

  it('has icons of the sizes and colours that Teams asks for', () => {
    const colour = pixels(files['color.png'] ?? Buffer.alloc(0))
    const outline = pixels(files['outline.png'] ?? Buffer.alloc(0))
    expect([colour.side, outline.side]).toEqual([192, 32])
    expect(colour.all.every(([, , , alpha]) => alpha === 255)).toBe(true)
    expect(colour.at(0, 0)).toEqual([0x1d, 0x35, 0x57, 255])
    expect(outline.all.every(([red, green, blue]) => red === 255 && green === 255 && blue === 255)).toBe(true)
    const alphas = new Set(outline.all.map(([, , , alpha]) => alpha))
    expect(alphas.has(0) && alphas.has(255)).toBe(true)
  })

  it('is the same app, byte by byte, for the same hub, and another for another', () => {
    expect(teamsAppPackage(options)).toEqual(teamsAppPackage(options))
    const { id } = teamsManifest(options)
    expect(teamsManifest({ ...options, name: 'Other' }).id).toBe(id)
    expect(teamsManifest({ ...options, baseUrl: 'https://hub.example.org' }).id).not.toBe(id)
    expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
  })

  it('refuses what Teams would refuse, and says what is expected', () => {
    expect(() => teamsManifest({ ...options, baseUrl: 'http://hub.example.com' })).toThrow('expected https')
    expect(() => teamsManifest({ ...options, baseUrl: 'https://hub.example.com/app' })).toThrow('without a path')
    expect(() => teamsManifest({ ...options, name: 'x'.repeat(31) })).toThrow('1 to 30 characters')
    expect(() => teamsManifest({ ...options, botId: 'bot' })).toThrow('Microsoft App ID')
  })
})

describe('an archive', () => {
  it('gives back its files, empty and binary ones too', () => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_unused, index) => (index * 7919) % 256)
    const files = unzip(zip({ 'a.txt': 'ñ', empty: '', 'ñ.bin': bytes }))
    expect(Object.keys(files)).toEqual(['a.txt', 'empty', 'ñ.bin'])
    expect(files['a.txt']?.toString()).toBe('ñ')
    expect(files['empty']?.length).toBe(0)
    expect(files['ñ.bin']).toEqual(Buffer.from(bytes))
  })
})
