/** Draws the Adaptive Cards of the page with Microsoft's renderer, with sizes and colours like those of Teams. */
const { AdaptiveCards } = globalThis

AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {
  result.outputHtml = markdown(text)
  result.didProcess = true
}

/** The part of Markdown that our cards use: escapes, links and bold. */
function markdown(text) {
  const kept = []
  const keep = (html) => {
    kept.push(html)
    return `\ue000${kept.length - 1}\ue000`
  }
  const html = escapeHtml(text)
    .replace(/\\([!-/:-@[-`{-~])/g, (_, sign) => keep(sign))
    .replace(
      /\[([^\]]*)\]\(([^)\s]*)\)/g,
      (_, label, url) => `${keep(`<a href="${url}" target="_blank">`)}${label}${keep('</a>')}`,
    )
    .replace(/\*\*([^*]+)\*\*/g, '<b>$1</b>')
  const restore = (part) => part.replace(/\ue000(\d+)\ue000/g, (_, index) => restore(kept[Number(index)]))
  return `<p>${restore(html)}</p>`
}

function escapeHtml(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

const ink = { default: '#242424', subtle: '#616161' }
const colours = {
  default: ink,
  accent: { default: '#5b5fc7', subtle: '#5b5fc7' },
  good: { default: '#0e700e', subtle: '#0e700e' },
  warning: { default: '#835b00', subtle: '#835b00' },
  attention: { default: '#b10e1c', subtle: '#b10e1c' },
}
const ground = (backgroundColor) => ({ backgroundColor, foregroundColors: colours })
const hostConfig = new AdaptiveCards.HostConfig({
  fontFamily: '"Segoe UI", system-ui, sans-serif',
  supportsInteractivity: true,
  fontSizes: { small: 12, default: 14, medium: 16, large: 18, extraLarge: 24 },
  fontWeights: { lighter: 300, default: 400, bolder: 600 },
  spacing: { small: 8, default: 12, medium: 16, large: 20, extraLarge: 24, padding: 12 },
  separator: { lineThickness: 1, lineColor: '#e0e0e0' },
  containerStyles: {
    default: ground('#ffffff'),
    emphasis: ground('#f5f5f5'),
    good: ground('#e7f2da'),
    warning: ground('#fbeac6'),
    attention: ground('#fcd8dc'),
    accent: ground('#e8ebfa'),
  },
  actions: {
    maxActions: 60,
    spacing: 'default',
    buttonSpacing: 8,
    actionsOrientation: 'horizontal',
    actionAlignment: 'left',
  },
  factSet: {
    title: { weight: 'bolder', wrap: true, maxWidth: 180 },
    value: { wrap: true },
    spacing: 12,
  },
})

for (const place of document.querySelectorAll('.adaptive')) {
  const card = new AdaptiveCards.AdaptiveCard()
  card.hostConfig = hostConfig
  card.parse(JSON.parse(place.dataset.card))
  // The renderer checks the card's own language with a pattern that remembers where it stopped: it takes every other one.
  card.lang = document.documentElement.lang
  const problems = card.validateProperties().validationEvents.map(({ message }) => message)
  const drawn = card.render()
  place.replaceChildren(...(drawn ? [drawn] : []), ...problems.map(problem))
}
document.documentElement.dataset.drawn = 'yes'

function problem(message) {
  const line = document.createElement('em')
  line.className = 'not-drawn'
  line.textContent = message
  return line
}
