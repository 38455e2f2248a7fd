/** What an agent learns without leaving the chat, and how they ask for it. */
import { expect } from 'vitest'
import { acts } from '#hub/workbench/index.ts'
import type { ChatFunction } from '../chat-function.ts'

export const knowledge = [
  {
    id: 'customer',
    title: {
      en: 'The customer: identities, company, plan, open cases in all tools, satisfaction, journey',
      es: 'El cliente: identidades, empresa, plan, casos abiertos en todas las herramientas, satisfacción, recorrido',
    },
    async run({ arrive, world, zendesk, legacy, shows, quiet, until }) {
      const company = zendesk.desk.organizationNamed('Initech', {
        domains: ['initech.example'],
        fields: { plan: 'Gold' },
      })
      const email = 'ines@initech.example'
      await zendesk.createUser({ name: 'Inés Vega', email, phone: '+34600111222', organizationId: company.id })
      const requester = { name: 'Inés Vega', emails: [email] }
      const other = legacy.desk.openCase({ subject: 'Elsewhere open', text: 'x', requester })
      legacy.desk.rate(other.id, { score: 4, comment: 'Quick' })
      const one = await arrive('Known well', { from: email, name: 'Inés Vega' })
      await quiet()
      await until('the customer on the card', () => one.card().text.includes('Initech'))
      expect(one.card().text).toContain('Gold')
      const { text } = await shows('leo', 'Customer: Inés Vega', () => world.press('leo', one.card(), acts.customer))
      for (const words of [email, '+34600111222', 'Initech', 'Gold', 'Elsewhere open', 'Known well', '4 of 5', 'Quick'])
        expect(text).toContain(words)
      expect(text).toMatch(/Latest events.*Opened a case/s)
    },
  },
  {
    id: 'similar',
    title: { en: 'Similar solved cases', es: 'Casos resueltos parecidos' },
    async run({ arrive, zendesk, world, shows, until }) {
      const text = 'The projector in the auditorium shows a purple picture'
      const old = await arrive('Projector purple', { text })
      await zendesk.agentSolves(old.ticketId, 'The cable was loose')
      await until('it solved', () => old.card().text.includes('Status\nSolved'))
      const one = await arrive('Projector again', { text: 'The auditorium projector is purple' })
      const card = await shows('leo', 'Solved cases like', () => world.press('leo', one.card(), acts.similar))
      expect(card.text).toContain('Projector purple')
    },
  },
  {
    id: 'why',
    title: {
      en: 'Why: which rules acted, where a value came from',
      es: 'Por qué: qué reglas actuaron, de dónde viene un valor',
    },
    async run({ arrive, rule, world, shows, until }) {
      await rule({
        id: 'why-low',
        name: 'Wonders are not urgent',
        on: ['case.created'],
        if: { field: 'case.subject', contains: 'Wondering' },
        then: [{ priority: 'low' }],
      })
      const one = await arrive('Wondering')
      await until('the rule', () => one.ticket().priority === 'low')
      const card = await shows('leo', 'Why is it so?', () => world.press('leo', one.card(), acts.why))
      expect(card.text).toContain('Wonders are not urgent')
      expect(card.text).toMatch(/Low \(from rule “Wonders are not urgent”\)/)
    },
  },
  {
    id: 'search',
    title: { en: 'Search', es: 'Buscar' },
    async run({ arrive, world, quiet }) {
      const one = await arrive('Zeppelin lost', { from: 'zoe@zeppelin.example' })
      await quiet()
      expect(await world.search('leo', 'zeppelin')).toContain('Zeppelin lost')
      expect(await world.search('leo', one.ticketId)).toContain('Zeppelin lost')
      expect(await world.search('leo', 'zoe@zeppelin.example')).toContain('Zeppelin lost')
      expect(await world.search('leo', 'nosuchthing')).toContain('Nothing found.')
    },
  },
  {
    id: 'unfurl',
    title: { en: 'Links to cases unfold', es: 'Los enlaces a casos se despliegan' },
    async run({ arrive, world, hub, quiet }) {
      const one = await arrive('Pasted')
      await quiet()
      const { baseUrl } = hub.running.hub.env
      expect(await world.paste('leo', 'cases', `${baseUrl}/cases/${one.id}`)).toContain('Pasted')
    },
  },
  {
    id: 'mention',
    title: { en: 'Mention to ask', es: 'Preguntar con una mención' },
    async run({ arrive, world, shows, quiet }) {
      const one = await arrive('Mentioned')
      await quiet()
      await shows('leo', 'Why is it so? “Mentioned”', () => world.mention('leo', { thread: one.card() }, 'why'))
      await shows('leo', 'Customer: Ana García', () => world.mention('leo', { thread: one.card() }, 'customer'))
      await shows('leo', 'Mentioned', () => world.mention('leo', 'cases', 'find Mentioned'))
      await quiet()
      // A question to the app is no note.
      expect(one.ticket().comments).toHaveLength(1)
    },
  },
  {
    id: 'command',
    title: { en: 'Commands', es: 'Comandos' },
    async run({ arrive, world, shows, quiet }) {
      const one = await arrive('Commanded')
      await quiet()
      await shows('leo', 'What I can do', () => world.command('leo', 'help'))
      await shows('leo', 'Commanded', () => world.command('leo', 'find commanded'))
      await world.press('leo', one.card(), acts.takeCase)
      await quiet()
      await shows('leo', 'Commanded', () => world.command('leo', 'queue'))
    },
  },
  {
    id: 'home',
    title: {
      en: 'My page: my queue over all tools, the most urgent first, and my figures',
      es: 'Mi página: mi cola en todas las herramientas, lo más urgente primero, y mis cifras',
    },
    async run({ arrive, world, until, quiet, shows }) {
      const calm = await arrive('Mine, calm')
      const hot = await arrive('Mine, hot', { change: { priority: 'urgent' } })
      for (const one of [calm, hot]) await world.press('eva', one.card(), acts.takeCase)
      await quiet()
      await world.openHome('eva')
      const page = await until('the page', () => {
        const home = world.home('eva')
        return home?.text.includes('Mine, calm') && home
      })
      expect(page.text).toMatch(/My figures.*Open\n2.*High or urgent\n1/s)
      expect(page.text.indexOf('Mine, hot')).toBeLessThan(page.text.indexOf('Mine, calm'))
      const opened = await shows('eva', 'Conversation', () => world.press('eva', page, acts.openCase))
      expect(opened.text).toContain('Mine, hot')
    },
  },
  {
    id: 'create',
    title: { en: 'A case from a message, with its files', es: 'Un caso a partir de un mensaje, con sus archivos' },
    async run({ world, shows, until, zendesk, ids }) {
      const line = await world.write('eva', 'cases', 'Dana called: her boiler leaks', [
        { name: 'boiler.txt', content: 'drip' },
      ])
      const form = await shows('leo', 'New case', () => world.shortcut('leo', line, 'create_case'))
      expect(form.text).toContain('Dana called: her boiler leaks')
      expect(form.text).toContain('boiler.txt')
      await world.submit('leo', { tool: ids.zendesk, subject: '', requester: 'dana', priority: 'high' })
      await until('what is wrong', () => world.dialog('leo')?.text.includes('This is not an e-mail address.'))
      await world.submit('leo', {
        ...{ tool: ids.zendesk, subject: 'Leaking boiler', requester: 'dana@customer.example', priority: 'high' },
      })
      const ticket = await until('the ticket', () =>
        [...zendesk.desk.tickets.values()].find(({ subject }) => subject === 'Leaking boiler'),
      )
      expect(ticket.priority).toBe('high')
      expect(ticket.comments[0]?.body).toContain('Dana called: her boiler leaks')
      const files = await until('its file', () => {
        const all = ticket.comments.flatMap((comment) => comment.files)
        return all.length > 0 && all
      })
      expect(files.map(({ content }) => content.toString())).toEqual(['drip'])
    },
  },
] as const satisfies readonly ChatFunction[]
