/** What patterns in the linter cannot say about who may know whom. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const root = new URL('../', import.meta.url)

interface Source {
  readonly path: string
  readonly text: string
  readonly imports: readonly string[]
}

function sources(folder: string): readonly Source[] {
  return readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => {
      const text = readFileSync(new URL(`${folder}/${path}`, root), 'utf8')
      const imports = [...text.matchAll(/(?:from|import\() ?'([^']+)'/g)].map(([, name]) => name ?? '')
      return { path: `${folder}/${path}`, text, imports }
    })
}

const hub = sources('src')
const connectors = sources('connectors').filter(({ path }) => path !== 'connectors/index.ts')
/** Connectors whose names are words of everybody's, or channels that any desk's cases can come by. */
const commonWords = new Set(['desk', 'mail', 'slack', 'teams'])
const code = (text: string) => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
const found = (list: readonly Source[], wrong: (source: Source) => boolean) =>
  list.filter(wrong).map(({ path }) => path)

describe('the architecture', () => {
  it('lets a connector know its vendor and the connector door only', () => {
    const isTest = (path: string) => path.endsWith('.test.ts') || path.endsWith('/test.ts')
    const outside = ({ path, imports }: Source) =>
      imports.some((name) =>
        name.startsWith('#')
          ? !name.startsWith('#hub/connector/') && !(isTest(path) && name.startsWith('#kit'))
          : name.startsWith('../') && !path.split('/').slice(2, -1).length,
      )
    expect(found(connectors, outside)).toEqual([])
  })

  it('lets the hub know no vendor: outside the demo no code names one', () => {
    const vendors = readdirSync(new URL('connectors', root), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('_') && !commonWords.has(entry.name))
      .map((entry) => entry.name)
    expect(vendors).toContain('zendesk')
    const names = new RegExp(vendors.join('|'), 'i')
    expect(found(hub, ({ path, text }) => !path.startsWith('src/demo/') && names.test(code(text)))).toEqual([])
  })

  it("uses no vendor's library in the hub", () => {
    const libraries = /^(@slack|@microsoft|@hubspot)\/|^(node-zendesk|imapflow|adaptivecards)$/
    expect(found(connectors, ({ imports }) => imports.some((name) => libraries.test(name)))).not.toEqual([])
    expect(found(hub, ({ imports }) => imports.some((name) => libraries.test(name)))).toEqual([])
  })

  it('reads the environment in one room', () => {
    const allowed = /^src\/(platform|cli|demo)\//
    expect(found(hub, ({ path, text }) => !allowed.test(path) && code(text).includes('process.env'))).toEqual([])
  })

  it('keeps the queue library behind its door', () => {
    expect(found(hub, ({ imports }) => imports.includes('pg-boss'))).toEqual(['src/platform/queue.ts'])
  })

  it('evaluates no code that came as text', () => {
    const evaluators = /\beval\(|new Function\(|from 'node:vm'/
    expect(found([...hub, ...connectors], ({ text }) => evaluators.test(code(text)))).toEqual([])
  })
})
