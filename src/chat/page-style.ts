/** The look of a person's own page: as quiet as the tool around it, in light and dark. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#ffffff, #16181d); --ink: light-dark(#1b1d23, #f0f1f5); --quiet: light-dark(#565d6d, #adb4c4);
  --line: light-dark(#d9dce4, #3a4050); --accent: light-dark(#4338ca, #a5b0ff); --tint: light-dark(#eef0ff, #262b4d);
  --attention: light-dark(#8a5a00, #ffcf70); --urgent: light-dark(#a3171f, #ffb0b0); --good: light-dark(#116a43, #7ddfae);
}
:root[data-theme="light"] { color-scheme: light; }
:root[data-theme="dark"] { color-scheme: dark; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 0.9375rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
nav { margin-bottom: 16px; }
main { max-width: 860px; padding: 16px clamp(12px, 4vw, 32px) 40px; }
main[aria-busy="true"] { opacity: 0.6; }
h1 { font-size: 1.3125rem; line-height: 1.3; margin: 0 0 12px; overflow-wrap: anywhere; }
h1:focus { outline: none; }
h2 { font-size: 1rem; margin: 24px 0 8px; }
p { margin: 0 0 8px; overflow-wrap: anywhere; }
.text { white-space: pre-wrap; }
.subtle { color: var(--quiet); font-size: 0.875rem; }
a { color: var(--accent); }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 8px 16px; margin: 0 0 8px; }
dt { color: var(--quiet); font-size: 0.8125rem; }
dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
ul { list-style: none; margin: 0; padding: 0; border-top: 1px solid var(--line); }
li { display: flex; gap: 12px; align-items: center; justify-content: space-between; padding: 10px 0 10px 12px; border-bottom: 1px solid var(--line); border-left: 3px solid transparent; }
li p { margin: 0; }
li > div { min-width: 0; }
li.urgent { border-left-color: var(--urgent); }
li.attention { border-left-color: var(--attention); }
li.good { border-left-color: var(--good); }
.message { border-left: 3px solid var(--line); padding-left: 12px; margin: 12px 0; }
.message.public { border-left-color: var(--accent); }
.notice { padding: 8px 12px; background: var(--tint); border-radius: 6px; }
.notice.urgent { color: var(--urgent); }
.notice.attention { color: var(--attention); }
.actions { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 12px; margin-top: 16px; }
button { flex: none; font: inherit; color: var(--accent); background: none; border: 1px solid var(--line); border-radius: 6px; padding: 4px 12px; cursor: pointer; }
button:hover { background: var(--tint); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
hr { border: 0; border-top: 1px solid var(--line); margin: 16px 0; }
`
