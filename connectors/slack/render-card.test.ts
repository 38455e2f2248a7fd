import type { ActionsBlockElement, KnownBlock, SectionBlockAccessory } from '@slack/types'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Act, ButtonAction, Card, CardAction, CardBlock } from '#hub/connector/card.ts'
import { readInteraction } from './read-interaction.ts'
import { renderOptions } from './render-actions.ts'
import { renderCard, renderHome } from './render-card.ts'
import { WithinHome, WithinMessage } from './sandbox-limits.ts'
import { card, hostile, words } from './test-cards.ts'

const empty: Card = { key: 'case:case_01', title: 'Printer', blocks: [], actions: [], summary: 'Printer' }
const url = 'https://hub.example.com/cases/case_01?tab=all&x=1'
const link = 'https://hub.example.com/cases/case_01?tab=all&amp;x=1'
const blocksOf = (part: Partial<Card>) => renderCard({ ...empty, ...part }, words).blocks.slice(1)
const plain = (text: string) => ({ type: 'plain_text', text, emoji: false })
const mrkdwn = (text: string) => ({ type: 'mrkdwn', text, verbatim: true })
const button = (act: string, value = 'case_01', label = act): ButtonAction => ({ kind: 'button', act, value, label })

describe('a card in Slack', () => {
  it('is a case with its facts, its conversation and what can be done', () => {
    const { text, blocks } = renderCard(
      {
        key: 'case:case_01',
        title: 'Printer on fire',
        url,
        tone: 'urgent',
        blocks: [
          { kind: 'notice', text: 'The desk cannot be reached.\nYour change is waiting.', tone: 'attention' },
          {
            kind: 'facts',
            facts: [
              { label: 'Status', value: 'Open' },
              { label: 'Waiting since', value: { at: '2026-11-22T07:30:00Z' } },
              { label: 'In', value: 'Zendesk 42', url: 'https://acme.zendesk.com/agent/tickets/42' },
            ],
          },
          { kind: 'heading', text: 'Conversation' },
          {
            kind: 'message',
            message: {
              author: 'Ana Lima',
              visibility: 'public',
              text: 'It burns.\nSee <https://x.example>!',
              at: '2026-11-22T07:30:00Z',
              files: ['fire.jpg', 'log.txt'],
            },
          },
          {
            kind: 'message',
            message: { author: 'Sam', visibility: 'internal', text: 'Third one', at: '2026-11-22T07:31:00.000Z' },
          },
          { kind: 'divider' },
          { kind: 'text', text: 'Rules: none', isSubtle: true },
        ],
        actions: [
          { ...button('case.reply', 'case_01', 'Reply'), style: 'primary' },
          {
            kind: 'select',
            act: 'case.status',
            value: 'case_01',
            label: 'Status',
            options: [
              { value: 'open', label: 'Open' },
              { value: 'solved', label: 'Solved' },
            ],
            chosen: 'open',
          },
          {
            kind: 'button',
            act: 'case.escalate',
            value: 'case_01',
            label: 'Escalate',
            style: 'danger',
            confirm: { title: 'Escalate?', text: 'The lead is told.', yes: 'Escalate', no: 'Cancel' },
          },
          { kind: 'link', label: 'Open in Zendesk', url: 'https://acme.zendesk.com/agent/tickets/42' },
        ],
        summary: 'Ana <ana@example.com>: Printer on fire',
      },
      words,
    )
    expect(text).toBe('Ana &lt;ana@example.com&gt;: Printer on fire')
    expect(blocks).toEqual([
      { type: 'section', text: mrkdwn(`🚨 *<${link}|Printer on fire>*`) },
      { type: 'section', text: plain('⚠️ The desk cannot be reached.\nYour change is waiting.') },
      {
        type: 'section',
        fields: [
          mrkdwn('*Status*'),
          plain('Open'),
          mrkdwn('*Waiting since*'),
          mrkdwn('<!date^1795332600^{date_short_pretty} {time}|2026-11-22 07:30 UTC>'),
          mrkdwn('*In*'),
          mrkdwn('<https://acme.zendesk.com/agent/tickets/42|Zendesk 42>'),
        ],
      },
      { type: 'header', text: plain('Conversation') },
      {
        type: 'context',
        elements: [
          mrkdwn(
            '🌐 *Visible to the customer* · Ana Lima · <!date^1795332600^{date_short_pretty} {time}|2026-11-22 07:30 UTC>',
          ),
        ],
      },
      { type: 'section', text: plain('It burns.\nSee <https://x.example>!') },
      { type: 'context', elements: [plain('📎 fire.jpg, log.txt')] },
      {
        type: 'context',
        elements: [
          mrkdwn('🔒 *Internal note* · Sam · <!date^1795332660^{date_short_pretty} {time}|2026-11-22 07:31 UTC>'),
        ],
      },
      { type: 'section', text: plain('Third one') },
      { type: 'divider' },
      { type: 'context', elements: [plain('Rules: none')] },
      {
        type: 'actions',
        elements: [
          { type: 'button', action_id: '0|case.reply', text: plain('Reply'), value: 'case_01', style: 'primary' },
          {
            type: 'static_select',
            action_id: '1|case.status|case_01',
            placeholder: plain('Status: Open'),
            options: [
              { text: plain('Open'), value: 'open' },
              { text: plain('Solved'), value: 'solved' },
            ],
          },
          {
            type: 'button',
            action_id: '2|case.escalate',
            text: plain('Escalate'),
            value: 'case_01',
            style: 'danger',
            confirm: {
              title: plain('Escalate?'),
              text: plain('The lead is told.'),
              confirm: plain('Escalate'),
              deny: plain('Cancel'),
              style: 'danger',
            },
          },
          {
            type: 'button',
            action_id: '3|',
            text: plain('Open in Zendesk'),
            url: 'https://acme.zendesk.com/agent/tickets/42',
          },
        ],
      },
    ])
  })

  it('has a header when its title leads nowhere', () => {
    expect(renderCard({ ...empty, url: 'javascript:alert(1)', tone: 'good' }, words).blocks).toEqual([
      { type: 'header', text: plain('✅ Printer') },
    ])
  })

  it('lists rows, each with its link and its button, or says that there are none', () => {
    const items = [
      { title: 'Refund *now*', detail: 'Ana > 2 h', url: 'https://hub.example.com/a', tone: 'attention' } as const,
      { title: 'error_code', action: { kind: 'button', act: 'case.open', value: 'case_02', label: 'Open' } } as const,
    ]
    expect(blocksOf({ blocks: [{ kind: 'list', items, whenEmpty: 'Nothing' }] })).toEqual([
      { type: 'section', text: mrkdwn('⚠️ <https://hub.example.com/a|Refund ∗now∗>\nAna &gt; 2 h') },
      {
        type: 'section',
        text: mrkdwn('error_code'),
        accessory: { type: 'button', action_id: '0|case.open', text: plain('Open'), value: 'case_02' },
      },
    ])
    expect(blocksOf({ blocks: [{ kind: 'list', items: [], whenEmpty: 'Nothing' }] })).toEqual([
      { type: 'context', elements: [plain('Nothing')] },
    ])
  })

  it('folds a long text, and leads to the rest', () => {
    const [body, more] = blocksOf({ url, blocks: [{ kind: 'text', text: 'word '.repeat(2_000) }] })
    const text = body?.type === 'section' ? (body.text?.text ?? '') : ''
    expect(text).toMatch(/^word word .* word…$/s)
    expect(text.length).toBeLessThanOrEqual(3_000)
    expect(text.length).toBeGreaterThan(2_990)
    expect(more).toEqual({ type: 'context', elements: [mrkdwn(`<${link}|… more in Deskweave>`)] })
  })

  it('counts the rows that do not fit', () => {
    const items = Array.from({ length: 70 }, (_, index) => ({ title: `Case ${index}` }))
    const blocks = blocksOf({ blocks: [{ kind: 'list', items, whenEmpty: '' }] })
    const shown = blocks.filter(({ type }) => type === 'section').length
    expect(shown).toBeGreaterThan(40)
    expect(blocks.at(-1)).toEqual({ type: 'context', elements: [mrkdwn(`… and ${70 - shown} more`)] })
  })

  it('shortens all messages before it leaves out the newest', () => {
    const messages = Array.from(
      { length: 9 },
      (_, index): CardBlock => ({
        kind: 'message',
        message: {
          author: `Ana ${index}`,
          visibility: 'public',
          text: `${index} ${'x'.repeat(2_900)}`,
          at: '2026-11-22T07:30:00Z',
        },
      }),
    )
    const blocks = blocksOf({ url, blocks: messages })
    const texts = blocks.flatMap((block) => (block.type === 'section' ? [block.text?.text ?? ''] : []))
    expect(texts.map((text) => [text.slice(0, 3), text.at(-1), text.length])).toEqual(
      messages.map((_, index) => [`${index} x`, '…', 800]),
    )
  })

  it('says at its end that blocks are missing', () => {
    const blocks = blocksOf({
      url,
      blocks: Array.from({ length: 60 }, () => ({ kind: 'text', text: 'x'.repeat(900) })),
    })
    expect(blocks.length).toBeGreaterThan(40)
    expect(blocks.at(-1)).toEqual({ type: 'context', elements: [mrkdwn(`<${link}|… more in Deskweave>`)] })
    expect(blocks.at(-2)).not.toEqual(blocks.at(-1))
  })

  it('holds 50 blocks and not one more', () => {
    const blocks = Array.from({ length: 80 }, () => ({ kind: 'divider' }) as const)
    const rendered = renderCard({ ...empty, url, blocks, actions: [button('case.take')] }, words)
    expect(rendered.blocks).toHaveLength(50)
    expect(rendered.blocks.at(-2)).toEqual({ type: 'context', elements: [mrkdwn(`<${link}|… more in Deskweave>`)] })
    expect(rendered.blocks.at(-1)?.type).toBe('actions')
    expect(WithinMessage.safeParse(rendered).error).toBeUndefined()
  })

  it('carries the longest acts and values, and leaves out longer ones rather than carry them cut', () => {
    const [act, value] = ['a'.repeat(50), 'v'.repeat(200)]
    const options = [
      { value: 'o'.repeat(75), label: 'Longest' },
      { value: 'o'.repeat(76), label: 'Longer' },
    ]
    const select = { kind: 'select', act, value, label: 'Select', options } as const
    const actions: CardAction[] = [
      button(act, value),
      select,
      button('b'.repeat(255), value),
      { ...select, value: 'v'.repeat(260) },
    ]
    const read = pressesOf(blocksOf({ actions })).map((press) =>
      readInteraction({ type: 'block_actions', user: { id: 'U1' }, actions: [press] }),
    )
    expect(read).toMatchObject([
      { kind: 'act', act: { act, value, fields: {} } },
      { kind: 'act', act: { act, value, fields: { chosen: 'o'.repeat(75) } } },
    ])
  })

  it('shows the whole scale of a survey', () => {
    const actions = Array.from({ length: 11 }, (_, score) => button('survey.answer', `inv_1|${score}`, `${score}`))
    const [row] = blocksOf({ actions })
    expect(row).toMatchObject({ type: 'actions', elements: actions.map(() => ({ type: 'button' })) })
  })

  it('keeps the first of many actions, and puts the others into menus; what asks first and what has choices stays', () => {
    const confirm = { title: 'Sure?', text: 'It cannot be undone.', yes: 'Yes', no: 'No' }
    const actions: CardAction[] = [
      ...Array.from({ length: 14 }, (_, index) => button(`act.${index}`)),
      { kind: 'button', act: 'case.merge', value: 'case_01', label: 'Merge', confirm },
      {
        kind: 'select',
        act: 'case.macro',
        value: 'case_01',
        label: 'Macro',
        options: [{ value: 'm1', label: 'Thanks' }],
      },
      { kind: 'link', label: 'Open', url: 'https://hub.example.com/' },
    ]
    const [row] = blocksOf({ actions })
    const elements = row?.type === 'actions' ? row.elements : []
    expect(
      elements.map((element) => (element.type === 'overflow' ? `overflow${element.options.length}` : element.type)),
    ).toEqual([...Array.from({ length: 8 }, () => 'button'), 'button', 'static_select', 'overflow5', 'overflow2'])
    expect(elements.at(-1)).toEqual({
      type: 'overflow',
      action_id: '18|',
      options: [
        { text: plain('act.13'), value: '13|act.13|case_01' },
        { text: plain('Open'), value: '16|', url: 'https://hub.example.com/' },
      ],
    })
  })

  it('lets a select with many long options ask for them', () => {
    const options = Array.from({ length: 100 }, (_, index) => ({
      value: `agent${index}@support.example.com`,
      label: `Agent ${index}`,
    }))
    const [row] = blocksOf({
      actions: [{ kind: 'select', act: 'case.assign', value: 'case_01', label: 'Agent', options }],
    })
    expect(row).toMatchObject({
      elements: [{ type: 'external_select', action_id: '0|case.assign|case_01', min_query_length: 0 }],
    })
    expect(renderOptions(options, ' AGENT 9').map(({ text }) => text.text)).toEqual([
      'Agent 9',
      ...Array.from({ length: 10 }, (_, index) => `Agent 9${index}`),
    ])
  })

  it.each(hostile)('makes %j harmless wherever it stands', (text) => {
    const { blocks, text: summary } = renderCard(
      {
        ...empty,
        title: text,
        url,
        summary: text,
        blocks: [
          { kind: 'text', text },
          { kind: 'text', text, isSubtle: true },
          { kind: 'heading', text },
          { kind: 'notice', text, tone: 'neutral' },
          {
            kind: 'facts',
            facts: [
              { label: text, value: text },
              { label: text, value: text, url },
              { label: text, value: { at: text } },
            ],
          },
          {
            kind: 'list',
            items: [
              { title: text, detail: text },
              { title: text, url },
            ],
            whenEmpty: text,
          },
          {
            kind: 'message',
            message: { author: text, visibility: 'public', text, at: '2026-11-22T07:30:00Z', files: [text] },
          },
        ],
        actions: [button('case.reply', 'case_01', text)],
      },
      words,
    )
    expect(JSON.stringify(blocks)).toContain('hostile')
    for (const shown of [...mrkdwnIn(blocks), summary]) expect(wrongIn(shown, [link])).toEqual([])
  })

  it('is within all limits, whatever it holds', () => {
    fc.assert(
      fc.property(card, (random) => {
        expect(WithinMessage.safeParse(renderCard(random, words)).error).toBeUndefined()
      }),
      { numRuns: 500 },
    )
  }, 120_000)

  it('is within all limits of a home tab', () => {
    fc.assert(
      fc.property(card, (random) => {
        expect(WithinHome.safeParse(renderHome(random, words)).error).toBeUndefined()
      }),
      { numRuns: 300 },
    )
  }, 120_000)

  it('lets no text become more than text, whatever it holds', () => {
    fc.assert(
      fc.property(card, (random) => {
        const { text, blocks } = renderCard(random, words)
        for (const shown of [text, ...mrkdwnIn(blocks)]) expect(wrongIn(shown)).toEqual([])
      }),
      { numRuns: 500 },
    )
  }, 120_000)

  it('brings back the act of every button, menu entry and choice that it shows', () => {
    fc.assert(
      fc.property(card, (random) => {
        const offered = new Set(actsOf(random).map((act) => JSON.stringify(act)))
        for (const press of pressesOf(renderHome(random, words).blocks)) {
          const read = readInteraction({
            type: 'block_actions',
            user: { id: 'U1', team_id: 'T1' },
            team: { id: 'T1' },
            actions: [press],
          })
          if (read.kind === 'nothing') expect(press.isLink).toBe(true)
          else expect(offered).toContain(JSON.stringify(read.kind === 'act' ? read.act : read))
        }
      }),
      { numRuns: 500 },
    )
  }, 120_000)

  it('shows every action that can be carried back', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('case.take', 'case.note'), fc.string({ maxLength: 200 })), { maxLength: 24 }),
        (pairs) => {
          const actions = pairs.map(([act, value]) => button(act, value))
          const presses = pressesOf(blocksOf({ actions }))
          const read = presses.map((press) =>
            readInteraction({ type: 'block_actions', user: { id: 'U1' }, actions: [press] }),
          )
          const acts = read.flatMap((one) => (one.kind === 'act' ? [`${one.act.act} ${one.act.value}`] : []))
          expect(acts.sort()).toEqual(pairs.map(([act, value]) => `${act} ${value}`).sort())
        },
      ),
      { numRuns: 500 },
    )
  })
})

