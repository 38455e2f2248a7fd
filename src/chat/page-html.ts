/**
 * A card of the workbench as HTML, for a person's own page. It has buttons for what can be looked at; forms and deeds have their
 * place in the tool itself. Pure: whatever a card holds is escaped.
 */
import type { Card, CardAction, CardBlock, Fact, ListItem } from '#hub/connector/card.ts'
import { type Html, html } from '#hub/platform/html.ts'
import type { Messages } from '#hub/workbench/index.ts'
import { lookingActs } from './happenings.ts'

export function cardHtml(card: Card, words: Messages): Html {
  const { title, url, blocks, actions, tone } = card
  return html`<article class="${tone ?? 'neutral'}">
<h1 tabindex="-1">${url === undefined ? title : link(url, title)}</h1>
${blocks.map((block) => blockHtml(block, words))}
<p class="actions">${actions.map((action) => actionHtml(action))}</p>
</article>`
}

function blockHtml(block: CardBlock, words: Messages): Html {
  switch (block.kind) {
    case 'text':
      return html`<p class="${block.isSubtle ? 'subtle' : 'text'}">${block.text}</p>`
    case 'heading':
      return html`<h2>${block.text}</h2>`
    case 'facts':
      return html`<dl>${block.facts.map(factHtml)}</dl>`
    case 'list':
      return block.items.length === 0
        ? html`<p class="subtle">${block.whenEmpty}</p>`
        : html`<ul>${block.items.map(itemHtml)}</ul>`
    case 'message': {
      const { author, visibility, text, at, files = [] } = block.message
      return html`<section class="message ${visibility}">
<p class="subtle"><strong>${author}</strong> · ${words.drawing[visibility]} · ${time(at)}</p>
<p class="text">${text}</p>
${files.length > 0 && html`<p class="subtle">${files.join(', ')}</p>`}
</section>`
    }
    case 'notice':
      return html`<p class="notice ${block.tone}" role="status">${block.text}</p>`
    case 'divider':
      return html`<hr>`
  }
}

function factHtml({ label, value, url }: Fact): Html {
  const shown = typeof value === 'string' ? value : time(value.at)
  return html`<div><dt>${label}</dt><dd>${url === undefined ? shown : link(url, shown)}</dd></div>`
}

function itemHtml({ title, detail, url, tone, action }: ListItem): Html {
  return html`<li class="${tone ?? 'neutral'}">
<div><p>${url === undefined ? title : link(url, title)}</p>${detail !== undefined && html`<p class="subtle">${detail}</p>`}</div>
${action && actionHtml(action, title)}
</li>`
}

/** @param about what stands beside it, where several buttons bear the same words. */
function actionHtml(action: CardAction, about?: string): Html | false {
  if (action.kind === 'link') return link(action.url, action.label)
  if (action.kind === 'select' || !lookingActs.has(action.act)) return false
  return html`<button type="button" data-act="${action.act}" data-value="${action.value}"${about === undefined ? '' : html` aria-label="${`${action.label}: ${about}`}"`}>${action.label}</button>`
}

/** An address from a vendor: only the web's own, and nothing of this page goes with it. */
function link(url: string, text: string | Html): Html {
  const isWeb = /^https?:$/.test(URL.parse(url)?.protocol ?? '')
  return isWeb ? html`<a href="${url}" target="_blank" rel="noopener noreferrer">${text}</a>` : html`${text}`
}

/** The reader's own zone is known in the browser only. */
function time(at: string): Html {
  return html`<time datetime="${at}">${at.replace('T', ' ').replace(/(?::\d\d)?(?:\.\d+)?Z$/, ' UTC')}</time>`
}
