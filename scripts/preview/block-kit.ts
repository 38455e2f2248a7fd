/**
 * Block Kit as HTML, near enough to judge a card by. It draws the blocks that our cards use; any other is shown by its name,
 * so that nothing is missing without a word.
 */
import type { ActionsBlockElement, HomeView, InputBlockElement, KnownBlock, ModalView } from '@slack/types'

type Text = { readonly type: string; readonly text: string }

export function drawBlocks(blocks: readonly KnownBlock[], language: string): string {
  return blocks.map((block) => `<div class="block ${block.type}">${drawBlock(block, language)}</div>`).join('')
}

export function drawModal(view: ModalView | HomeView, language: string): string {
  if (view.type === 'home') return drawBlocks(view.blocks as readonly KnownBlock[], language)
  const submit = view.submit ? `<button class="button primary">${drawText(view.submit, language)}</button>` : ''
  const close = view.close ? `<button class="button">${drawText(view.close, language)}</button>` : ''
  return `<div class="modal"><h4>${drawText(view.title, language)}</h4>
    <div class="modal-body">${drawBlocks(view.blocks as readonly KnownBlock[], language)}</div>
    <div class="modal-foot">${close}${submit}</div></div>`
}

function drawBlock(block: KnownBlock, language: string): string {
  switch (block.type) {
    case 'header':
      return `<h4>${drawText(block.text, language)}</h4>`
    case 'section': {
      const text = block.text ? `<div class="text">${drawText(block.text, language)}</div>` : ''
      const fields = block.fields?.map((field) => `<div>${drawText(field, language)}</div>`).join('')
      const accessory = block.accessory ? drawElement(block.accessory as ActionsBlockElement, language) : ''
      return `<div class="main">${text}${fields ? `<div class="fields">${fields}</div>` : ''}</div>${accessory}`
    }
    case 'context':
      return block.elements
        .map((element) =>
          element.type === 'image' ? notDrawn('image') : `<span>${drawText(element, language)}</span>`,
        )
        .join(' ')
    case 'divider':
      return '<hr>'
    case 'actions':
      return block.elements.map((element) => drawElement(element, language)).join('')
    case 'input': {
      const optional = block.optional ? ' <small>(optional)</small>' : ''
      const hint = block.hint ? `<small>${drawText(block.hint, language)}</small>` : ''
      return `<b>${drawText(block.label, language)}${optional}</b>${drawElement(block.element, language)}${hint}`
    }
    default:
      return notDrawn(block.type)
  }
}

function drawElement(element: ActionsBlockElement | InputBlockElement, language: string): string {
  switch (element.type) {
    case 'button': {
      const asks = element.confirm
        ? ` title="${escapeHtml(`${element.confirm.title?.text} ${element.confirm.text?.text}`)}"`
        : ''
      const label = `${drawText(element.text, language)}${element.url ? ' ↗' : ''}${element.confirm ? ' ?' : ''}`
      return `<button class="button ${element.style ?? ''}"${asks}>${label}</button>`
    }
    case 'static_select': {
      const chosen = element.initial_option?.value
      const options = (element.options ?? [])
        .map(({ text, value }) => `<option${value === chosen ? ' selected' : ''}>${drawText(text, language)}</option>`)
        .join('')
      const placeholder = element.placeholder ? drawText(element.placeholder, language) : '–'
      const first = chosen === undefined ? `<option selected>${placeholder}</option>` : ''
      return `<select aria-label="${placeholder}">${first}${options}</select>`
    }
    case 'external_select':
      return `<select><option>${element.placeholder ? drawText(element.placeholder, language) : '–'}</option></select>`
    case 'overflow':
      return `<details class="overflow"><summary class="button">⋯</summary><ul>${element.options
        .map(({ text, url }) => `<li>${drawText(text, language)}${url ? ' ↗' : ''}</li>`)
        .join('')}</ul></details>`
    case 'plain_text_input': {
      const value = escapeHtml(element.initial_value ?? '')
      return element.multiline ? `<textarea rows="4">${value}</textarea>` : `<input value="${value}">`
    }
    case 'checkboxes':
      return element.options
        .map(({ text }) => `<label><input type="checkbox"> ${drawText(text, language)}</label>`)
        .join('')
    default:
      return notDrawn(element.type)
  }
}

function drawText({ type, text }: Text, language: string): string {
  return type === 'mrkdwn' ? drawMrkdwn(text, language) : lines(escapeHtml(text))
}

/** Links, times and bold; `text` has its `&`, `<` and `>` escaped by its maker. */
function drawMrkdwn(text: string, language: string): string {
  const kept: string[] = []
  const marked = text.replace(/<([^<>]*)>/g, (_, inside: string) => {
    kept.push(drawReference(inside, language))
    return `\ue000${kept.length - 1}\ue000`
  })
  const bold = marked.replace(/(^|[^\p{L}\p{N}])\*([^*\n]+)\*(?![\p{L}\p{N}])/gu, '$1<b>$2</b>')
  return lines(bold.replace(/\ue000(\d+)\ue000/g, (_, index: string) => kept[Number(index)] ?? ''))
}

function drawReference(inside: string, language: string): string {
  const [target = '', label = target] = inside.split('|')
  if (!target.startsWith('!')) return `<a href="${target.replaceAll('"', '%22')}">${label}</a>`
  const [kind, seconds, , url] = target.split('^')
  if (kind !== '!date') return notDrawn(target)
  const time = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })
  const shown = time.format(new Date(Number(seconds) * 1000))
  return url ? `<a href="${url.replaceAll('"', '%22')}">${shown}</a>` : shown
}

function notDrawn(what: string): string {
  return `<em class="not-drawn">not drawn here: ${escapeHtml(what)}</em>`
}

const lines = (html: string) => html.replaceAll('\n', '<br>')

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
