/** A chat tool's connector and its sandbox: what is posted can be pressed, what is pressed is understood, what is answered is shown. */
import assert from 'node:assert/strict'
import type { Card, Form } from '#hub/connector/card.ts'
import type { ChatAnswer, ChatHappening, ChatPerson, ChatPlace } from '#hub/connector/chat.ts'
import type { Context, Receipt } from '#hub/connector/contract.ts'
import type { Observation } from '#hub/connector/facts.ts'
import { type ChatSandbox, isChatSandbox, type VendorSandbox } from '#hub/connector/sandbox.ts'
import type { Check, Subject } from './check.ts'

type Chat = NonNullable<Subject['connector']['can']['chat']>

interface Played {
  readonly chat: Chat
  readonly sandbox: ChatSandbox
  readonly ctx: Context<unknown>
  /** What was told since the last time, after everything has arrived. */
  heard(): Promise<readonly ChatHappening[]>
}

/** How a check plays: with a sandbox, a context to it, and an intake that keeps what is told. */
export type Play = (use: (sandbox: VendorSandbox, ctx: Context<unknown>, told: Told) => Promise<void>) => Promise<void>
export interface Told {
  all(): readonly Observation[]
}

const key = '7c1e0a64f2b94d0e8a35d1c2b3a49586'
const otherKey = '0d9c5f1e7a3b48260d9c5f1e7a3b4826'
const act = 'case.take'
const value = 'case_01'

export const exampleCard: Card = {
  key: 'case:case_01',
  title: 'Invoice is wrong',
  url: 'https://hub.example.com/cases/case_01',
  tone: 'attention',
  blocks: [
    { kind: 'facts', facts: [{ label: 'Status', value: 'Open' }] },
    { kind: 'text', text: 'It names the wrong month.' },
  ],
  actions: [
    { kind: 'button', act, value, label: 'Assign to me', style: 'primary' },
    { kind: 'link', label: 'Open', url: 'https://hub.example.com/cases/case_01' },
  ],
  summary: 'Case “Invoice is wrong” of Ana',
}

const exampleForm: Form = {
  act: 'case.note.add',
  value,
  title: 'Internal note',
  submit: 'Add note',
  cancel: 'Cancel',
  blocks: [],
  fields: [{ kind: 'text', name: 'text', label: 'Note', isLong: true, isRequired: true, longest: 3_000 }],
}

const answers: { readonly [Kind in ChatAnswer['kind']]: Extract<ChatAnswer, { kind: Kind }> } = {
  form: { kind: 'form', form: exampleForm, replaces: false },
  errors: { kind: 'errors', errors: { text: 'Please fill this in.' } },
  private: { kind: 'private', card: exampleCard },
  card: { kind: 'card', card: exampleCard },
  toast: { kind: 'toast', text: 'Noted.' },
  results: {
    kind: 'results',
    results: [1, 2].map((number) => ({ title: `Case ${number}`, detail: 'Open', card: exampleCard })),
    whenEmpty: 'Nothing found.',
  },
  unfurls: { kind: 'unfurls', cards: { 'https://hub.example.com/cases/case_01': exampleCard } },
  home: { kind: 'home', card: exampleCard },
  nothing: { kind: 'nothing' },
}

export function chatChecks(subject: Subject, play: Play): Check[] {
  const { chat } = subject.connector.can
  if (!chat) return []
  const check = (name: string, run: (played: Played) => Promise<void>): Check => ({
    name: `chat: ${name}`,
    run: () =>
      play(async (sandbox, ctx, told) => {
        assert.ok(isChatSandbox(sandbox), 'the sandbox of a chat tool has "chat": see ChatSandbox in vendor.ts')
        let seen = 0
        const heard = async () => {
          await sandbox.webhooks.settled()
          const all = told.all().flatMap((one) => (one.type === 'chat' ? [one.happening] : []))
          const fresh = all.slice(seen)
          seen = all.length
          return fresh
        }
        await run({ chat, sandbox, ctx, heard })
      }),
  })
  return [
    check('a card that was posted can be pressed, and the press brings what its button carries', pressesWhatWasPosted),
    check('a newer card takes the place of the one that is there', replacesWhatWasPosted),
    check('what was said goes into a thread', saysInThread),
    check('what somebody writes is told, with channel, thread and author', hearsWhatIsWritten),
    check('members, guests, strangers and bots are told apart', tellsPeopleApart),
    check('a person can be reached in private', reachesInPrivate),
    check('every kind of answer can be shown to who pressed', showsEveryAnswer),
    check('whatever a request holds, there is a response to it', respondsToAnything),
    ...(chat.effects.post === 'probed'
      ? [check('find() finds a card that was posted by its key, and none that was not', findsWhatWasPosted)]
      : []),
  ]
}

async function posted({ chat, sandbox, ctx }: Played): Promise<ChatPlace> {
  return placeOf(await chat.post(ctx, sandbox.chat.place, { kind: 'card', card: exampleCard }, key))
}

function placeOf({ externalId, place }: Receipt): ChatPlace {
  assert.ok(externalId, 'the receipt of a post names the message as externalId')
  assert.ok(place, 'the receipt of a post says where it was put')
  assert.equal(place.message, externalId, 'place.message is the new message')
  return place
}

