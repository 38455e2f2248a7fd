/** One `Authentication-Results` line (RFC 8601) as data. Linear in its length; what it does not understand it leaves out. */

export interface MethodResult {
  /** Lower-case: `dmarc`, `dkim`, `spf`. */
  readonly method: string
  /** Lower-case: `pass`, `fail`, `none`, … */
  readonly result: string
  /** `header.from` → `example.com`; names and values in lower case. The first of a name counts. */
  readonly properties: ReadonlyMap<string, string>
}

export interface AuthenticationResults {
  /** Lower-case; empty when the line names none. */
  readonly authservId: string
  readonly results: readonly MethodResult[]
}

export function readAuthenticationResults(value: string): AuthenticationResults {
  const [head = [], ...rest] = splitStatements(value)
  // `mx.example.com 1;`: the number is the version of the format. A first part with `=` in it is a result without any id.
  const [id = ''] = head
  const authservId = id.includes('=') ? '' : id
  const statements = authservId === '' ? [head, ...rest] : rest
  return { authservId, results: statements.flatMap(readStatement) }
}

function readStatement(words: readonly string[]): readonly MethodResult[] {
  const [first = '', ...others] = words
  const [method = '', result] = splitAtFirst(first, '=')
  if (result === undefined || result === '') return []
  const properties = new Map<string, string>()
  for (const word of others) {
    const [name, text] = splitAtFirst(word, '=')
    if (text !== undefined && !properties.has(name)) properties.set(name, text)
  }
  // `dkim/1=pass`: a version again.
  return [{ method: method.split('/')[0] ?? '', result, properties }]
}

/** Statements end with `;`, words with white space; comments are dropped, quotes removed, spaces around `=` closed up. */
function splitStatements(value: string): readonly (readonly string[])[] {
  const statements: string[][] = []
  let words: string[] = []
  let word = ''
  let depth = 0
  let isQuoted = false
  const endWord = (): void => {
    if (word !== '') words.push(word.toLowerCase())
    word = ''
  }
  for (let at = 0; at < value.length; at++) {
    const char = value[at] ?? ''
    if (char === '\\' && (isQuoted || depth > 0)) {
      at += 1
      if (isQuoted) word += value[at] ?? ''
    } else if (depth > 0) depth += char === '(' ? 1 : char === ')' ? -1 : 0
    else if (char === '"') isQuoted = !isQuoted
    else if (isQuoted) word += char
    else if (char === '(') depth = 1
    else if (char === ';') {
      endWord()
      statements.push(closeUp(words))
      words = []
    } else if (char === ' ' || char === '\t') endWord()
    else word += char
  }
  endWord()
  statements.push(closeUp(words))
  return statements.filter((one, index) => index === 0 || one.length > 0)
}

/** `spf = pass` is `spf=pass`. */
function closeUp(words: readonly string[]): string[] {
  const closed: string[] = []
  for (const word of words) {
    const last = closed.at(-1)
    if (last !== undefined && (word.startsWith('=') || last.endsWith('='))) closed[closed.length - 1] = last + word
    else closed.push(word)
  }
  return closed
}

function splitAtFirst(text: string, mark: string): readonly [string, string | undefined] {
  const at = text.indexOf(mark)
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + mark.length)]
}
