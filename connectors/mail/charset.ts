/**
 * Bytes to text, whatever their sender called them. A charset that nobody knows, and text that is not what its label says, are
 * read as windows-1252, in which every byte is a character: wrong letters here and there can still be read, a lost mail cannot.
 */
const fallback = 'windows-1252'

/** What mail calls charsets beside the names that browsers know. */
const aliases: Readonly<Record<string, string>> = {
  'unicode-1-1-utf-7': 'utf-7',
  cp437: fallback,
  cp850: fallback,
  'cp-850': fallback,
  'ansi_x3.110-1983': fallback,
  cp932: 'shift_jis',
  'windows-31j': 'shift_jis',
  cp936: 'gbk',
  cp949: 'euc-kr',
  'ks_c_5601-1987': 'euc-kr',
  cp950: 'big5',
  'iso-2022-jp-1': 'iso-2022-jp',
  'iso-2022-jp-2': 'iso-2022-jp',
}

/**
 * Never throws.
 * @param label the charset as the sender named it; empty for none.
 * @param isCut the bytes may end in the middle of a character, which is then left out.
 */
export function decodeBytes(bytes: Uint8Array, label: string, isCut = false): string {
  const name = label.trim().toLowerCase()
  const wanted = aliases[name] ?? name
  if (wanted === 'utf-7') return decodeUtf7(bytes)
  // ASCII with 8-bit bytes in it is most often UTF-8 that nobody declared.
  const first = /^(|us-ascii|ascii|unknown-8bit|x-unknown|default|8bit|7bit|binary)$/.test(wanted) ? 'utf-8' : wanted
  const text = strictly(bytes, first, isCut)
  if (text !== undefined) return text
  // A wrong label on good UTF-8 is common; other bytes are hardly ever valid UTF-8 by chance.
  return strictly(bytes, 'utf-8', isCut) ?? new TextDecoder(fallback).decode(bytes)
}

function strictly(bytes: Uint8Array, label: string, isCut: boolean): string | undefined {
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes, { stream: isCut })
  } catch {
    return undefined
  }
}

/** RFC 2152, which old Exchange servers still write: `+` opens UTF-16 in base64. */
function decodeUtf7(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('latin1')
    .replace(/\+([A-Za-z0-9+/]*)-?/g, (_, encoded: string) => {
      if (encoded === '') return '+'
      const units = Buffer.from(encoded, 'base64')
      return units
        .subarray(0, units.length & ~1)
        .swap16()
        .toString('utf16le')
    })
}