async function pressed(played: Played): Promise<ChatHappening> {
  const { sandbox, heard } = played
  const place = await posted(played)
  await heard()
  await sandbox.chat.press(sandbox.chat.people.member, place, act)
  const [happening, ...others] = await heard()
  assert.ok(happening && others.length === 0, 'a press is told once')
  return happening
}

async function pressesWhatWasPosted(played: Played): Promise<void> {
  const { sandbox } = played
  const { user, place, what } = await pressed(played)
  assert.equal(user, sandbox.chat.people.member)
  assert.equal(place?.channel, sandbox.chat.place.channel)
  assert.ok(place?.message, 'place.message is the card that was pressed')
  assert.deepEqual(what, { kind: 'press', act: { act, value, fields: {} } })
}

async function replacesWhatWasPosted(played: Played): Promise<void> {
  const { chat, ctx, sandbox, heard } = played
  const place = await posted(played)
  const newer: Card = {
    ...exampleCard,
    actions: [{ kind: 'button', act: 'case.reopen', value, label: 'Reopen' }],
  }
  await chat.update(ctx, place, { kind: 'card', card: newer }, otherKey)
  await heard()
  await assert.rejects(sandbox.chat.press(sandbox.chat.people.member, place, act), 'the former button is still there')
  await sandbox.chat.press(sandbox.chat.people.member, place, 'case.reopen')
  const [happening] = await heard()
  assert.equal(happening?.what.kind === 'press' && happening.what.act.act, 'case.reopen')
}

async function saysInThread(played: Played): Promise<void> {
  const { chat, ctx } = played
  const { message, ...channel } = await posted(played)
  const said = {
    author: 'Ana García',
    visibility: 'public' as const,
    text: 'It names the wrong month.',
    at: '2026-11-20T10:15:30Z',
    files: ['invoice.pdf'],
  }
  const thread = { ...channel, ...(message ? { thread: message } : {}) }
  const receipt = await chat.post(ctx, thread, { kind: 'said', said }, otherKey)
  assert.notEqual(placeOf(receipt).message, message)
  assert.equal(placeOf(receipt).thread, message)
}

async function hearsWhatIsWritten(played: Played): Promise<void> {
  const { sandbox, heard } = played
  const { channel, message } = await posted(played)
  await heard()
  const thread = { channel, ...(message ? { thread: message } : {}) }
  await sandbox.chat.say(sandbox.chat.people.member, thread, 'Who looks at <this> & that?')
  const told = await heard()
  const written = told.filter(({ what }) => what.kind === 'message')
  assert.equal(written.length, 1, `told once as a message; told: ${told.map(({ what }) => what.kind).join(', ')}`)
  const [{ user, place, what } = { user: '', place: undefined, what: undefined }] = written
  assert.deepEqual([user, place?.channel, place?.thread], [sandbox.chat.people.member, channel, message])
  assert.equal(what?.kind === 'message' && what.message.text, 'Who looks at <this> & that?')
}

async function tellsPeopleApart({ chat, sandbox, ctx }: Played): Promise<void> {
  const kinds: readonly ChatPerson['kind'][] = ['member', 'guest', 'stranger', 'bot']
  for (const kind of kinds) {
    const id = sandbox.chat.people[kind]
    const person = await chat.whoIs(ctx, id, sandbox.chat.place.reference)
    assert.deepEqual([person.id, person.kind], [id, kind])
  }
}

async function reachesInPrivate({ chat, sandbox, ctx }: Played): Promise<void> {
  const place = await chat.direct(ctx, sandbox.chat.people.member, sandbox.chat.place.reference)
  assert.notEqual(place.channel, sandbox.chat.place.channel)
  placeOf(await chat.post(ctx, place, { kind: 'card', card: exampleCard }, key))
}

async function showsEveryAnswer(played: Played): Promise<void> {
  for (const answer of Object.values(answers)) {
    const happening = await pressed(played)
    try {
      await played.chat.show(played.ctx, happening, answer)
    } catch (cause) {
      throw new Error(`an answer of the kind "${answer.kind}" could not be shown: ${cause}`, { cause })
    }
  }
}

async function respondsToAnything({ chat, ctx }: Played): Promise<void> {
  const bodies = ['', ' ', 'null', '[]', '{}', '{', 'a=b', 'payload=%7B', '\u0000', '[{"a":[]}]']
  for (const body of bodies) {
    for (const answer of [undefined, ...Object.values(answers)]) {
      const { status } = chat.reply({ key, body }, answer, ctx)
      assert.ok(status >= 200 && status < 300, `the answer ${answer?.kind} to the body "${body}" has status ${status}`)
    }
  }
}

async function findsWhatWasPosted(played: Played): Promise<void> {
  const { chat, ctx, sandbox } = played
  const find = async (wanted: string) => await chat.find?.(ctx, sandbox.chat.place, wanted)
  const before = await find(key)
  assert.ok(before === undefined || before === 'unknown', 'found before it was posted')
  const place = await posted(played)
  const found = await find(key)
  assert.ok(found, 'posted, and find() says that it is not there')
  if (found !== 'unknown') assert.equal(found.externalId, place.message, 'find() found something else than was posted')
  const other = await find(otherKey)
  assert.ok(other === undefined || other === 'unknown', 'another key finds it, too')
}
