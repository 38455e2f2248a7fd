/** YAML with a position for everything in it. Plain data only: no tags, no merge keys, no second document, bounded aliases. */
import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  Scalar,
  type YAMLError,
} from 'yaml'
import { forbiddenKeys, type Issue, jsonPointer, type Path } from '#hub/rules/index.ts'
import { type Place, type Problem, problemAt, type SourceFile } from './problem.ts'

export interface ReadYaml {
  readonly file: SourceFile
  readonly value: unknown
  /** Of the value at this path, or of its key; where there is none, of the nearest value around it. */
  placeOf(issue: Pick<Issue, 'path' | 'at' | 'within'>): Place
}

const maxLength = 1_000_000
/** Counted with every repetition by alias, so that a few lines cannot become a billion values. */
const maxNodes = 50_000
const maxDepth = 40

export function readYaml(file: SourceFile): { readonly read: ReadYaml } | { readonly problems: readonly Problem[] } {
  const start = { line: 1, column: 1 }
  const whole = (message: string) => ({ problems: [problemAt(file.name, start, { path: [], message })] })
  if (file.text.length > maxLength)
    return whole(`a file may have ${maxLength} characters, this has ${file.text.length}`)
  const lines = new LineCounter()
  let document: Document.Parsed
  try {
    document = parseDocument(file.text, {
      lineCounter: lines,
      prettyErrors: false,
      stringKeys: true,
      resolveKnownTags: false,
      // `silent` would also hide a second document.
      logLevel: 'error',
    })
  } catch (error) {
    if (error instanceof RangeError) return whole('the file is nested too deeply')
    throw error
  }
  const broken = [...document.errors, ...document.warnings]
  if (broken.length > 0) return { problems: broken.slice(0, 20).map((error) => syntaxProblem(file, lines, error)) }
  const reader = createReader(document)
  const value = reader.read(document.contents, [], 0)
  const placeOf = (issue: Pick<Issue, 'path' | 'at' | 'within'>) => findPlace(file.text, lines, reader.places, issue)
  if (reader.issues.length > 0) {
    return { problems: reader.issues.map((issue) => problemAt(file.name, placeOf(issue), issue)) }
  }
  return { read: { file, value, placeOf } }
}

function syntaxProblem(file: SourceFile, lines: LineCounter, error: YAMLError): Problem {
  const { line, col } = lines.linePos(Math.min(error.pos[0], file.text.length))
  const source = file.text.split('\n')[line - 1] ?? ''
  // What stands there was never read, so it could be a credential with a slip beside it.
  const mayBeSecret = /secret|token|pass|key|credential|auth/i.test(source)
  const message = syntaxWords[error.code] ?? error.message
  return problemAt(file.name, { line, column: col }, { path: [], message }, mayBeSecret)
}
const syntaxWords: Partial<Record<YAMLError['code'], string>> = {
  DUPLICATE_KEY: 'this key is already in the map; each key may be written once',
  MULTIPLE_DOCS: 'a file holds one document; remove the "---" or make two files',
  NON_STRING_KEY: 'keys must be texts',
  TAB_AS_INDENT: 'tabs cannot indent; use spaces',
  TAG_RESOLVE_FAILED: 'tags ("!…") are not supported; write a plain value',
}

interface Spot {
  readonly key: Node | undefined
  readonly value: Node | undefined
}

interface Reader {
  /** By JSON pointer. */
  readonly places: ReadonlyMap<string, Spot>
  readonly issues: readonly Issue[]
  read(node: unknown, path: Path, depth: number, key?: Node): unknown
}

function createReader(document: Document.Parsed): Reader {
  const places = new Map<string, Spot>()
  const issues: Issue[] = []
  let nodes = 0

  function read(node: unknown, path: Path, depth: number, key?: Node): unknown {
    const target = isAlias(node) ? node.resolve(document) : node
    // Through an alias the place stays where it is used.
    places.set(jsonPointer(path), { key, value: isNode(node) ? node : undefined })
    nodes += 1
    if (nodes > maxNodes || depth > maxDepth) {
      const message = depth > maxDepth ? `values may be nested ${maxDepth} deep` : `a file may hold ${maxNodes} values`
      if (issues.length === 0 || nodes <= maxNodes) issues.push({ path, message })
      return undefined
    }
    if (isAlias(node) && !target) issues.push({ path, message: `no anchor "&${node.source}" stands before this alias` })
    if (isScalar(target)) return target.value
    if (isSeq(target)) return readItems(target.items, path, depth)
    if (isMap(target)) return readPairs(target.items, path, depth)
    return null
  }

  function readItems(items: readonly unknown[], path: Path, depth: number): unknown[] {
    const values: unknown[] = []
    for (const [index, item] of items.entries()) {
      if (nodes > maxNodes) break
      values.push(read(item, [...path, index], depth + 1))
    }
    return values
  }

  function readPairs(pairs: readonly unknown[], path: Path, depth: number): Record<string, unknown> {
    const map: Record<string, unknown> = {}
    for (const pair of pairs) {
      if (nodes > maxNodes || !isPair(pair) || !isScalar(pair.key)) continue
      const name = String(pair.key.value)
      const at = [...path, name]
      if (forbiddenKeys.has(name)) {
        places.set(jsonPointer(at), { key: pair.key, value: undefined })
        issues.push({ path: at, at: 'key', message: `"${name}" cannot be a key` })
      } else map[name] = read(pair.value, at, depth + 1, pair.key)
    }
    return map
  }

  return { places, issues, read }
}

function isNode(value: unknown): value is Node {
  return isScalar(value) || isAlias(value) || isMap(value) || isSeq(value)
}

function findPlace(
  text: string,
  lines: LineCounter,
  places: ReadonlyMap<string, Spot>,
  { path, at, within }: Pick<Issue, 'path' | 'at' | 'within'>,
): Place {
  for (let length = path.length; length >= 0; length--) {
    const spot = places.get(jsonPointer(path.slice(0, length)))
    const exact = length === path.length
    const node = exact && at === 'key' ? (spot?.key ?? spot?.value) : meant(spot)
    const offset = node?.range?.[0]
    if (offset === undefined) continue
    const inside = exact && within && isScalar(node) ? placeWithin(text, lines, node, within) : undefined
    if (inside) return inside
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  return { line: 1, column: 1 }
}

/** A value that is left out has no place of its own: its key stands for it. */
function meant(spot: Spot | undefined): Node | undefined {
  const { key, value } = spot ?? {}
  const [start, end] = value?.range ?? [0, 0]
  return value && (start !== end || !key) ? value : key
}

/** A place inside a text as it is written in the file; undefined where escapes or folding moved it. */
function placeWithin(text: string, lines: LineCounter, node: Scalar, within: Place): Place | undefined {
  const [start, end] = node.range ?? [0, 0]
  const { line, col } = lines.linePos(start)
  if (node.type === Scalar.BLOCK_LITERAL) {
    const first = text
      .slice(start, end)
      .split('\n')
      .slice(1)
      .find((source) => source.trim() !== '')
    const indent = first === undefined ? 0 : first.length - first.trimStart().length
    return { line: line + within.line, column: indent + within.column }
  }
  const quotes = node.type === Scalar.QUOTE_DOUBLE || node.type === Scalar.QUOTE_SINGLE ? 1 : 0
  const written = text.slice(start + quotes, end - quotes)
  if (within.line !== 1 || written !== node.value) return undefined
  return { line, column: col + quotes + within.column - 1 }
}
