import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cardHtml } from '#hub/chat/page-html.ts'
import type { Card } from '#hub/connector/card.ts'
import { acts, messagesIn } from '#hub/workbench/index.ts'
import { anyCard } from '../../connectors/teams/test-cards.ts'

const words = messagesIn.en
const draw = (card: Card) => cardHtml(card, words).text
const ours = /<\/?(?:article|h1|h2|p|ul|li|div|dl|dt|dd|section|strong|time|a|button|hr)(?: [a-z-]+="[^"<>`]*")*>/g

describe('a card as HTML', () => {
  it('holds no tag, entity or attribute that came with a text, whatever the card holds', () => {
    fc.assert(
      fc.property(anyCard, (card) => {
        const rest = draw(card).replaceAll(ours, '')
        expect(rest).not.toMatch(/[<>"'`]/)
        expect(rest.replaceAll(/&(?:amp|lt|gt|quot|#39|#96);/g, '')).not.toContain('&')
      }),
      { numRuns: 200 },
    )
  })

  it('leads to addresses of the web only, in a window of its own', () => {
    fc.assert(
      fc.property(anyCard, (card) => {
        for (const [link] of draw(card).matchAll(/<a [^>]*>/g)) {
          expect(link).toMatch(/^<a href="https?:[^"]*" target="_blank" rel="noopener noreferrer">$/i)
        }
      }),
      { numRuns: 100 },
    )
  })

  it('has buttons for what can be looked at, and for nothing else', () => {
    const button = (act: string) => ({ kind: 'button' as const, act, value: 'case_1', label: act })
    const card: Card = {
      key: 'k',
      title: 'T',
      summary: 'S',
      blocks: [{ kind: 'list', items: [{ title: 'One', action: button(acts.openCase) }], whenEmpty: '' }],
      actions: [acts.customer, acts.takeCase, acts.sendReply, acts.replyForm].map(button),
    }
    const shown = [...draw(card).matchAll(/data-act="([^"]+)"/g)].map(([, act]) => act)
    expect(shown).toEqual([acts.openCase, acts.customer])
  })

  it('says what is internal and what the customer sees in words, not by colour alone', () => {
    const said = (visibility: 'internal' | 'public') =>
      draw({
        key: 'k',
        title: 'T',
        summary: 'S',
        blocks: [{ kind: 'message', message: { author: 'Leo', visibility, text: 'x', at: '2026-11-30T10:00:00Z' } }],
        actions: [],
      })
    expect(said('internal')).toContain(words.drawing.internal)
    expect(said('public')).toContain(words.drawing.public)
  })
})
