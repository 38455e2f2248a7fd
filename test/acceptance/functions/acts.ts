/** What changes a case: pressed in the chat, done in the desk under the agent's name. */
import { expect } from 'vitest'
import { acts } from '#hub/workbench/index.ts'
import type { ChatFunction } from '../chat-function.ts'
import type { ArrivedCase, Stage } from '../stage.ts'

const assignee = ({ zendesk }: Stage, one: ArrivedCase) =>
  zendesk.desk.users.get(one.ticket().assigneeId ?? '')?.email ?? null

export const deeds = [
  {
    id: 'take',
    title: { en: 'Assign to me', es: 'Asignarme el caso' },
    async run(stage) {
      const { arrive, world, until } = stage
      const one = await arrive('Taken over')
      await world.press('leo', one.card(), acts.takeCase)
      await until('the assignee in the desk', () => assignee(stage, one) === world.who('leo').email)
      await until('the card to name him', () => one.card().text.includes(world.who('leo').name))
    },
  },
  {
    id: 'assign',
    title: { en: 'Assign to somebody else, who is told', es: 'Asignar a otra persona, que se entera' },
    async run(stage) {
      const { arrive, world, until, shows } = stage
      const one = await arrive('Handed over')
      // Whom the app has met before can be told in private.
      await world.openHome('eva')
      await until('her page', () => world.home('eva'))
      const told = await shows('eva', 'Handed over', async () => {
        const form = await shows('leo', 'Assign case', () => world.press('leo', one.card(), acts.assignForm))
        expect(form.text).toContain(world.who('eva').name)
        await world.submit('leo', { agent: world.who('eva').email })
      })
      expect(told.text).toContain('A case is yours now')
      expect(told.text).toContain(world.who('leo').name)
      await until('the assignee in the desk', () => assignee(stage, one) === world.who('eva').email)
    },
  },
  {
    id: 'status',
    title: { en: 'Status', es: 'Estado' },
    async run({ arrive, world, until }) {
      const one = await arrive('Paused')
      await world.press('leo', one.card(), acts.status, 'pending')
      await until('the status in the desk', () => one.ticket().status === 'pending')
      await until('the card to say so', () => one.card().text.includes('Status\nWaiting for the customer'))
    },
  },
  {
    id: 'priority',
    title: { en: 'Priority', es: 'Prioridad' },
    async run({ arrive, world, until }) {
      const one = await arrive('Pressing')
      await world.press('leo', one.card(), acts.priority, 'high')
      await until('the priority in the desk', () => one.ticket().priority === 'high')
      await until('the card to say so', () => one.card().text.includes('Priority\nHigh'))
    },
  },
  {
    id: 'tags',
    title: { en: 'Tags', es: 'Etiquetas' },
    async run({ arrive, world, until, shows }) {
      const one = await arrive('Labelled', { change: { addTags: ['old'] } })
      await until('the tag on the card', () => one.card().text.includes('old'))
      await shows('leo', 'Separated by commas.', () => world.press('leo', one.card(), acts.tagsForm))
      await world.submit('leo', { tags: 'refund, gold' })
      await until('the tags in the desk', () => one.ticket().tags.join(' ') === 'gold refund')
    },
  },
  {
    id: 'category',
    title: { en: 'Category', es: 'Categoría' },
    async run({ arrive, world, until, shows, quiet }) {
      const one = await arrive('Sorted')
      await shows('leo', 'Empty takes it away.', () => world.press('leo', one.card(), acts.categoryForm))
      await world.submit('leo', { category: 'Hardware' })
      await until('the category on the card', () => one.card().text.includes('Category\nHardware'))
      await quiet()
      expect(one.card().text).not.toContain('refused')
    },
  },
  {
    id: 'snooze',
    title: { en: 'Snooze', es: 'Posponer' },
    async run({ arrive, world, until }) {
      const one = await arrive('Put aside')
      await world.press('leo', one.card(), acts.snooze, '4h')
      await until('the card to say so', () => one.card().text.includes('Snoozed until'))
    },
  },
  {
    id: 'escalate',
    title: { en: 'Escalate, after a question', es: 'Escalar, tras una pregunta' },
    async run({ arrive, world, until, rule, cardIn }) {
      await rule({ id: 'escalated', on: ['case.escalated'], then: [{ tag: { add: ['escalated'] } }] })
      const one = await arrive('Burning')
      expect(one.card().text).toContain('Escalate this case?')
      await world.press('leo', one.card(), acts.escalate)
      await until('it in the desk', () => one.ticket().priority === 'urgent' && one.ticket().tags.includes('escalated'))
      const note = await until('the note', () => one.comment(`Escalated by ${world.who('leo').name}.`))
      expect(note.isPublic).toBe(false)
      await until('it in the urgent channel', () => cardIn('urgent', 'Burning'))
    },
  },
  {
    id: 'resolve',
    title: { en: 'Resolve, with a reason', es: 'Resolver, con un motivo' },
    async run({ arrive, world, until, shows, quiet }) {
      const one = await arrive('Mended')
      await shows('leo', 'Resolve case', () => world.press('leo', one.card(), acts.resolveForm))
      await world.submit('leo', { reason: 'fixed', note: 'Restarted the printer' })
      await until('it solved in the desk', () => one.ticket().status === 'solved')
      const note = await until('the note', () => one.comment('Resolved: Problem fixed.'))
      expect(note.body).toContain('Restarted the printer')
      expect(note.isPublic).toBe(false)
      await until('the card to say so', () => one.card().text.includes('Status\nSolved'))
      await quiet()
      expect(one.card().text).not.toContain('refused')
    },
  },
  {
    id: 'reopen',
    title: { en: 'Reopen', es: 'Reabrir' },
    async run({ arrive, world, until, zendesk }) {
      const one = await arrive('Back again')
      await zendesk.agentSolves(one.ticketId)
      await until('the card to say so', () => one.card().text.includes('Status\nSolved'))
      await world.press('leo', one.card(), acts.reopen)
      await until('it open in the desk', () => one.ticket().status === 'open')
    },
  },
  {
    id: 'merge',
    title: { en: 'Merge into another case', es: 'Combinar con otro caso' },
    async run({ arrive, world, until, shows, quiet }) {
      const [one, other] = [await arrive('Doubled'), await arrive('Original')]
      await shows('leo', 'Merge case', () => world.press('leo', one.card(), acts.mergeForm))
      await world.submit('leo', { into: '99999' })
      await until('what is wrong', () => world.dialog('leo')?.text.includes('There is no other case with this number.'))
      await world.submit('leo', { into: other.ticketId })
      await until('it closed in the desk', () => one.ticket().status === 'closed')
      await until('word in the other', () => other.comment('was merged into this case'))
      await until('the card to say so', () => one.card().text.includes('Status\nClosed'))
      await quiet()
      expect(one.card().text).not.toContain('refused')
    },
  },
  {
    id: 'macro',
    title: { en: 'Macros that change the case', es: 'Macros que cambian el caso' },
    async run({ arrive, world, until, hub }) {
      const actions = [{ priority: 'low' }, { tag: { add: ['later'] } }, { note: { text: 'By macro' } }]
      await hub.api('PUT', '/macros/later', { id: 'later', name: 'Not now', actions })
      const one = await arrive('Postponed')
      expect(one.card().text).toContain('Not now')
      await world.press('leo', one.card(), acts.macro, 'later')
      await until('it in the desk', () => one.ticket().priority === 'low' && one.ticket().tags.includes('later'))
      expect((await until('the note', () => one.comment('By macro'))).isPublic).toBe(false)
    },
  },
  {
    id: 'macro-reply',
    title: {
      en: 'Macros with a reply, which is previewed and confirmed',
      es: 'Macros con respuesta, que se ve antes y se confirma',
    },
    async run({ arrive, world, until, shows, hub, quiet }) {
      const actions = [{ reply: { text: 'About {{ case.subject }}: please restart it.' } }, { status: 'pending' }]
      await hub.api('PUT', '/macros/restart', { id: 'restart', name: 'Ask to restart', actions })
      const one = await arrive('Stuck router')
      await shows('leo', 'About Stuck router: please restart it.', () =>
        world.press('leo', one.card(), acts.macro, 'restart'),
      )
      await quiet()
      expect(one.comment('please restart it')).toBeUndefined()
      await world.submit('leo', {})
      await until('the preview', () =>
        world.dialog('leo')?.text.includes('This is exactly what the customer will see:'),
      )
      await world.submit('leo', {})
      expect((await until('the reply', () => one.comment('please restart it'))).isPublic).toBe(true)
      await until('the status in the desk', () => one.ticket().status === 'pending')
    },
  },
  {
    id: 'emoji',
    title: { en: 'Emoji that act, by configuration', es: 'Emoji que actúan, según la configuración' },
    async run(stage) {
      const { arrive, world, until } = stage
      const one = await arrive('Emotional')
      await world.react('leo', one.card(), 'take')
      await until('the assignee in the desk', () => assignee(stage, one) === world.who('leo').email)
      await world.react('leo', one.card(), 'resolve')
      await until('it solved in the desk', () => one.ticket().status === 'solved')
    },
  },
] as const satisfies readonly ChatFunction[]
