/** What Teams tells of a file or picture, as an attachment. Pure. */
import type { Attachment } from '#hub/connector/facts.ts'

interface Told {
  readonly contentType: string
  readonly name?: string | undefined
  readonly contentUrl: string
}

/** Where Teams gives no name, the address of a file ends in it. */
export function namedFile({ contentType, name, contentUrl }: Told): Attachment & { readonly url: string } {
  const last = new URL(contentUrl).pathname.split('/').at(-1) ?? ''
  const spoken = contentType.startsWith('image/') ? 'image' : 'file'
  return { name: name || (/\.\w+$/.test(last) ? decoded(last) : spoken), url: contentUrl }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
