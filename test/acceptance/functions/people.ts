/** Who may act, under which name, and who is asked or told what. */
import { expect } from 'vitest'
import { acts } from '#hub/workbench/index.ts'
import type { ChatFunction } from '../chat-function.ts'
import type { Stage } from '../stage.ts'
import type { Person } from '../world.ts'

/** They are told why in private, and nothing changes. */
async function isRefused(stage: Stage, person: Person, title: string): Promise<void> {
  const { arrive, world, shows, quiet } = stage
  const one = await arrive(`Untouched by ${person}`)
  await shows(person, title, () => world.press(person, one.card(), acts.priority, 'urgent'))
  await world.write(person, { thread: one.card() }, 'psst')
  await world.react(person, one.card(), 'resolve')
  await quiet()
  expect(one.ticket()).toMatchObject({ priority: null, status: 'new' })
  expect(one.ticket().comments).toHaveLength(1)
}

async function agentId({ hub, world }: Stage, person: Person): Promise<string> {
  const { data } = (await hub.api('GET', '/agents')) as { data: readonly { id: string; email: string }[] }
  return data.find(({ email }) => email === world.who(person).email)?.id ?? ''
}

export const identity = [
  {
    id: 'no-seat',
    title: {
      en: 'Without a seat: a clear private answer, and a claim that an administrator confirms',
      es: 'Sin puesto: una respuesta clara en privado, y una solicitud que confirma un administrador',
    },
    async run(stage) {
      const { arrive, world, until, shows, hub } = stage
      await isRefused(stage, 'nia', 'You have no seat here yet')
      const one = await arrive('Claimed')
      const refusal = await shows('nia', 'You have no seat here yet', () =>
        world.press('nia', one.card(), acts.takeCase),
      )
      await shows('nia', 'An administrator confirms it before you can act on cases.', () =>
        world.press('nia', refusal, acts.claimSeatForm),
      )
      await world.submit('nia', { email: 'nia' })
      await until('what is wrong', () => world.dialog('nia')?.text.includes('This is not an e-mail address.'))
      await world.submit('nia', { email: 'nia@desk.example' })
      const claim = await until('the claim', async () => {
        const { data } = (await hub.api('GET', '/seat-claims')) as {
          data: readonly { id: string; claimed_email: string }[]
        }
        return data.find(({ claimed_email }) => claimed_email === 'nia@desk.example')
      })
      await hub.api('POST', '/agents', { email: 'nia@desk.example', name: 'Nia New' })
      await hub.api('POST', `/seat-claims/${encodeURIComponent(claim.id)}/confirm`, {})
      const next = await arrive('Claimed, then done')
      await world.press('nia', next.card(), acts.priority, 'high')
      await until('her act', () => next.ticket().priority === 'high')
    },
  },
  {
    id: 'guests',
    title: { en: 'Guests, strangers and bots cannot act', es: 'Invitados, ajenos y bots no pueden actuar' },
    async run(stage) {
      const { arrive, world, quiet } = stage
      await isRefused(stage, 'gus', 'Guests cannot act on cases')
      const one = await arrive('Untouched by bots')
      await world.botWrites({ thread: one.card() }, 'I am a bot')
      await quiet()
      expect(one.ticket().comments).toHaveLength(1)
    },
  },
  {
    id: 'viewers',
    title: { en: 'Viewers look and cannot act', es: 'Quien solo observa no puede actuar' },
    run: (stage) => isRefused(stage, 'vic', 'You may look, not act'),
  },
  {
    id: 'names',
    title: {
      en: 'What agents do and say bears their name in the desk',
      es: 'Lo que hacen y dicen los agentes lleva su nombre en la mesa de ayuda',
    },
    async run({ arrive, world, until, zendesk }) {
      const one = await arrive('Signed')
      for (const person of ['leo', 'eva'] as const) await world.write(person, { thread: one.card() }, `Says ${person}`)
      for (const person of ['leo', 'eva'] as const) {
        const { authorId } = await until('the note', () => one.comment(`Says ${person}`))
        expect(zendesk.desk.users.get(authorId)?.name).toBe(world.who(person).name)
      }
    },
  },
] as const satisfies readonly ChatFunction[]

