import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { betweenMarkers, table } from '../../scripts/generate/markers.ts'
import { generate } from '../../scripts/generate.ts'
import { type ProjectCopy, projectCopy } from './project-copy.ts'

let copy: ProjectCopy
beforeAll(() => {
  copy = projectCopy()
})
afterAll(() => copy.remove())

describe('npm run generate', () => {
  it('writes what is out of date, and nothing the second time', async () => {
    const index = new URL('connectors/index.ts', copy.root)
    writeFileSync(index, '// old\n')
    expect(await generate(copy.root, { check: true })).toContain('connectors/index.ts')
    expect(readFileSync(index, 'utf8')).toBe('// old\n')
    expect(await generate(copy.root, { check: false })).toContain('connectors/index.ts')
    expect(readFileSync(index, 'utf8')).toContain("desk: async () => (await import('./desk/connector.ts')).desk,")
    expect(await generate(copy.root, { check: true })).toEqual([])
  })
})

describe('generated parts of pages', () => {
  const page = 'above\n<!-- t:start -->\nold\n<!-- t:end -->\nbelow\n'

  it('replace what stands between the markers', () => {
    expect(betweenMarkers(page, 't', 'new')).toBe('above\n<!-- t:start -->\nnew\n<!-- t:end -->\nbelow\n')
  })

  it('need both markers once', () => {
    for (const wrong of ['', '<!-- t:start -->', page + page, '<!-- t:end --><!-- t:start -->']) {
      expect(() => betweenMarkers(wrong, 't', 'new')).toThrow(/expected the markers/)
    }
  })

  it('keep a bar in a cell from ending it', () => {
    expect(table(['a', 'b'], [['x|y', 'z']])).toBe('| a | b |\n|---|---|\n| x\\|y | z |')
  })
})
