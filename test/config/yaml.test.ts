import { describe, expect, it } from 'vitest'
import { readYaml } from '#hub/config/yaml.ts'
import { cpuTimeMs } from '#kit/cpu-time.ts'

const read = (text: string) => readYaml({ name: 'x.yaml', text })
function value(text: string): unknown {
  const result = read(text)
  if ('problems' in result) throw new Error(JSON.stringify(result.problems))
  return result.read.value
}
function problems(text: string): readonly string[] {
  const result = read(text)
  return 'problems' in result ? result.problems.map(({ line, column, message }) => `${line}:${column} ${message}`) : []
}

describe('values', () => {
  it('are those of YAML 1.2: on, off, yes and no are texts', () => {
    expect(value('mode: on\nother: off\nanswer: no\nyes: yes\nn: 1.5\nt: true\nz: null\ne:\n')).toEqual({
      mode: 'on',
      other: 'off',
      answer: 'no',
      yes: 'yes',
      n: 1.5,
      t: true,
      z: null,
      e: null,
    })
  })

  it('may be repeated by alias', () => {
    expect(value('a: &a [1, { b: 2 }]\nc: *a\n')).toEqual({ a: [1, { b: 2 }], c: [1, { b: 2 }] })
  })

  it('of an empty file are nothing', () => {
    expect(value('# only a remark\n')).toBeNull()
  })
})

describe('what could harm is refused', () => {
  const bomb = [
    'a: &a [x, x, x, x, x, x, x, x, x, x]',
    ...'bcdefghij'
      .split('')
      .map((name, index) => `${name}: &${name} [${Array(10).fill(`*${'abcdefghij'[index]}`).join(', ')}]`),
  ].join('\n')
  it('a bomb of aliases', () => {
    const startMs = cpuTimeMs()
    expect(problems(bomb)).toEqual([expect.stringContaining('a file may hold 50000 values')])
    expect(cpuTimeMs() - startMs).toBeLessThan(2_000)
  })

  it('an alias that contains itself', () => {
    expect(problems('a: &a { b: *a }\n').length).toBe(1)
  })

  it.each([
    ['[', ']'],
    ['{ a: ', '}'],
  ])('nesting without end: %s', (open, close) => {
    for (const depth of [100, 20_000])
      expect(problems(open.repeat(depth) + close.repeat(depth)).length).toBeGreaterThan(0)
  })

  it('keys that reach a prototype, also deep inside and through aliases', () => {
    expect(problems('a: [{ b: { "__proto__": { x: 1 } } }]\n')).toEqual(['1:12 "__proto__" cannot be a key'])
    expect(problems('a: &p { prototype: 1 }\nb: *p\n')).toHaveLength(2)
    expect(Reflect.get({}, 'x')).toBeUndefined()
  })

  it('merge keys stay plain keys, which nobody knows', () => {
    expect(value('a: &a { x: 1 }\nb: { <<: *a }\n')).toEqual({ a: { x: 1 }, b: { '<<': { x: 1 } } })
  })

  it.each([
    ['a file above a million characters', `a: ${'x'.repeat(1_000_001)}`],
    ['tabs as indent', 'a:\n\tb: 1\n'],
    ['a key that is no text', '? [a]\n: 1\n'],
    ['a broken quote', 'a: "b\n'],
    ['an unknown alias', 'a: *b\n'],
    ['a tag', 'a: !!binary aGk=\n'],
    ['an own tag', 'a: !env X\n'],
  ])('%s', (_, text) => {
    expect(problems(text).length).toBeGreaterThan(0)
  })
})

describe('places', () => {
  function place(
    text: string,
    path: readonly (string | number)[],
    within?: { line: number; column: number },
    at?: 'key',
  ) {
    const result = read(text)
    if ('problems' in result) throw new Error(JSON.stringify(result.problems))
    const { line, column } = result.read.placeOf({ path, ...(within ? { within } : {}), ...(at ? { at } : {}) })
    return `${line}:${column}`
  }
  const text = 'a:\n  - b: plain text\n    c: "quoted text"\n    d: \'single\'\n    empty:\n    "odd key/~": 1\n'

  it('are those of values, of keys, and of what stands around what is missing', () => {
    expect(place(text, ['a', 0, 'b'])).toBe('2:8')
    expect(place(text, ['a', 0, 'c'], undefined, 'key')).toBe('3:5')
    expect(place(text, ['a', 0, 'empty'])).toBe('5:5')
    expect(place(text, ['a', 0, 'odd key/~'])).toBe('6:18')
    expect(place(text, ['a', 0, 'missing'])).toBe('2:5')
    expect(place(text, ['nothing', 'here'])).toBe('1:1')
  })

  it('lead into texts that stand in the file as they are', () => {
    expect(place(text, ['a', 0, 'b'], { line: 1, column: 7 })).toBe('2:14')
    expect(place(text, ['a', 0, 'c'], { line: 1, column: 8 })).toBe('3:16')
    expect(place(text, ['a', 0, 'd'], { line: 1, column: 3 })).toBe('4:11')
  })

  it('lead into blocks', () => {
    expect(place('a: |\n  one\n\n    two\n', ['a'], { line: 3, column: 3 })).toBe('4:5')
    expect(place('a: |-\n\n    one\n', ['a'], { line: 2, column: 1 })).toBe('3:5')
  })

  it('stay at the start of a text that escapes or folding have moved', () => {
    expect(place('a: "x\\ty {{"\n', ['a'], { line: 1, column: 5 })).toBe('1:4')
    expect(place('a: >\n  one\n  two\n', ['a'], { line: 1, column: 5 })).toBe('1:4')
    expect(place('a: one\n  two\n', ['a'], { line: 1, column: 5 })).toBe('1:4')
  })

  it('of an alias are where it is used', () => {
    expect(place('a: &a { x: 1 }\nb: *a\n', ['b'])).toBe('2:4')
  })

  it('count lines as editors do, whatever ends them', () => {
    expect(place('a: 1\r\nb:\r\n  c: 2\r\n', ['b', 'c'])).toBe('3:6')
  })
})
