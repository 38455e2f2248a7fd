/** Generated parts of hand-written pages stand between `<!-- name:start -->` and `<!-- name:end -->`. */

/** @throws when the page has not both markers, once each. */
export function betweenMarkers(page: string, name: string, content: string): string {
  const [start, end] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`]
  const [before, ...afterStart] = page.split(start)
  const [, ...after] = (afterStart[0] ?? '').split(end)
  if (afterStart.length !== 1 || after.length !== 1) {
    throw new Error(`expected the markers ${start} and ${end}, once each`)
  }
  return `${before}${start}\n${content}\n${end}${after[0]}`
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}
