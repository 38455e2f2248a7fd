/** Microsoft Teams as its people use it, on the sandbox. */
import { type Dialog, startSandbox } from '../../connectors/teams/sandbox.ts'
import { buttonOfAct, cardOf, nodes } from '../../connectors/teams/sandbox-cards.ts'
import {
  type Json,
  person as personNamed,
  people as residents,
  type SandboxChannel,
  type SandboxMessage,
  type SandboxPerson,
} from '../../connectors/teams/sandbox-world.ts'
import { linesOf } from './visible-text.ts'
import { type ChatWorld, type Person, type Room, rooms, type Seen, type Where } from './world.ts'

const shownKeys = ['text', 'title', 'label', 'value', 'placeholder', 'altText'] as const
/** What a card carries and does not show. */
const carried = ['data', 'msteams', 'speak', 'fallbackText', 'id', 'verb']
const emoji = { take: 'like', resolve: 'heart' } as const

export async function startTeamsWorld(): Promise<ChatWorld> {
  const sandbox = await startSandbox()
  const { world } = sandbox
  const colleague = (number: number, name: string, email: string, more: Partial<SandboxPerson> = {}) =>
    world.addPerson(personNamed(number, name, email, more))
  const { rita, gus } = residents
  const persons: Readonly<Record<Person, SandboxPerson>> = {
    leo: colleague(5, 'Leo Ruiz', 'leo@acme.example'),
    eva: colleague(6, 'Eva Lang', 'eva@acme.example'),
    vic: colleague(7, 'Vic Watts', 'vic@acme.example'),
    nia: colleague(8, 'Nia New', 'nia@acme.example'),
    gus,
    ana: rita,
    bo: colleague(9, 'Bo Berg', 'bo@globex.example', { tenantId: rita.tenantId }),
  }
  const members = Object.values(persons)
  const channelsByRoom = new Map(
    Object.keys(rooms).map((room, index) => {
      const id = `19:${String(index).padStart(32, 'a')}@thread.tacv2`
      return [room, world.addChannel({ id, name: room, kind: 'channel', members })]
    }),
  )
  const channelOf = (room: Room): SandboxChannel => {
    const found = channelsByRoom.get(room)
    if (found) return found
    throw new Error(`no room ${room} in Teams`)
  }

  const dialogs = new Map<Person, Dialog>()
  /** Lines that passed, and cards that only the one who pressed has seen. */
  const passed = new Map<Person, Seen[]>()
  /** The tab, as the hub draws it. */
  const homes = new Map<Person, string>()
  let hub = ''

  const lineOf = (message: SandboxMessage, by: SandboxPerson): Seen => ({
    id: message.id,
    text: [message.author?.name ?? '', teamsText(message.views.get(by.id) ?? contentOf(message.activity))].join('\n'),
  })
  const messageOf = ({ id }: Seen): SandboxMessage => world.message(id.split('#', 1)[0] ?? '')
  const there = (channel: SandboxChannel) =>
    world.messages.filter((message) => message.channel.id === channel.id && !message.isDeleted)
  const place = (where: Where) => (typeof where === 'string' ? channelOf(where) : { reply: messageOf(where.thread) })

  function sees(person: Person, on: string, answered: Awaited<ReturnType<typeof sandbox.press>>): void {
    const { dialog, view, text } = answered
    if (dialog) dialogs.set(person, dialog)
    const shown = text ?? (view && teamsText(view))
    if (shown === undefined) return
    const before = passed.get(person) ?? []
    passed.set(person, [...before, { id: `${on}#${before.length}`, text: shown }])
  }
  const write: ChatWorld['write'] = async (person, where, text, given = []) => {
    return lineOf(await sandbox.write(persons[person], place(where), { text, files: given }), persons[person])
  }
  /** What the page in the tab asks of the hub, with the token that Teams gives to it. */
  async function look(person: Person, wanted: Json = {}): Promise<string> {
    const response = await fetch(`${hub}/home/teams`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${sandbox.pageToken(persons[person])}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify(wanted),
    })
    return String(recordOf(await response.json())['html'])
  }
  async function pressOnPage(person: Person, act: string): Promise<void> {
    const button = new RegExp(`data-act="${act.replaceAll('.', '\\.')}" data-value="([^"]*)"`)
    const value = button.exec(homes.get(person) ?? '')?.[1]
    if (value === undefined) throw new Error(`"${act}" cannot be pressed on the page in Teams`)
    const text = htmlText(await look(person, { act, value }))
    const before = passed.get(person) ?? []
    passed.set(person, [...before, { id: `home#${before.length}`, text }])
  }
  async function sends(person: Person, fields: Readonly<Record<string, string>>, label?: string): Promise<void> {
    const dialog = dialogs.get(person)
    if (!dialog) throw new Error(`${person} has no dialog open in Teams`)
    dialogs.delete(person)
    sees(person, dialog.where.on ?? '', await sandbox.submit(dialog, fields, label))
  }

  return {
    tool: 'teams',
    hosts: [sandbox.url],
    config: {
      ...sandbox.config,
      channels: Object.entries(rooms).map(([room, settings]) => ({ channel: channelOf(room as Room).id, ...settings })),
      reactions: Object.fromEntries(Object.entries(emoji).map(([act, name]) => [name, act])),
    },
    webhooks: sandbox.webhooks,
    connect(webhook) {
      hub = new URL(webhook.url).origin
      sandbox.connect(webhook)
    },
    async close() {
      await sandbox.close()
    },
    who: (person) => persons[person],
    room: (room) => channelOf(room).id,

    sees: (person, room) =>
      there(channelOf(room))
        .filter(({ id, thread }) => thread === id)
        .map((message) => lineOf(message, persons[person])),
    thread(person, on) {
      const head = messageOf(on)
      return there(head.channel)
        .filter(({ id, thread }) => thread === head.thread && id !== head.thread)
        .map((message) => lineOf(message, persons[person]))
    },
    filesIn: (on) =>
      there(messageOf(on).channel)
        .filter(({ thread }) => thread === messageOf(on).thread)
        .flatMap(({ activity, attached }) => [
          ...attached.map(({ contentUrl }) => contentUrl),
          ...linesOf(contentOf(activity), ['url']),
          ...[...String(activity['text'] ?? '').matchAll(/<a href="([^"]*)">/g)].map(([, url = '']) => unescaped(url)),
        ])
        .flatMap((url) => world.files.at(url) ?? [])
        .map(({ name, content }) => ({ name, content: content.toString() })),
    links: (_person, on) => linesOf(contentOf(messageOf(on).activity), ['url']),
    told: (person) => [
      ...(passed.get(person) ?? []),
      ...there(world.personal(persons[person]))
        .filter(({ author }) => author === undefined)
        .map((message) => lineOf(message, persons[person])),
    ],
    dialog(person) {
      const dialog = dialogs.get(person)
      return dialog && { id: 'dialog', text: `${dialog.title}\n${teamsText(dialog.card)}` }
    },
    closeDialogs: (person) => void dialogs.delete(person),
    home(person) {
      const page = homes.get(person)
      return page === undefined ? undefined : { id: 'home', text: htmlText(page) }
    },
    async openHome(person) {
      homes.set(person, await look(person))
    },

    write,
    async writeTwice(person, where, text) {
      return lineOf(await sandbox.write(persons[person], place(where), text, { duplicate: true }), persons[person])
    },
    async edit(message, text) {
      await sandbox.edit(messageOf(message), text)
    },
    async remove(message) {
      await sandbox.delete(messageOf(message))
    },
    async react(person, message, wants) {
      await sandbox.react(persons[person], messageOf(message), emoji[wants])
    },
    async mention(person, where, text) {
      await sandbox.write(persons[person], place(where), { text, mentionsBot: true })
    },
    async command(person, text) {
      await sandbox.tell(persons[person], text)
    },
    async press(person, on, act, chosen) {
      const by = persons[person]
      if (on.id === 'home') return await pressOnPage(person, act)
      const dialog = dialogs.get(person)
      if (on.id === 'dialog') return await sends(person, {}, dialog && buttonOfAct(dialog.card, act).title)
      const message = messageOf(on)
      const card = message.views.get(by.id) ?? cardOf(message.activity)
      if (chosen === undefined) return sees(person, message.id, await sandbox.press(by, message, { act }))
      const { label, option } = listOf(card, act, chosen)
      sees(person, message.id, await sandbox.choose(by, message, label, option))
    },
    submit: (person, fields) => sends(person, fields),
    async shortcut(person, on, name) {
      const command = { create_case: 'createCase', public_reply: 'publicReply' }[name]
      sees(person, messageOf(on).id, await sandbox.share(persons[person], messageOf(on), command))
    },
    search: async (person, text) => teamsText((await sandbox.search(persons[person], text)).body),
    paste: async (person, room, url) => teamsText((await sandbox.paste(persons[person], channelOf(room), url)).body),

    async botWrites(where, text) {
      const target = place(where)
      const channel = 'reply' in target ? target.reply.channel : target
      const thread = 'reply' in target ? target.reply.thread : undefined
      const conversation = { id: thread === undefined ? channel.id : `${channel.id};messageid=${thread}` }
      const from = { id: '28:another-app', name: 'Robot' }
      const activity = sandbox.activity(text)
      const held = { ...recordOf(activity['conversation']), ...conversation }
      await sandbox.send({ ...activity, from, conversation: held })
    },
    async closeRoom(room) {
      await sandbox.uninstall(channelOf(room))
    },
    keepOut: (room) => void world.gone.set(channelOf(room).id, 'BotNotInConversationRoster'),
    putOut: () => sandbox.changeTeam('teamMemberRemoved'),
    invite: () => sandbox.changeTeam('teamMemberAdded'),
    revoke() {
      sandbox.faults.set({ failRate: 1, status: 401 })
      return () => sandbox.faults.set({})
    },
    calls: () => sandbox.requests.length,
  }

  /** The list that this act hangs on, and what is to be chosen in it. */
  function listOf(card: unknown, act: string, chosen: string) {
    const isFor = (node: Json) => {
      try {
        return node['type'] === 'ColumnSet' && buttonOfAct(node, act) !== undefined
      } catch {
        return false
      }
    }
    const input = nodes(nodes(card).find(isFor)).find(({ type }) => type === 'Input.ChoiceSet')
    if (!input) throw new Error(`no list for "${act}" is there in Teams`)
    const offered = nodes(input['choices']).find(({ value }) => value === chosen)
    if (!offered) throw new Error(`"${act}" does not offer "${chosen}" in Teams`)
    return { label: String(input['label']), option: String(offered['title']) }
  }
}

const recordOf = (value: unknown): Json => (typeof value === 'object' && value !== null ? { ...value } : {})

function contentOf({ text, attachments }: Json): unknown {
  const shown = Array.isArray(attachments)
    ? attachments.map((one: Json) => one['content'] ?? { text: one['name'] })
    : []
  return [...(typeof text === 'string' ? [{ text }] : []), ...shown]
}

/** Each text of a page on a line of its own. */
function htmlText(page: string): string {
  const lines = page.split(/<[^>]*>/).map((line) => line.trim())
  return unescaped(lines.filter((line) => line !== '').join('\n'))
}

const unescaped = (text: string) =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')

/** Markdown and HTML as people see them. */
function teamsText(card: unknown): string {
  return linesOf(card, shownKeys, carried)
    .map((line) => unescaped(line.replaceAll(/<\/?[a-z][^>]*>/gi, '').replaceAll(/\\([^\w\s])/g, '$1')))
    .join('\n')
}