/** Every mrkdwn text in it, wherever it is. */
function mrkdwnIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  if ('type' in value && value.type === 'mrkdwn' && 'text' in value) return [String(value.text)]
  return Object.values(value).flatMap(mrkdwnIn)
}

/** What Slack would make of it beyond letters, apart from what the renderer itself puts there. */
function wrongIn(text: string, addresses?: readonly string[]): string[] {
  const wrong: string[] = []
  const withoutTokens = text.replace(/<([^<>]*)>/g, (token, inside: string) => {
    const [, date] =
      /^!date\^\d+\^\{date_short_pretty\} \{time\}(?:\^(?:https?:|mailto:)[^\s|^]*)?\|(.*)$/.exec(inside) ?? []
    if (date !== undefined) return /^\d{4}-\d\d-\d\d \d\d:\d\d UTC$/.test(date) ? 'D' : token
    const [, address, label] = /^((?:https?:|mailto:)[^\s|]+)\|(.*)$/.exec(inside) ?? []
    if (address === undefined || (addresses && !addresses.includes(address))) return token
    return `L${label}`
  })
  // One pair of stars around a label or a title is ours; it opens at the start of the text or after our own mark.
  const letters = withoutTokens.replace(/^((?:[^\w*<>&]{1,3} )?)\*([^*\n]*)\*/u, '$1$2')
  if (/[<>]/.test(letters)) wrong.push('angle bracket')
  if (/&(?!(?:amp|lt|gt);)/.test(letters)) wrong.push('ampersand')
  if (/[`｀＊＿]/.test(letters)) wrong.push('code')
  if (/(?<![A-Za-z0-9])[*_~]|[*_~](?![A-Za-z0-9])/.test(letters)) wrong.push('formatting')
  if (/(?<![A-Za-z0-9])@(?:here|channel|everyone|group)/i.test(letters)) wrong.push('mention')
  if (/^(?:&gt;|＞)/m.test(letters)) wrong.push('quote')
  if (/:(?=[a-z])[^\s:]+:/.test(letters)) wrong.push('emoji')
  if (/[^\P{Cc}\n]|[\u202a-\u202e]/u.test(letters)) wrong.push('control character')
  return wrong.map((problem) => `${problem} in ${JSON.stringify(text)}`)
}

interface Press {
  readonly type: string
  readonly action_id: string | undefined
  readonly value?: string | undefined
  readonly selected_option?: { readonly value?: string | undefined }
  readonly isLink: boolean
}

/** What Slack would send for each thing that can be pressed. */
function pressesOf(blocks: readonly KnownBlock[]): readonly Press[] {
  const elements = blocks.flatMap((block): (ActionsBlockElement | SectionBlockAccessory)[] => {
    if (block.type === 'actions') return block.elements
    return block.type === 'section' && block.accessory ? [block.accessory] : []
  })
  return elements.flatMap((element): Press[] => {
    const common = { type: element.type, action_id: 'action_id' in element ? element.action_id : undefined }
    if (element.type === 'button') return [{ ...common, value: element.value, isLink: element.url !== undefined }]
    if (element.type === 'static_select' || element.type === 'overflow') {
      return (element.options ?? []).map((option) => ({
        ...common,
        selected_option: option,
        isLink: option.url !== undefined,
      }))
    }
    return []
  })
}

function actsOf({ actions, blocks }: Card): Act[] {
  const rows = blocks.flatMap((block) =>
    block.kind === 'list' ? block.items.flatMap(({ action }) => (action ? [action] : [])) : [],
  )
  return [...actions, ...rows].flatMap((action): Act[] => {
    if (action.kind === 'link') return []
    const { act, value } = action
    if (action.kind === 'button') return [{ act, value, fields: {} }]
    return action.options.map((option) => ({ act, value, fields: { chosen: option.value } }))
  })
}
