/** Changes JSON as text, so that everything else in it stays as the sender wrote it, long numbers included. */

/** The text once for each of its objects, with one more member at the object's start. */
export function withMemberAdded(text: string, member: string): string[] {
  return objectStarts(text).map((start) => insertAt(text, start, member))
}

/** The member at the start of every object at once. */
export function withMemberEverywhere(text: string, member: string): string {
  return objectStarts(text).reduceRight((changed, start) => insertAt(changed, start, member), text)
}

function insertAt(text: string, start: number, member: string): string {
  const rest = text.slice(start)
  return `${text.slice(0, start)}${member}${/^\s*\}/.test(rest) ? '' : ','}${rest}`
}

/** The places right after each `{` that is not part of a string; none when the text is not JSON. */
function objectStarts(text: string): number[] {
  try {
    JSON.parse(text)
  } catch {
    return []
  }
  const tokens = text.matchAll(/"(?:[^"\\]|\\.)*"|\{/g)
  return [...tokens].flatMap((token) => (token[0] === '{' ? [token.index + 1] : []))
}
