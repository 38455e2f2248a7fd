/** Where cards stand, and that they stay true. */
import { expect } from 'vitest'
import type { ChatFunction } from '../chat-function.ts'

export const cards = [
  {
    id: 'routing',
    title: {
      en: 'Channels by team, inbox, customer and priority',
      es: 'Canales por equipo, buzón, cliente y prioridad',
    },
    async run({ arrive, zendesk, legacy, until, quiet, cardIn }) {
      await arrive('Routed fire', { change: { priority: 'urgent' } })
      await until('it in the urgent channel', () => cardIn('urgent', 'Routed fire'))
      const billing = [...zendesk.desk.groups.values()].find(({ name }) => name === 'Billing')
      await arrive('Routed invoice', { change: { groupId: billing?.id ?? null } })
      await until('it in the team’s channel', () => cardIn('billing', 'Routed invoice'))
      await arrive('Routed order', { from: 'cy@globex.example' })
      await until('it in the customer’s channel of agents', () => cardIn('globex', 'Routed order'))
      legacy.desk.openCase({ subject: 'Routed parcel', text: 'x', requester: { emails: ['di@customer.example'] } })
      await until('it in the inbox’s channel', () => cardIn('legacy', 'Routed parcel'))
      await quiet()
      const stray = (['urgent', 'billing', 'globex', 'legacy', 'onRule'] as const).map(
        (room) => ['fire', 'invoice', 'order', 'parcel'].filter((word) => cardIn(room, `Routed ${word}`)).length,
      )
      expect(stray).toEqual([1, 1, 1, 1, 0])
    },
  },
  {
    id: 'card',
    title: {
      en: 'A card for each case, kept up to date in place',
      es: 'Una tarjeta por caso, actualizada en su sitio',
    },
    async run({ arrive, zendesk, until, world, quiet }) {
      const one = await arrive('Standing lamp')
      const { id, text } = one.card()
      expect(text).toContain('Ana García')
      expect(text).toContain('New')
      await zendesk.agentChanges(one.ticketId, { status: 'pending', priority: 'high', addTags: ['lamp'] })
      await until('the card to follow', () => {
        const now = one.card().text
        return now.includes('Waiting for the customer') && now.includes('High') && now.includes('lamp')
      })
      await quiet()
      expect(one.card().id).toBe(id)
      expect(world.sees('leo', 'cases').filter((seen) => seen.text.includes('Standing lamp'))).toHaveLength(1)
    },
  },
  {
    id: 'card-on-rule',
    title: { en: 'A card when a rule says so', es: 'Una tarjeta cuando lo dice una regla' },
    async run({ arrive, rule, zendesk, until, cardIn, world, quiet }) {
      await rule({
        id: 'show-vip',
        on: ['case.created', 'case.updated'],
        if: { field: 'case.tags', any_of: ['vip'] },
        then: [{ notify: { connection: 'Chat', to: world.room('onRule'), card: 'case' } }],
      })
      const one = await arrive('Ruled by tag')
      await quiet()
      expect(cardIn('onRule', 'Ruled by tag')).toBeUndefined()
      await zendesk.agentChanges(one.ticketId, { addTags: ['vip'] })
      await until('the card', () => cardIn('onRule', 'Ruled by tag'))
      await zendesk.agentChanges(one.ticketId, { priority: 'high' })
      await until('it to follow', () => cardIn('onRule', 'Ruled by tag')?.text.includes('High'))
    },
  },
  {
    id: 'thread',
    title: { en: 'The thread is the case’s conversation', es: 'El hilo es la conversación del caso' },
    async run({ arrive, zendesk, until, world }) {
      const one = await arrive('Talkative', { text: 'It does not start.' })
      await zendesk.agentReplies(one.ticketId, 'Is it plugged in?')
      await zendesk.agentReplies(one.ticketId, 'I bet it is not.', { internal: true })
      const said = await until('the conversation', () => {
        const thread = world.thread('leo', one.card())
        return thread.length === 3 && thread.map(({ text }) => text)
      })
      expect(said[0]).toContain('It does not start.')
      expect(said[0]).toContain('Ana García')
      expect(said[1]).toContain('Is it plugged in?')
      expect(said[1]).toContain('Visible to the customer')
      expect(said[2]).toContain('I bet it is not.')
      expect(said[2]).toContain('Internal note')
    },
  },
  {
    id: 'open-in-desk',
    title: { en: 'Open in the desk', es: 'Abrir en la mesa de ayuda' },
    async run({ arrive, world }) {
      const one = await arrive('Linked')
      expect(one.card().text).toContain('Open in Zendesk')
      expect(world.links('leo', one.card()).some((url) => url.endsWith(`/agent/tickets/${one.ticketId}`))).toBe(true)
    },
  },
] as const satisfies readonly ChatFunction[]
