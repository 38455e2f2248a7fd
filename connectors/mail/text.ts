/** Text as it can be kept and shown: whole characters, no control characters beside line ends and tabs, no space at its ends. */
export function cleanText(text: string): string {
  return (
    text
      .replace(/\r\n?/g, '\n')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must go.
      .replace(/[\x00-\x08\x0b-\x1f\x7f]/g, '')
      .toWellFormed()
      .trim()
  )
}
