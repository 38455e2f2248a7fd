/**
 * A chat tool as the people in it use it: they write, press what was really posted, send the dialog that is really open, and
 * see text. Both tools implement all of it, so what an agent can do is written once and runs in each.
 */
import type { ChatChannel } from '#hub/connector/chat.ts'
import type { Hook, VendorSandbox } from '#hub/connector/sandbox.ts'

/** Leo and Eva are agents, Vic only looks, Nia has no seat, Gus is a guest; Ana is a customer, Bo her colleague. */
export const people = ['leo', 'eva', 'vic', 'nia', 'gus', 'ana', 'bo'] as const
export type Person = (typeof people)[number]

/** What each room is for. In `private` only cases of one person are posted, and it is closed in the end. */
export const rooms = {
  cases: { for: 'cases', post: 'arrival' },
  urgent: { for: 'cases', post: 'arrival', when: { priorities: ['urgent'] } },
  billing: { for: 'cases', post: 'arrival', when: { teams: ['Billing'] } },
  legacy: { for: 'cases', post: 'arrival', when: { connections: ['Legacy desk'] } },
  globex: { for: 'cases', post: 'arrival', when: { customers: ['globex.example'] } },
  onRule: { for: 'cases', post: 'rule' },
  closing: { for: 'cases', post: 'arrival', when: { tags: ['closing'] } },
  early: { for: 'cases', post: 'arrival', when: { tags: ['early'] } },
  shared: { for: 'customer', post: 'arrival', company: 'Globex' },
} as const satisfies Record<string, Omit<ChatChannel, 'channel'>>
export type Room = keyof typeof rooms

/** Something that somebody sees: a message, a card, a dialog, a page. */
export interface Seen {
  readonly id: string
  /** All visible text, in lines: labels, values, what is written on buttons and stands in fields. */
  readonly text: string
}

export interface ChatFile {
  readonly name: string
  readonly content: string
}

export type Where = Room | { readonly thread: Seen }

export interface ChatWorld {
  /** The connector's id. */
  readonly tool: string
  /** Where the hub calls. */
  readonly hosts: readonly string[]
  /** Of a connection, with all rooms. */
  readonly config: object
  readonly webhooks: Pick<VendorSandbox['webhooks'], 'settled'>
  connect(hook: Hook): void
  close(): Promise<void>

  who(person: Person): { readonly id: string; readonly name: string; readonly email: string }
  /** The tool's own id of a room, as rules name it. */
  room(room: Room): string

  /** What stands in a room before this person, the oldest first; threads apart. */
  sees(person: Person, room: Room): readonly Seen[]
  thread(person: Person, on: Seen): readonly Seen[]
  /** Where the links on it lead. */
  links(person: Person, on: Seen): readonly string[]
  /** What everybody in a thread can open there, the oldest first. */
  filesIn(on: Seen): readonly ChatFile[]
  /** What was shown to this person alone outside dialogs and pages, the oldest first; their conversation with the app too. */
  told(person: Person): readonly Seen[]
  /** The dialog on top. */
  dialog(person: Person): Seen | undefined
  closeDialogs(person: Person): void
  /** Their own page of the app; opened by `openHome`. */
  home(person: Person): Seen | undefined
  openHome(person: Person): Promise<void>

  write(person: Person, where: Where, text: string, files?: readonly ChatFile[]): Promise<Seen>
  /** A line that the tool delivers more than once. */
  writeTwice(person: Person, where: Where, text: string): Promise<Seen>
  edit(message: Seen, text: string): Promise<void>
  remove(message: Seen): Promise<void>
  /** With the emoji that the settings name for it. */
  react(person: Person, message: Seen, wants: 'take' | 'resolve'): Promise<void>
  /** A mention of the app. */
  mention(person: Person, where: Where, text: string): Promise<void>
  /** A command, or a line to the app alone. */
  command(person: Person, text: string): Promise<void>
  /** @param on a message, a card, the open dialog, the page. @throws Error when this act cannot be pressed there. */
  press(person: Person, on: Seen, act: string, chosen?: string): Promise<void>
  /** Fills in the dialog on top, by the fields' names, and sends it. */
  submit(person: Person, fields: Readonly<Record<string, string>>): Promise<void>
  /** Chosen in the menu of a message. */
  shortcut(person: Person, on: Seen, name: 'create_case' | 'public_reply'): Promise<void>
  /** @returns what is found, as it is shown. */
  search(person: Person, text: string): Promise<string>
  /** Pastes a link. @returns what unfolds below it. */
  paste(person: Person, room: Room, url: string): Promise<string>

  /** Another app writes. */
  botWrites(where: Where, text: string): Promise<void>
  /** The room is archived, or the app is put out of it. */
  closeRoom(room: Room): Promise<void>
  /** The app was never in the room; the tool does not tell what it does not know. */
  keepOut(room: Room): void
  /** Somebody takes the app out again, in the same way. */
  putOut(room: Room): Promise<void>
  /** An agent brings the app there, in the tool's own way: in Slack into the room, in Teams into its whole team. */
  invite(room: Room): Promise<void>
  /** The app's credentials are no longer good; @returns what makes them so again. */
  revoke(): () => void
  /** How many calls the tool has had from the hub. */
  calls(): number
}
