/** One plain page: it works without JavaScript and loads nothing. Pure. */
import { html, trusted } from '#hub/platform/html.ts'
import { fill, type Language } from '#hub/surveys/messages/index.ts'
import { type OutcomeKind, outcomes } from './messages.ts'

export const pageStyle =
  'body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1rem;color:#1a1a1a;background:#fff}h1{font-size:1.5rem}@media(prefers-color-scheme:dark){body{color:#f2f2f2;background:#161616}}'

export function outcomePage(language: Language, kind: OutcomeKind, name: string): string {
  const { title, text } = outcomes[language][kind]
  return html`<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title} · Deskweave</title><style>${trusted(pageStyle)}</style></head>
<body><main><h1>${title}</h1><p>${fill(text, { name })}</p></main></body>
</html>
`.text
}
