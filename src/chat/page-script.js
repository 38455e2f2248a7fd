// A person's own page: asks the tool around it who looks, and the hub for what they may see.
const main = document.querySelector('main')
const path = document.body.dataset.path
let locale = document.documentElement.lang

async function show(act, value) {
  main.setAttribute('aria-busy', 'true')
  let signedIn
  try {
    signedIn = await window.chatTool.signIn()
  } catch {
    return draw(document.querySelector('#outside').innerHTML)
  }
  try {
    locale = signedIn.locale || locale
    const response = await fetch(path, {
      method: 'POST',
      headers: { authorization: `Bearer ${signedIn.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ locale, ...(act ? { act, value } : {}) }),
    })
    const { html, language } = await response.json()
    if (!html) throw new Error(`the hub answered ${response.status}`)
    document.documentElement.lang = language
    draw(html)
  } catch {
    draw(document.querySelector('#failed').innerHTML)
  }
}

/** What is drawn comes from the hub, which has escaped it. */
function draw(html) {
  main.innerHTML = html
  main.setAttribute('aria-busy', 'false')
  const format = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' })
  for (const time of main.querySelectorAll('time')) {
    const at = new Date(time.dateTime)
    if (!Number.isNaN(at.getTime())) time.textContent = format.format(at)
  }
  main.querySelector('h1')?.focus()
}

document.addEventListener('click', ({ target }) => {
  const button = target.closest('button')
  if (button) show(button.dataset.act, button.dataset.value)
})
show()
