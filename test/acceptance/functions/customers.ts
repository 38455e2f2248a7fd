/** A channel that a customer's company shares: what is said there is public, and nothing else gets there. */
import { expect } from 'vitest'
import { acts } from '#hub/workbench/index.ts'
import type { ChatFunction } from '../chat-function.ts'
import type { Stage } from '../stage.ts'
import type { Seen } from '../world.ts'

/** A customer asks in the shared channel; the card stands among the agents. */
async function ask({ world, posted }: Stage, subject: string) {
  const question = await world.write('ana', 'shared', subject)
  const { id } = await posted('cases', subject)
  return { question, card: (): Seen => world.sees('leo', 'cases').find((seen) => seen.id === id) ?? { id, text: '' } }
}

async function answer({ world, shows, until }: Stage, card: Seen, text: string) {
  await shows('leo', 'Reply to customer', () => world.press('leo', card, acts.replyForm))
  await world.submit('leo', { text })
  const preview = await until('the preview', () => {
    const dialog = world.dialog('leo')
    return dialog?.text.includes('This is exactly what the customer will see:') && dialog
  })
  await world.submit('leo', {})
  return preview
}

export const customers = [
  {
    id: 'customer-case',
    title: {
      en: 'Customer channels: a message becomes a case, its thread the conversation',
      es: 'Canales de clientes: un mensaje se convierte en caso, y su hilo en la conversación',
    },
    async run(stage) {
      const { world, until, quiet } = stage
      const { question, card } = await ask(stage, 'Our shipment is late')
      expect(card().text).toContain(world.who('ana').name)
      expect(card().text).toContain('Globex')
      await world.write('ana', { thread: question }, 'Order 77')
      await world.write('leo', { thread: question }, 'On it!')
      const said = await until('the conversation', () => {
        const thread = world.thread('leo', card()).map(({ text }) => text)
        return (
          thread.some((text) => text.includes('On it!')) && thread.some((text) => text.includes('Order 77')) && thread
        )
      })
      expect(said.every((text) => text.includes('Visible to the customer'))).toBe(true)
      await world.write('leo', 'shared', 'Good morning everybody')
      await quiet()
      expect(world.sees('leo', 'cases').some(({ text }) => text.includes('Good morning'))).toBe(false)
    },
  },
  {
    id: 'customer-reply',
    title: {
      en: 'Customer channels: replies go back under the agent’s name, after a preview; notes never do',
      es: 'Canales de clientes: las respuestas vuelven con el nombre del agente, tras una vista previa; las notas nunca',
    },
    async run(stage) {
      const { world, until, quiet } = stage
      const { question, card } = await ask(stage, 'Where is our parcel?')
      await world.write('leo', { thread: card() }, 'hushhush')
      const preview = await answer(stage, card(), 'It arrives today')
      expect(preview.text).toContain(world.who('ana').name)
      expect(preview.text).toContain('Chat')
      const reply = await until('the reply', () =>
        world.thread('ana', question).find(({ text }) => text.includes('It arrives today')),
      )
      expect(reply.text).toContain(world.who('leo').name)
      await quiet()
      const all = [...world.sees('ana', 'shared'), ...world.thread('ana', question), ...world.told('ana')]
      expect(all.some(({ text }) => text.includes('hushhush'))).toBe(false)
      expect(all.filter(({ text }) => text.includes('It arrives today'))).toHaveLength(1)
    },
  },
  {
    id: 'customer-files',
    title: {
      en: 'Customer channels: files travel both ways',
      es: 'Canales de clientes: los archivos viajan en ambos sentidos',
    },
    async run(stage) {
      const { world, until, shows } = stage
      const { question, card } = await ask(stage, 'It does not start')
      await world.write('ana', { thread: question }, 'This is what it says', [{ name: 'boot.log', content: 'no disk' }])
      await until('her file among the agents', () =>
        world.filesIn(card()).some(({ name, content }) => name === 'boot.log' && content === 'no disk'),
      )
      const line = await world.write('leo', { thread: card() }, 'Try this', [{ name: 'fix.txt', content: 'a disk' }])
      await shows('leo', 'Send this reply?', () => world.shortcut('leo', line, 'public_reply'))
      await world.submit('leo', {})
      const files = await until('the fix in her channel', () => {
        const all = world.filesIn(question)
        return all.length > 1 && all
      })
      expect(files.map(({ name, content }) => [name, content])).toEqual([
        ['boot.log', 'no disk'],
        ['fix.txt', 'a disk'],
      ])
    },
  },
  {
    id: 'survey',
    title: {
      en: 'Customer channels: surveys are asked there, and only the customer answers',
      es: 'Canales de clientes: las encuestas se preguntan ahí, y solo responde el cliente',
    },
    async run(stage) {
      const { world, until, shows, hub, quiet } = stage
      await hub.api('PUT', '/surveys/chat', { id: 'chat', name: 'Chat', kind: 'csat', when: { delay_s: 0 } })
      const { question, card } = await ask(stage, 'How do we reset it?')
      await answer(stage, card(), 'Hold the button for ten seconds.')
      await quiet()
      await shows('leo', 'Resolve case', () => world.press('leo', card(), acts.resolveForm))
      await world.submit('leo', { reason: 'answered' })
      const isAsked = ({ text }: Seen) => text.includes('About your request “How do we reset it?”')
      const survey = await until('the survey', () => world.thread('ana', question).find(isAsked))
      await world.press('leo', survey, acts.answerSurvey)
      await quiet()
      expect(world.thread('ana', question).some(({ text }) => text.includes('Thank you!'))).toBe(false)
      await world.press('ana', survey, acts.answerSurvey)
      await until('thanks', () => world.thread('ana', question).some(({ text }) => text.includes('Thank you!')))
    },
  },
] as const satisfies readonly ChatFunction[]
