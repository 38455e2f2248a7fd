/** One plain page: it works without JavaScript and loads nothing. Pure. */
import { fill, type Language } from '#hub/surveys/messages/index.ts'
import { type OutcomeKind, outcomes } from './messages.ts'

export const pageStyle =
  'body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1rem;color:#1a1a1a;background:#fff}h1{font-size:1.5rem}@media(prefers-color-scheme:dark){body{color:#f2f2f2;background:#161616}}'

export function outcomePage(language: Language, kind: OutcomeKind, name: string): string {
  const { title, text } = outcomes[language][kind]
  return `<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)} · Deskweave</title><style>${pageStyle}</style></head>
<body><main><h1>${escaped(title)}</h1><p>${escaped(fill(text, { name }))}</p></main></body>
</html>
`
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (found) => entities[found] ?? found)
}
