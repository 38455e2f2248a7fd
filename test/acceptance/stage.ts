/** A hub with two desks and one chat tool, and what every function needs to begin: cases that arrive, answers that are seen. */
import { sql } from 'kysely'
import { createAgent, WrittenAgent } from '#hub/agents/index.ts'
import type { TestDatabase } from '#kit'
import { startTestHub, type TestHub } from '#kit/hub.ts'
import { type LegacyDeskSandbox, startSandbox as startLegacy } from '../../connectors/desk/sandbox.ts'
import { startSandbox as startZendesk, type ZendeskSandbox } from '../../connectors/zendesk/sandbox.ts'
import type { DeskTicket, TicketPatch } from '../../connectors/zendesk/sandbox-desk.ts'
import type { ChatWorld, Person, Room, Seen } from './world.ts'

export interface Stage {
  readonly world: ChatWorld
  readonly hub: TestHub
  readonly zendesk: ZendeskSandbox
  readonly legacy: LegacyDeskSandbox
  readonly ids: Readonly<Record<'zendesk' | 'legacy' | 'chat', string>>
  /** Looks again until it is there. */
  until<T>(what: string, find: () => T | undefined | false | Promise<T | undefined | false>): Promise<T>
  /** Everything that was on its way has arrived. */
  quiet(): Promise<void>
  /** What waits for its time or for its next attempt is due now. */
  later(): Promise<void>
  /** A customer writes to Zendesk, and the card stands in the agents' channel. */
  arrive(subject: string, given?: Arriving): Promise<ArrivedCase>
  /** Waits until a card about this stands in a room, and the hub knows where. */
  posted(room: Room, words: string): Promise<Seen>
  /** What stands in a room about this: the newest. */
  cardIn(room: Room, words: string, person?: Person): Seen | undefined
  /** Does it, and waits until the person alone is shown something with these words: a line, a card, a dialog. */
  shows(person: Person, words: string, work: () => Promise<unknown>): Promise<Seen>
  rule(rule: { readonly id: string } & Readonly<Record<string, unknown>>): Promise<void>
  close(): Promise<void>
}

interface Arriving {
  readonly text?: string
  readonly from?: string
  readonly name?: string
  readonly change?: TicketPatch
  /** Where its card is looked for; `cases` when absent. */
  readonly room?: Room
}

export interface ArrivedCase {
  readonly id: string
  readonly ticketId: string
  readonly subject: string
  /** As it is now. */
  ticket(): DeskTicket
  /** The card, as it is now. */
  card(): Seen
  /** A comment with these words. */
  comment(words: string): DeskTicket['comments'][number] | undefined
}

const hired: readonly (readonly [Person, object])[] = [
  ['leo', { role: 'lead' }],
  ['eva', { language: 'en' }],
  ['vic', { role: 'viewer' }],
]

export async function openStage(database: TestDatabase, startWorld: () => Promise<ChatWorld>): Promise<Stage> {
  const [world, zendesk, legacy] = await Promise.all([
    startWorld(),
    startZendesk({ keepBackSeconds: 0 }),
    startLegacy(),
  ])
  const hub = await startTestHub(database, { hosts: [...world.hosts, zendesk.url, legacy.url] })
  for (const [person, more] of hired) {
    const { name, email } = world.who(person)
    await createAgent(hub.running.hub.db, WrittenAgent.parse({ name, email, ...more }), new Date())
    if (person !== 'vic') await zendesk.createUser({ name, email, role: 'agent' })
  }
  const ids = {
    zendesk: await hub.connect('zendesk', 'Zendesk', zendesk),
    legacy: await hub.connect('desk', 'Legacy desk', legacy),
    chat: await hub.connect(world.tool, 'Chat', world),
  }
  const until: Stage['until'] = (what, find) => hub.until(`${what} (${world.tool})`, async () => await find())
  const cardIn: Stage['cardIn'] = (room, words, person = 'leo') =>
    world.sees(person, room).findLast(({ text }) => text.includes(words))

  const posted: Stage['posted'] = (room, words) =>
    until(`a card about "${words}" in ${room}`, async () => {
      const card = cardIn(room, words)
      // A person takes longer to answer than the hub to note where its card stands.
      const posts = await hub.running.hub.db.selectFrom('chat_posts').select('message_id').execute()
      return posts.some(({ message_id: id }) => card?.id.endsWith(id)) && card
    })

  return {
    ...{ posted, world, hub, zendesk, legacy, ids, until, cardIn },
    async quiet() {
      await Promise.all([world.webhooks.settled(), zendesk.webhooks.settled(), legacy.webhooks.settled()])
      await hub.settled()
      // What the hub wrote came back as news.
      await Promise.all([zendesk.webhooks.settled(), legacy.webhooks.settled()])
      await hub.settled()
    },
    async later() {
      await sql`
        with waiting as (
          select seq from outbox where state = 'pending' and lease_until is null for update skip locked)
        update outbox set due_at = now() where seq in (select seq from waiting)`.execute(hub.running.hub.db)
    },
    async arrive(subject, { text = `About ${subject}`, from, name = 'Ana García', change, room = 'cases' } = {}) {
      const address = from ?? `${subject.toLowerCase().replaceAll(/\W+/g, '-')}@customer.example`
      const ticketId = await zendesk.customerWrites({ from: address, name, subject, text })
      if (change) await zendesk.agentChanges(ticketId, change)
      const { id: cardId } = await posted(room, subject)
      const id = await until('the case', async () => {
        const query = `/cases?link=${encodeURIComponent(`${ids.zendesk}:${ticketId}`)}`
        const { data } = (await hub.api('GET', query)) as { data: readonly { id: string }[] }
        return data[0]?.id
      })
      const ticket = () => zendesk.desk.ticket(ticketId)
      return {
        ...{ id, ticketId, subject, ticket },
        card() {
          const card = world.sees('leo', room).find((seen) => seen.id === cardId)
          if (card) return card
          throw new Error(`the card of "${subject}" is gone`)
        },
        comment: (words) => ticket().comments.find(({ body }) => body.includes(words)),
      }
    },
    async shows(person, words, work) {
      world.closeDialogs(person)
      const looks = ({ id, text }: Seen) => `${id} ${text}`
      const before = new Set(world.told(person).map(looks))
      await work()
      return await until(`"${words}" before ${person}`, () => {
        const news = world.told(person).filter((one) => !before.has(looks(one)))
        return [...news, world.dialog(person)].find((one) => one?.text.includes(words))
      })
    },
    async rule(rule) {
      await hub.api('PUT', `/rules/${rule.id}`, { name: rule.id, mode: 'on', ...rule })
    },
    async close() {
      await hub.stop()
      await Promise.all([world.close(), zendesk.close(), legacy.close()])
    },
  }
}