export const asks = [
  {
    id: 'approval',
    title: {
      en: 'Approvals that a rule asks for, approved or rejected, written back',
      es: 'Aprobaciones que pide una regla, concedidas o denegadas, con constancia en el caso',
    },
    async run({ arrive, rule, world, until, cardIn, quiet }) {
      const to = world.room('onRule')
      await rule({
        id: 'ask-refund',
        name: 'Refunds are approved',
        on: ['case.created'],
        if: { field: 'case.subject', contains: 'Refund' },
        then: [{ approval: { connection: 'Chat', to, question: '{{ case.subject }}, 90 euros?' } }],
      })
      await rule({ id: 'granted', on: ['approval.approved'], then: [{ tag: { add: ['granted'] } }] })
      const one = await arrive('Refund Ana')
      const asked = await until('the question', () => cardIn('onRule', 'Refund Ana, 90 euros?'))
      expect(asked.text).toContain('Refunds are approved')
      await world.press('leo', asked, acts.approve)
      await world.press('eva', asked, acts.reject).catch(() => undefined)
      const told = `Approved by ${world.who('leo').name}`
      const note = await until('the note', () => one.comment(`${told}: Refund Ana, 90 euros?`))
      expect(note.isPublic).toBe(false)
      await until('the tag', () => one.ticket().tags.includes('granted'))
      await until('the card to say so', () => cardIn('onRule', 'Refund Ana, 90 euros?')?.text.includes(told))
      await quiet()
      expect(one.comment('Rejected')).toBeUndefined()
      const other = await arrive('Refund Bo')
      const second = await until('the question', () => cardIn('onRule', 'Refund Bo, 90 euros?'))
      await world.press('eva', second, acts.reject)
      await until('the note', () => other.comment(`Rejected by ${world.who('eva').name}: Refund Bo, 90 euros?`))
      await quiet()
      expect(other.ticket().tags).toEqual([])
    },
  },
  {
    id: 'notice',
    title: {
      en: 'Agents are told when a case becomes theirs and when its customer writes',
      es: 'Se avisa al agente cuando un caso pasa a ser suyo y cuando escribe su cliente',
    },
    async run({ arrive, world, zendesk, until, shows }) {
      await world.openHome('eva')
      await until('her page', () => world.home('eva'))
      const one = await arrive('Told about', { from: 'told@customer.example' })
      const eva = zendesk.desk.userByEmail(world.who('eva').email)
      await shows('eva', 'A case is yours now', () =>
        zendesk.agentChanges(one.ticketId, { assigneeId: eva?.id ?? null }),
      )
      const said = await shows('eva', 'Any news?', () =>
        zendesk.customerWrites({ from: 'told@customer.example', ticketId: one.ticketId, text: 'Any news?' }),
      )
      expect(said.text).toContain('The customer wrote')
    },
  },
  {
    id: 'quiet-hours',
    title: {
      en: 'Quiet hours: what is not urgent waits until they are over',
      es: 'Horas de descanso: lo que no urge espera a que terminen',
    },
    async run(stage) {
      const { arrive, world, zendesk, until, shows, hub, later } = stage
      await world.openHome('eva')
      await until('her page', () => world.home('eva'))
      const clock = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString().slice(11, 16)
      const quiet_hours = { from: clock(-2), to: clock(2), time_zone: 'UTC' }
      await hub.api('PATCH', `/agents/${await agentId(stage, 'eva')}`, { quiet_hours })
      const assigneeId = zendesk.desk.userByEmail(world.who('eva').email)?.id ?? null
      const hot = await arrive('Urgent at night', { change: { priority: 'urgent' } })
      const calm = await arrive('Calm at night')
      const { db } = hub.running.hub
      await zendesk.agentChanges(calm.ticketId, { assigneeId })
      await until('word of it to wait', async () => {
        const waiting = db.selectFrom('outbox').select('due_at').where('state', '=', 'pending')
        return (await waiting.where('case_id', '=', calm.id).execute()).some(({ due_at }) => due_at > new Date())
      })
      await shows('eva', 'Urgent at night', () => zendesk.agentChanges(hot.ticketId, { assigneeId }))
      expect(world.told('eva').some(({ text }) => text.includes('Calm at night'))).toBe(false)
      await shows('eva', 'Calm at night', () => later())
      await hub.api('PATCH', `/agents/${await agentId(stage, 'eva')}`, { quiet_hours: null })
    },
  },
] as const satisfies readonly ChatFunction[]
