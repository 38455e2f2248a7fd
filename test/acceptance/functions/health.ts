/** What goes wrong is for the connection's health: agents are told what concerns them, and nothing is said twice. */
import { expect } from 'vitest'
import { acts } from '#hub/workbench/index.ts'
import type { ChatFunction } from '../chat-function.ts'
import type { Stage } from '../stage.ts'

async function statusOf({ hub, ids }: Stage): Promise<string> {
  return ((await hub.api('GET', `/connections/${ids.chat}`)) as { status: string }).status
}

export const health = [
  {
    id: 'desk-away',
    title: {
      en: 'The desk is away: the card says so, and catches up',
      es: 'La mesa de ayuda no responde: la tarjeta lo dice, y se pone al día',
    },
    async run({ arrive, world, zendesk, until, later }) {
      const one = await arrive('Stranded')
      zendesk.faults.set({ failRate: 1 })
      await world.press('leo', one.card(), acts.priority, 'urgent')
      await until('the card to say so', () => one.card().text.includes('cannot be reached right now'))
      expect(one.ticket().priority).toBeNull()
      zendesk.faults.set({})
      await later()
      await until('it in the desk', () => one.ticket().priority === 'urgent')
      await until('the card to say so', () => !one.card().text.includes('cannot be reached right now'))
    },
  },
  {
    id: 'retries',
    title: {
      en: 'What the tool tells twice, or is pressed ten times at once, is done once',
      es: 'Lo que la herramienta repite, o se pulsa diez veces seguidas, se hace una vez',
    },
    async run({ arrive, world, until, quiet }) {
      const one = await arrive('Twice told')
      await world.writeTwice('leo', { thread: one.card() }, 'Only once')
      await until('the note', () => one.comment('Only once'))
      await Promise.all(Array.from({ length: 10 }, () => world.press('leo', one.card(), acts.escalate)))
      await until('it in the desk', () => one.ticket().priority === 'urgent')
      await quiet()
      const notes = one.ticket().comments.map(({ body }) => body)
      expect(notes.filter((body) => body.includes('Only once'))).toHaveLength(1)
      expect(notes.filter((body) => body.includes('Escalated by'))).toHaveLength(1)
    },
  },
  {
    id: 'channel-gone',
    title: {
      en: 'A channel is archived or the app put out of it: no noise, no retries',
      es: 'Un canal se archiva o la aplicación sale de él: sin ruido ni reintentos',
    },
    async run(stage) {
      const { arrive, world, zendesk, until, quiet, hub, cardIn } = stage
      const one = await arrive('Closing soon', { change: { addTags: ['closing'] } })
      await until('it there', () => cardIn('closing', 'Closing soon'))
      await quiet()
      await world.closeRoom('closing')
      await quiet()
      await zendesk.agentChanges(one.ticketId, { priority: 'high' })
      await until('the other card to follow', () => one.card().text.includes('High'))
      await quiet()
      expect(await statusOf(stage)).toBe('connected')
      const dead = hub.running.hub.db.selectFrom('outbox').select('error').where('state', '=', 'dead')
      expect(await dead.execute()).toEqual([])
    },
  },
  {
    id: 'channel-named-early',
    title: {
      en: 'A channel is named before the app is in it, or loses it: its cards come once the app is invited',
      es: 'Se nombra un canal antes de que la aplicación esté en él, o la pierde: sus tarjetas llegan al invitarla',
    },
    async run(stage) {
      const { arrive, world, zendesk, until, quiet, hub, posted, cardIn } = stage
      world.keepOut('early')
      await arrive('Too early', { change: { addTags: ['early'] } })
      await quiet()
      await arrive('Still too early', { change: { addTags: ['early'] } })
      await quiet()
      expect(cardIn('early', 'early')).toBeUndefined()
      await world.invite('early')
      await quiet()
      const one = await arrive('In time', { change: { addTags: ['early'] } })
      const card = await posted('early', 'In time')
      await quiet()
      await world.putOut('early')
      await quiet()
      await zendesk.agentChanges(one.ticketId, { priority: 'high' })
      await quiet()
      await world.invite('early')
      await quiet()
      await zendesk.agentChanges(one.ticketId, { priority: 'urgent' })
      await until('its card to follow', () => cardIn('early', 'In time')?.text.includes('Urgent'))
      expect(cardIn('early', 'In time')?.id).toBe(card.id)
      await arrive('In time again', { change: { addTags: ['early'] } })
      await posted('early', 'In time again')
      expect(await statusOf(stage)).toBe('connected')
      const dead = hub.running.hub.db.selectFrom('outbox').select('error').where('state', '=', 'dead')
      expect(await dead.execute()).toEqual([])
    },
  },
  {
    id: 'token-revoked',
    title: {
      en: 'The app’s credentials are revoked: the connection asks for attention, and goes on afterwards',
      es: 'Se revocan las credenciales de la aplicación: la conexión pide atención, y después sigue',
    },
    async run(stage) {
      const { arrive, world, zendesk, until, hub, ids, later } = stage
      const one = await arrive('Locked out')
      const restore = world.revoke()
      await zendesk.agentChanges(one.ticketId, { priority: 'high' })
      await until('the connection to ask for attention', async () => {
        await later()
        return (await statusOf(stage)) === 'needs_attention'
      })
      const calls = world.calls()
      await zendesk.agentChanges(one.ticketId, { priority: 'urgent' })
      await zendesk.webhooks.settled()
      await later()
      expect(world.calls()).toBe(calls)
      restore()
      await hub.api('PATCH', `/connections/${ids.chat}`, { status: 'connected' })
      await later()
      await until('the card to follow', () => one.card().text.includes('Urgent'))
    },
  },
] as const satisfies readonly ChatFunction[]
