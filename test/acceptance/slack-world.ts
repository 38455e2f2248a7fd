/** Slack as its people use it, on the sandbox. */
import { z } from 'zod'
import { startSandbox } from '../../connectors/slack/sandbox.ts'
import type { SlackChannel, SlackMessage, SlackUser, SlackView } from '../../connectors/slack/sandbox-world.ts'
import { textOf } from '../../connectors/slack/text-of.ts'
import { linesOf } from './visible-text.ts'
import { type ChatWorld, type Person, type Room, rooms, type Seen, type Where } from './world.ts'

/** What Slack's blocks show; `text` is looked into wherever it stands. */
const shownKeys = ['text', 'label', 'title', 'hint', 'placeholder', 'initial_value', 'confirm', 'deny'] as const

export async function startSlackWorld(): Promise<ChatWorld> {
  const sandbox = await startSandbox()
  const { world, users, channels } = sandbox
  const { teamId } = users.leo
  const colleague = (id: string, name: string) =>
    world.addUser({ id, teamId, name, kind: 'member', email: `${name.split(' ')[0]?.toLowerCase()}@acme.example` })
  const persons: Readonly<Record<Person, SlackUser>> = {
    ...users,
    vic: colleague('U0VIC', 'Vic Watts'),
    nia: colleague('U0NIA', 'Nia New'),
    bo: world.addUser({ id: 'U0BO', teamId: users.ana.teamId, name: 'Bo Berg', kind: 'stranger' }),
  }
  const known: Readonly<Partial<Record<Room, SlackChannel>>> = { cases: channels.cases, shared: channels.shared }
  const channelOf = (room: Room): SlackChannel =>
    known[room] ??
    world.channels.get(`C0${room.toUpperCase()}`) ??
    world.addChannel({ id: `C0${room.toUpperCase()}`, teamId, name: room.toLowerCase() })
  for (const room of Object.keys(rooms)) channelOf(room as Room)

  const pageOf = (view: SlackView): Seen => ({ id: `view:${view.id}`, text: slackText(view.view) })
  const lineOf = (message: SlackMessage): Seen => ({
    id: `${message.channel} ${message.ts}`,
    text: [
      message.username ?? world.users.get(message.user)?.name ?? '',
      message.blocks.length > 0 ? slackText(message.blocks) : textOf(message.text),
      ...message.files.map(({ name }) => name),
    ].join('\n'),
  })
  const seenBy = (channel: SlackChannel, user: SlackUser) =>
    channel.messages.filter(({ isDeleted, onlyFor }) => !isDeleted && (onlyFor === undefined || onlyFor === user.id))

  function messageOf({ id }: Seen): SlackMessage {
    const [channel = '', ts = ''] = id.split(' ')
    const found = world.message(channel, ts)
    if (found) return found
    throw new Error(`no message ${id} in Slack`)
  }
  function viewOf({ id }: Seen): SlackView | undefined {
    const views = [...[...world.dialogs.values()].flat(), ...world.homes.values()]
    return views.find((view) => `view:${view.id}` === id)
  }
  function place(where: Where) {
    if (typeof where === 'string') return { channel: channelOf(where) }
    const thread = messageOf(where.thread)
    const channel = world.channels.get(thread.channel)
    if (!channel) throw new Error(`no channel ${thread.channel} in Slack`)
    return { channel, thread }
  }
  async function appears<T>(what: string, find: () => T | undefined): Promise<T> {
    const deadline = performance.now() + 10_000
    while (performance.now() < deadline) {
      const found = find()
      if (found !== undefined) return found
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    throw new Error(`waited 10 s in vain for ${what} in Slack`)
  }
  const say: ChatWorld['write'] = async (person, where, text, files = []) => {
    const added = files.map(({ name, content }) => world.addFile(name, 'text/plain', Buffer.from(content)))
    return lineOf(await sandbox.say(persons[person], place(where), text, added.length > 0 ? { files: added } : {}))
  }
  /** What is wrong stands beside the fields until the dialog is sent again. */
  const errors = new Map<string, readonly string[]>()
  const dialog = (person: Person): Seen | undefined => {
    const view = world.dialogOf(persons[person].id)
    if (!view) return undefined
    const { id, text } = pageOf(view)
    return { id, text: [text, ...(errors.get(view.id) ?? [])].join('\n') }
  }
  const submit: ChatWorld['submit'] = async (person, fields) => {
    const view = world.dialogOf(persons[person].id)
    const { body } = await sandbox.submit(persons[person], fields)
    const said = Errors.safeParse(body === '' ? {} : JSON.parse(body)).data
    if (view) errors.set(view.id, Object.values(said?.errors ?? {}))
  }

  return {
    tool: 'slack',
    hosts: [sandbox.url],
    config: {
      ...sandbox.config,
      channels: Object.entries(rooms).map(([room, settings]) => ({ channel: channelOf(room as Room).id, ...settings })),
    },
    webhooks: sandbox.webhooks,
    connect: sandbox.connect,
    close: sandbox.close,
    who: (person) => ({ ...persons[person], email: persons[person].email ?? '' }),
    room: (room) => channelOf(room).id,

    sees: (person, room) =>
      seenBy(channelOf(room), persons[person])
        .filter(({ thread_ts, onlyFor }) => thread_ts === undefined && onlyFor === undefined)
        .map(lineOf),
    thread(person, on) {
      const { channel, thread } = place({ thread: on })
      return thread
        ? seenBy(channel, persons[person])
            .filter(({ thread_ts }) => thread_ts === thread.ts)
            .map(lineOf)
        : []
    },
    filesIn(on) {
      const { channel, thread } = place({ thread: on })
      return channel.messages
        .filter((message) => message === thread || message.thread_ts === thread?.ts)
        .flatMap(({ files }) => files.map(({ name, content }) => ({ name, content: content.toString() })))
    },
    links: (_person, on) => linesOf(messageOf(on).blocks, ['url']),
    told(person) {
      const { id } = persons[person]
      return [...world.channels.values()]
        .flatMap((channel) =>
          channel.messages.filter(
            ({ isDeleted, onlyFor, user }) => !isDeleted && (onlyFor === id || (channel.user === id && user !== id)),
          ),
        )
        .toSorted((a, b) => Number(a.ts) - Number(b.ts))
        .map(lineOf)
    },
    dialog,
    closeDialogs: (person) => void world.dialogs.delete(persons[person].id),
    home(person) {
      const view = world.homes.get(persons[person].id)
      return view && pageOf(view)
    },
    openHome: (person) => sandbox.openHome(persons[person]),

    write: say,
    async writeTwice(person, where, text) {
      return lineOf(await sandbox.say(persons[person], place(where), text, {}, { duplicate: true }))
    },
    edit: (message, text) => sandbox.edit(messageOf(message), text),
    remove: (message) => sandbox.remove(messageOf(message)),
    react: (person, message, wants) =>
      sandbox.react(persons[person], messageOf(message), { take: 'eyes', resolve: 'white_check_mark' }[wants]),
    async mention(person, where, text) {
      await say(person, where, `<@${world.teams.get(teamId)?.botUser}> ${text}`)
    },
    async command(person, text) {
      await sandbox.command(persons[person], channelOf('cases'), text)
    },
    async press(person, on, act, chosen) {
      const view = viewOf(on)
      if (view) await sandbox.pressIn(persons[person], view, act, chosen)
      else await sandbox.press(persons[person], messageOf(on), act, chosen)
    },
    submit,
    async shortcut(person, on, name) {
      await sandbox.messageShortcut(persons[person], messageOf(on), name)
    },
    async search(person, text) {
      world.dialogs.delete(persons[person].id)
      await sandbox.shortcut(persons[person], 'find_case')
      await appears('the search', () => dialog(person))
      await submit(person, { text })
      return dialog(person)?.text ?? ''
    },
    async paste(person, room, url) {
      const before = world.unfurls.length
      await sandbox.shareLink(persons[person], { channel: channelOf(room) }, url)
      return slackText(await appears('what unfolds', () => world.unfurls[before]))
    },

    async botWrites(where, text) {
      await sandbox.say(users.robot, place(where), text)
    },
    closeRoom: (room) => sandbox.archive(channelOf(room)),
    keepOut(room) {
      channelOf(room).hasApp = false
    },
    putOut: (room) => sandbox.kick(users.leo, channelOf(room)),
    invite: (room) => sandbox.invite(users.leo, channelOf(room)),
    revoke() {
      const good = [...world.tokens.values()].filter(({ isRevoked }) => !isRevoked)
      for (const token of good) token.isRevoked = true
      return () => {
        for (const token of good) token.isRevoked = false
      }
    },
    calls: () => sandbox.requests.length,
  }
}

const Errors = z.object({ errors: z.record(z.string(), z.string()).optional() })

/** mrkdwn as people see it. */
function slackText(blocks: unknown): string {
  return linesOf(blocks, shownKeys)
    .map((line) => textOf(line).replaceAll(/(?<![\w*])\*(?=\S)([^*\n]+)\*(?!\w)/g, '$1'))
    .join('\n')
}
