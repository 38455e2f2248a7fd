/** The page of all cards in both renderings. */
import type { Card, Form } from '#hub/connector/card.ts'
import { type Language, languages } from '#hub/surveys/messages/index.ts'
import { drawingWords } from '#hub/workbench/index.ts'
import { renderCard as slackCard } from '../../connectors/slack/render-card.ts'
import { renderForm as slackForm } from '../../connectors/slack/render-form.ts'
import { renderCard as teamsCard } from '../../connectors/teams/render-card.ts'
import { renderForm as teamsForm } from '../../connectors/teams/render-form.ts'
import { drawBlocks, drawModal, escapeHtml } from './block-kit.ts'
import { samples } from './samples.ts'

export function previewPage(language: Language): string {
  const all = samples(language)
  const links = all.map(({ name }) => `<a href="#${name}">${name}</a>`).join(' ')
  const others = languages.map((other) => `<a href="?lang=${other}" lang="${other}">${other}</a>`).join(' ')
  const sections = all.map(({ name, card, form }) => {
    const drawings = [...(card ? [ofCard(card, language)] : []), ...(form ? [ofForm(form, language)] : [])]
    return `<section id="${name}"><h2>${name}</h2>${drawings.join('')}</section>`
  })
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Cards</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/preview/adaptivecards.css">
<link rel="stylesheet" href="/preview/style.css">
<script src="/preview/adaptivecards.js" defer></script>
<script src="/preview/client.js" defer></script>
</head>
<body>
<header><h1>Cards</h1><nav>${others} · ${links}</nav></header>
<main>${sections.join('\n')}</main>
</body>
</html>`
}

function ofCard(card: Card, language: Language): string {
  const words = drawingWords(language)
  const { blocks, text } = slackCard(card, words)
  const notification = `<p class="notification">🔔 ${text}</p>`
  return both(drawBlocks(blocks, language) + notification, adaptive(teamsCard(card, words)))
}

function ofForm(form: Form, language: Language): string {
  const words = drawingWords(language)
  const dialog = teamsForm(form, words)
  const teams = `<div class="dialog ${dialog.width}"><h4>${escapeHtml(dialog.title)}</h4>${adaptive(dialog.card.content)}</div>`
  return both(drawModal(slackForm(form, words), language), teams)
}

function both(slack: string, teams: string): string {
  return `<div class="both"><div class="slack"><h3>Slack</h3><div class="surface">${slack}</div></div>
<div class="teams"><h3>Teams</h3><div class="surface">${teams}</div></div></div>`
}

/** Drawn by the browser from its JSON, which is text here. */
function adaptive(card: object): string {
  return `<div class="adaptive" data-card="${escapeHtml(JSON.stringify(card))}"></div>`
}
