/** A calendar part (RFC 5545) in one line that a person can read. */

/** `REQUEST`, `REPLY`, `CANCEL`, …; undefined when it names none. */
export function calendarMethod(ics: string): string | undefined {
  return property(ics, 'METHOD')?.value.toUpperCase()
}

const words: Readonly<Record<string, string>> = {
  REQUEST: 'Invitation',
  REPLY: 'Answer to an invitation',
  CANCEL: 'Cancelled',
  COUNTER: 'Another time proposed',
}

export function calendarLine(ics: string): string {
  const event = ics.slice(Math.max(0, ics.search(/^BEGIN:VEVENT/im)))
  const summary = property(event, 'SUMMARY')
    ?.value.replace(/\\([\\;,])/g, '$1')
    .replace(/\\n/gi, ' ')
  const start = property(event, 'DTSTART')
  const [, year, month, day, hour, minute, utc] =
    /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d\d(Z)?)?/.exec(start?.value ?? '') ?? []
  const zone = utc ? 'UTC' : start?.zone
  const time = hour ? ` ${hour}:${minute}${zone ? ` ${zone}` : ''}` : ''
  const kind = words[calendarMethod(ics) ?? ''] ?? 'Calendar entry'
  const facts = [summary, year && `${year}-${month}-${day}${time}`].filter((fact) => fact)
  return `[${kind}${facts.length > 0 ? `: ${facts.join(', ')}` : ''}]`
}

function property(ics: string, name: string): { readonly value: string; readonly zone?: string } | undefined {
  const unfolded = ics.replace(/\r?\n[ \t]/g, '')
  const [, parameters = '', value] =
    new RegExp(`^${name}((?:;[^:\r\n]{0,200})?):([^\r\n]{0,500})`, 'im').exec(unfolded) ?? []
  if (value === undefined) return undefined
  const zone = /TZID="?([\w/+ -]{1,60})/i.exec(parameters)?.[1]
  return { value: value.trim(), ...(zone ? { zone } : {}) }
}
