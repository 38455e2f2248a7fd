// A person's own page: asks the tool around it who looks, and the hub for what they may see.
const main = document.querySelector('main')
const { path } = document.body.dataset
const withinMs = 15_000
let locale = document.documentElement.lang
let looks = 0

/** @param isAsked somebody pressed a button, so that what comes is where they want to be. */
async function show(act, value, isAsked) {
  looks += 1
  const look = looks
  main.setAttribute('aria-busy', 'true')
  const shown = await lookUp(act, value)
  // What was asked for before, and comes after what was asked for later, is nobody's wish any more.
  if (look === looks) draw(shown, isAsked)
}

async function lookUp(act, value) {
  if (window.parent === window) return template('outside')
  let signedIn
  try {
    signedIn = await soon(window.chatTool.signIn(paint))
  } catch {
    return template('not-signed-in')
  }
  try {
    locale = signedIn.locale || locale
    const response = await fetch(path, {
      method: 'POST',
      headers: { authorization: `Bearer ${signedIn.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ locale, ...(act ? { act, value } : {}) }),
      signal: AbortSignal.timeout(withinMs),
    })
    const { html, language } = await response.json()
    if (!html) throw new Error(`the hub answered ${response.status}`)
    document.documentElement.lang = language
    return html
  } catch {
    return template('failed')
  }
}

const template = (name) => document.querySelector(`#${name}`).innerHTML

function soon(promise) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error('the tool did not answer')), withinMs))
  return Promise.race([promise, late])
}

/** What is drawn comes from the hub, which has escaped it. */
function draw(html, isAsked) {
  main.innerHTML = html
  main.setAttribute('aria-busy', 'false')
  for (const time of main.querySelectorAll('time')) time.textContent = inWords(time)
  if (isAsked) main.querySelector('h1')?.focus()
}

function inWords({ dateTime, textContent }) {
  try {
    return new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(dateTime))
  } catch {
    return textContent
  }
}

function paint(isDark) {
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light'
}

document.addEventListener('click', ({ target }) => {
  const button = target.closest('button')
  if (!button) return
  // The tool's library keeps a failed beginning in mind: only a new page tries anew.
  if (button.dataset.again !== undefined) location.reload()
  else show(button.dataset.act, button.dataset.value, true)
})
show()
