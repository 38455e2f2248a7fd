/** The page's one style sheet. It stands in the page, allowed by its hash: no other style and no script can run there. */
import { createHash } from 'node:crypto'

export const pageStyle = `
:root {
  color-scheme: light dark;
  --ground: #f4f5f8; --paper: #ffffff; --ink: #16181d; --quiet: #565d6d; --line: #c9cedb; --edge: #8a91a3;
  --accent: #4338ca; --on-accent: #ffffff; --tint: #eef0ff; --alert: #a3171f; --alert-tint: #fdf0f0; --good: #116a43; --good-tint: #e4f5ec;
  --shadow: 0 1px 2px rgb(22 24 29 / 6%), 0 12px 32px rgb(22 24 29 / 8%);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #101218; --paper: #191c24; --ink: #f0f1f5; --quiet: #adb4c4; --line: #3a4050; --edge: #7b8398;
    --accent: #a5b0ff; --on-accent: #12142b; --tint: #262b4d; --alert: #ffb0b0; --alert-tint: #3a1d21; --good: #7ddfae; --good-tint: #143526;
    --shadow: none;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; min-height: 100vh; display: flex; flex-direction: column; align-items: center;
  padding: clamp(16px, 6vh, 72px) 16px 24px; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main {
  width: 100%; max-width: 620px; background: var(--paper); border: 1px solid var(--line); border-radius: 16px;
  box-shadow: var(--shadow); padding: clamp(20px, 5vw, 40px);
}
main.short { max-width: 520px; }
p { margin: 0; }
h1 { margin: 0; font-size: 1.375rem; line-height: 1.3; font-weight: 650; text-wrap: balance; overflow-wrap: anywhere; }
.sender { font-weight: 650; overflow-wrap: anywhere; }
.about { color: var(--quiet); overflow-wrap: anywhere; }
.head { display: grid; gap: 2px; padding-bottom: 20px; margin-bottom: 24px; border-bottom: 1px solid var(--line); }
fieldset { border: 0; margin: 0; padding: 0; min-width: 0; }
legend { padding: 0; margin-bottom: 16px; }
.scale { display: grid; gap: 8px; }
.scale.csat { grid-template-columns: repeat(5, 1fr); }
.scale.ces { grid-template-columns: repeat(7, 1fr); }
.scale.nps { grid-template-columns: repeat(11, 1fr); gap: 6px; }
.choice { position: relative; display: grid; }
.choice input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: pointer; }
.choice span.tile {
  display: grid; justify-items: center; align-content: center; gap: 6px; min-height: 56px; padding: 8px 2px;
  border: 1px solid var(--edge); border-radius: 12px; font-weight: 600; text-align: center; transition: background-color 120ms, border-color 120ms;
}
.csat .choice span.tile { min-height: 104px; align-content: start; padding: 14px 4px 10px; }
.choice svg { width: 34px; height: 34px; fill: none; stroke: currentColor; stroke-width: 1.6; stroke-linecap: round; }
.choice .meaning { font-size: .8125rem; line-height: 1.25; font-weight: 500; color: var(--quiet); hyphens: auto; overflow-wrap: anywhere; }
.choice input:hover + span.tile { border-color: var(--accent); background: var(--tint); }
.choice input:checked + span.tile { border-color: var(--accent); background: var(--accent); color: var(--on-accent); box-shadow: inset 0 0 0 1px var(--accent); }
.choice input:checked + span.tile .meaning { color: inherit; }
.choice input:focus-visible + span.tile { outline: 3px solid var(--accent); outline-offset: 3px; }
.ends { display: flex; justify-content: space-between; gap: 16px; margin-top: 8px; font-size: .875rem; color: var(--quiet); }
.ends span:last-child { text-align: end; }
.comment { display: grid; gap: 6px; margin-top: 28px; }
.comment label { font-weight: 600; overflow-wrap: anywhere; }
.comment .optional, .hint, .note { color: var(--quiet); font-size: .875rem; font-weight: 400; }
textarea {
  width: 100%; min-height: 112px; padding: 12px; font: inherit; color: inherit; background: var(--paper);
  border: 1px solid var(--edge); border-radius: 12px; resize: vertical;
}
button { font: inherit; cursor: pointer; min-height: 48px; border-radius: 12px; }
.send { width: 100%; margin-top: 24px; padding: 12px 20px; border: 1px solid var(--accent); background: var(--accent); color: var(--on-accent); font-weight: 650; }
.send:hover { text-decoration: underline; text-underline-offset: 3px; }
.note { margin-top: 12px; text-align: center; }
.opt-out { display: block; margin: 20px auto 0; padding: 8px 16px; border: 0; background: none; color: var(--quiet); font-size: .875rem; text-decoration: underline; text-underline-offset: 3px; }
textarea:focus-visible, button:focus-visible, a:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
.alert { margin-bottom: 20px; padding: 12px 16px; border-radius: 12px; border: 1px solid var(--alert); background: var(--alert-tint); color: var(--alert); font-weight: 600; }
.mark { display: grid; place-items: center; width: 56px; height: 56px; margin-bottom: 20px; border-radius: 50%; background: var(--good-tint); color: var(--good); }
.mark svg { width: 28px; height: 28px; fill: none; stroke: currentColor; stroke-width: 2.5; stroke-linecap: round; stroke-linejoin: round; }
.text { margin-top: 8px; color: var(--quiet); }
dl { margin: 24px 0 0; padding: 16px; border-radius: 12px; background: var(--ground); }
dt { font-weight: 600; }
dd { margin: 4px 0 0; white-space: pre-wrap; overflow-wrap: anywhere; }
dt + dd + dt { margin-top: 12px; }
footer { margin-top: 20px; font-size: .875rem; color: var(--quiet); }
footer ul { display: flex; gap: 8px; list-style: none; margin: 0; padding: 0; }
footer a, footer [aria-current] { display: inline-block; padding: 12px; color: inherit; }
footer [aria-current] { font-weight: 650; color: var(--ink); }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 480px) {
  .scale.csat { grid-template-columns: 1fr; }
  .csat .choice span.tile { grid-template-columns: 40px 1fr; min-height: 56px; padding: 8px 16px; align-items: center; align-content: center; justify-items: start; text-align: start; }
  .csat .choice .meaning { font-size: 1rem; color: inherit; }
  .scale.nps { grid-template-columns: repeat(6, 1fr); }
  .scale.ces { gap: 4px; }
}
@media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
@media (forced-colors: active) {
  .choice input:checked + span.tile { forced-color-adjust: none; background: Highlight; color: HighlightText; }
}
`

export const pageStyleHash = `'sha256-${createHash('sha256').update(pageStyle).digest('base64')}'`
