import { createHmac } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import type { Card, Form } from '#hub/connector/card.ts'
import type { ChatAnswer, ChatHappening } from '#hub/connector/chat.ts'
import type { Context, Installation } from '#hub/connector/contract.ts'
import type { Attachment } from '#hub/connector/facts.ts'
import { signHmac } from '#hub/connector/hmac.ts'
import { createSandbox } from '#hub/connector/sandbox.ts'
import { conformance, memoryInstallations } from '#kit'
import { testContext } from '#kit/conformance/test-http.ts'
import { type SlackConfig, config as schema } from './config.ts'
import { slack } from './connector.ts'
import { signature } from './receive.ts'
import { type SlackSandbox, type SlackSandboxOptions, startSandbox } from './sandbox.ts'

const example = {
  signing_secret: '0123456789abcdef0123456789abcdef',
  bot_token: 'xoxb-made-up-token-0001',
  client_id: '1234567890.9876543210',
  client_secret: 'made-up-client-secret-0001',
  app_id: 'A0001',
  channels: [{ channel: 'C0CASES', for: 'cases' }],
}

conformance(slack, new URL('.', import.meta.url), example, {
  sandbox: startSandbox,
  sign: (request, secret, now) => signHmac({ body: request.body }, secret, signature, now),
})

const { chat, receive, writeCase } = slack.can
const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

interface Desk {
  readonly sandbox: SlackSandbox
  readonly ctx: Context<SlackConfig>
  readonly happenings: ChatHappening[]
  /** What is answered in the response itself, to those who wait for it. */
  answer: (happening: ChatHappening) => ChatAnswer | undefined
  readonly clock: { at: Date }
}

/** The connector in a hub that only takes what comes. */
async function open(
  options: SlackSandboxOptions & { readonly installed?: readonly Installation[] } = {},
): Promise<Desk> {
  const clock = { at: new Date('2026-11-20T10:15:30Z') }
  const now = () => clock.at
  const sandbox = await startSandbox({ ...options, now })
  const config = schema.parse(sandbox.config)
  const { ctx: made } = testContext(slack, config, clock.at, sandbox.url)
  const ctx = { ...made, config, now, installations: memoryInstallations(options.installed) }
  const desk: Desk = { sandbox, ctx, happenings: [], answer: () => undefined, clock }
  const hub = await createSandbox({
    routes: [
      {
        method: 'POST',
        path: '/slack/events',
        async answer({ method, headers, body }) {
          const request = { method, url: 'https://hub.example.com/slack/events', headers, body }
          if (!receive.verify(request, config.signing_secret ?? '', ctx).ok) return { status: 401 }
          const [item] = receive.items(request, ctx)
          if (!item) return { status: 200 }
          const told = receive.normalise(item, ctx).flatMap((one) => (one.type === 'chat' ? [one.happening] : []))
          desk.happenings.push(...told)
          const [happening] = told
          const answer = happening?.awaits ? desk.answer(happening) : undefined
          const { status, headers: replied, body: text } = chat.reply(item, answer, ctx)
          return { status, headers: replied, body: text }
        },
      },
    ],
  })
  sandbox.connect({ url: `${hub.url}/slack/events`, secret: config.signing_secret ?? '' })
  closers.push(hub.close, sandbox.close)
  return desk
}

function last({ happenings }: Desk): ChatHappening {
  const happening = happenings.at(-1)
  if (!happening) throw new Error('nothing happened')
  return happening
}

/** Of the message that came last, once Slack was asked. */
async function filesOf(desk: Desk): Promise<readonly Attachment[]> {
  const { what } = last(desk)
  const unnamed = what.kind === 'message' ? what.message.unnamed : undefined
  if (!unnamed) throw new Error('there is nothing to ask for')
  return await chat.filesOf(desk.ctx, unnamed.at)
}

const card: Card = {
  key: 'case:case_01',
  title: 'Invoice is wrong',
  url: 'https://desk.example/cases/1',
  blocks: [{ kind: 'text', text: 'It names the wrong month.' }],
  actions: [
    { kind: 'button', act: 'case.take', value: 'case_01', label: 'Assign to me' },
    { kind: 'button', act: 'case.reply', value: 'case_01', label: 'Reply…', opensForm: true },
    {
      kind: 'select',
      act: 'case.macro',
      value: 'case_01',
      label: 'Macro',
      options: Array.from({ length: 60 }, (_, index) => ({
        value: `macro_${index}`,
        label: `Macro number ${index} of all`,
      })),
    },
  ],
  summary: 'Case “Invoice is wrong” of Ana',
}
const form: Form = {
  act: 'case.reply.preview',
  value: 'case_01',
  title: 'Reply to customer',
  submit: 'Preview',
  cancel: 'Cancel',
  blocks: [],
  fields: [{ kind: 'text', name: 'text', label: 'Your reply', isLong: true, isRequired: true, longest: 3_000 }],
}
const key = '7c1e0a64f2b94d0e8a35d1c2b3a49586'

describe('an agent in Slack', () => {
  it('presses a button, gets a dialog, fills it in, and is told what is wrong in it', async () => {
    const desk = await open()
    const { sandbox, ctx } = desk
    const { leo } = sandbox.users
    const { place } = await chat.post(ctx, sandbox.chat.place, { kind: 'card', card }, key)
    const message = sandbox.newest(sandbox.channels.cases)
    expect(place).toMatchObject({ channel: 'C0CASES', message: message.ts })

    expect((await sandbox.press(leo, message, 'case.reply')).status).toBe(200)
    const pressed = desk.happenings.at(-1)
    expect(pressed).toMatchObject({
      user: leo.id,
      place: { channel: 'C0CASES', message: message.ts, reference: 'T0ACME' },
      what: { kind: 'press', act: { act: 'case.reply', value: 'case_01', fields: {} } },
    })
    if (!pressed) throw new Error('nothing happened')
    await chat.show(ctx, pressed, { kind: 'form', form, replaces: false })
    expect(sandbox.world.dialogOf(leo.id)?.view).toMatchObject({ type: 'modal', title: { text: 'Reply to customer' } })

    desk.answer = () => ({ kind: 'errors', errors: { text: 'Please write something else.' } })
    const refused = await sandbox.submit(leo, { text: 'Unplug it.' })
    expect(JSON.parse(refused.body)).toEqual({
      response_action: 'errors',
      errors: { text: 'Please write something else.' },
    })
    expect(desk.happenings.at(-1)).toMatchObject({
      awaits: true,
      place: { channel: 'C0CASES', message: message.ts },
      what: { kind: 'submit', act: { act: 'case.reply.preview', value: 'case_01', fields: { text: 'Unplug it.' } } },
    })
    desk.answer = () => ({ kind: 'nothing' })
    await sandbox.submit(leo, { text: 'Please unplug it.' })
    expect(sandbox.world.dialogOf(leo.id)).toBeUndefined()
  })

  it('is asked to press again when Slack opens no dialog any more', async () => {
    const desk = await open()
    const { sandbox, ctx, clock } = desk
    await chat.post(ctx, sandbox.chat.place, { kind: 'card', card }, key)
    await sandbox.press(sandbox.users.leo, sandbox.newest(sandbox.channels.cases), 'case.reply')
    clock.at = new Date(clock.at.getTime() + 4_000)
    await chat.show(ctx, last(desk), { kind: 'form', form, replaces: false })
    const { leo, eva } = sandbox.users
    expect(sandbox.newest(sandbox.channels.cases, leo).text).toContain('press again')
    expect(sandbox.newest(sandbox.channels.cases, eva).text).not.toContain('press again')
  })

  it('chooses from a list that is too long for the card: what was typed finds the entries', async () => {
    const desk = await open()
    const { sandbox, ctx } = desk
    await chat.post(ctx, sandbox.chat.place, { kind: 'card', card }, key)
    desk.answer = () => ({ kind: 'card', card })
    const message = sandbox.newest(sandbox.channels.cases)
    const { body } = await sandbox.suggest(sandbox.users.leo, message, 'case.macro', 'number 17')
    expect(JSON.parse(body).options).toEqual([
      { text: { type: 'plain_text', text: 'Macro number 17 of all', emoji: false }, value: 'macro_17' },
    ])
    expect(last(desk)).toMatchObject({ awaits: true, what: { kind: 'press', isRefresh: true } })
    await sandbox.press(sandbox.users.leo, message, 'case.macro', 'macro_17')
    expect(last(desk).what).toEqual({
      kind: 'press',
      act: { act: 'case.macro', value: 'case_01', fields: { chosen: 'macro_17' } },
    })
  })

  it('goes from a dialog to its preview, and back to a card', async () => {
    const desk = await open()
    const { sandbox, ctx } = desk
    const { leo } = sandbox.users
    await chat.post(ctx, sandbox.chat.place, { kind: 'card', card }, key)
    await sandbox.press(leo, sandbox.newest(sandbox.channels.cases), 'case.reply')
    await chat.show(ctx, last(desk), { kind: 'form', form, replaces: false })
    desk.answer = () => ({ kind: 'form', form: { ...form, title: 'Send this reply?', fields: [] }, replaces: true })
    await sandbox.submit(leo, { text: 'Unplug it.' })
    expect(sandbox.world.dialogOf(leo.id)?.view).toMatchObject({ title: { text: 'Send this reply?' } })
    desk.answer = () => undefined
    await sandbox.submit(leo, {})
    expect(JSON.stringify(sandbox.world.dialogOf(leo.id)?.view)).toContain('It goes on in the background')
  })

  it('asks by command, in a thread, and in private; each answer goes where the question was asked', async () => {
    const desk = await open()
    const { sandbox, ctx } = desk
    const { leo, eva } = sandbox.users
    const { cases, outside } = sandbox.channels
    // The app is no member there: only the address of the command reaches the person.
    await sandbox.command(leo, outside, 'printer')
    expect(last(desk)).toMatchObject({ place: { channel: outside.id }, what: { kind: 'asked', text: 'printer' } })
    await chat.show(ctx, last(desk), { kind: 'private', card })
    expect(sandbox.newest(outside, leo)).toMatchObject({ onlyFor: leo.id })

    const head = await sandbox.say(eva, { channel: cases }, 'Printer?')
    const before = desk.happenings.length
    const mention = `<@${sandbox.world.teams.get('T0ACME')?.botUser}> printer`
    await sandbox.say(leo, { channel: cases, thread: head }, mention)
    // Once, though Slack tells twice: a question is not a note as well.
    expect(desk.happenings.slice(before).map(({ what }) => what)).toMatchObject([{ kind: 'asked', text: 'printer' }])
    await chat.show(ctx, last(desk), { kind: 'private', card })
    expect(sandbox.newest(cases, leo)).toMatchObject({ onlyFor: leo.id, thread_ts: head.ts })

    await sandbox.say(sandbox.users.ana, { channel: sandbox.channels.shared }, mention)
    expect(desk.happenings.slice(before + 1).map(({ what }) => what.kind)).toEqual(['message'])

    const direct = sandbox.world.direct('T0ACME', leo.id)
    await sandbox.say(leo, { channel: direct }, 'printer')
    await chat.show(ctx, last(desk), { kind: 'results', results: [], whenEmpty: 'Nothing found.' })
    expect(sandbox.newest(direct)).toMatchObject({ text: 'Nothing found.', bot_id: 'B0ACME' })
  })

  it('has a page of their own, and links that unfold', async () => {
    const desk = await open()
    const { sandbox, ctx } = desk
    await sandbox.openHome(sandbox.users.eva)
    await chat.show(ctx, last(desk), { kind: 'home', card })
    const home = sandbox.world.homes.get(sandbox.users.eva.id)
    if (!home) throw new Error('no page')
    await sandbox.pressIn(sandbox.users.eva, home, 'case.reply')
    expect(last(desk)).toMatchObject({ place: { channel: sandbox.users.eva.id, reference: 'T0ACME' } })
    await chat.show(ctx, last(desk), { kind: 'form', form, replaces: false })
    expect(sandbox.world.dialogOf(sandbox.users.eva.id)).toBeDefined()

    const url = 'https://hub.example.com/cases/1'
    const { ts } = await sandbox.shareLink(sandbox.users.leo, { channel: sandbox.channels.cases }, url)
    await chat.show(ctx, last(desk), { kind: 'unfurls', cards: { [url]: card } })
    expect(sandbox.world.unfurls).toMatchObject([{ channel: 'C0CASES', ts }])
  })

  it('types a link to a case where customers read along: nothing is asked before its place is known', async () => {
    const desk = await open()
    const { sandbox } = desk
    const { shared } = sandbox.channels
    const url = 'https://hub.example.com/cases/1'
    await sandbox.typeLink(sandbox.users.leo, shared.teamId, url)
    expect(desk.happenings).toEqual([])
    const { ts } = await sandbox.shareLink(sandbox.users.leo, { channel: shared }, url)
    const links = desk.happenings.filter(({ what }) => what.kind === 'links')
    expect(links).toMatchObject([{ place: { channel: shared.id, message: ts } }])
  })

  it('sees a private card change where it stands', async () => {
    const desk = await open()
    const { sandbox, ctx } = desk
    const { leo } = sandbox.users
    await sandbox.command(leo, sandbox.channels.cases, 'printer')
    await chat.show(ctx, last(desk), { kind: 'private', card })
    await sandbox.press(leo, sandbox.newest(sandbox.channels.cases, leo), 'case.take')
    await chat.show(ctx, last(desk), { kind: 'card', card: { ...card, title: 'Yours now' } })
    expect(JSON.stringify(sandbox.newest(sandbox.channels.cases, leo).blocks)).toContain('Yours now')
    expect(sandbox.channels.cases.messages).toHaveLength(1)
  })
})

describe('a customer in a shared channel', () => {
  const said = { visibility: 'public', text: 'Fixed. See <the plan> & *relax*.', author: { name: 'Leo Ruiz' } } as const

  it('reads replies in the thread, under the agent’s name, with files; and never a note', async () => {
    const desk = await open()
    const { sandbox, ctx } = desk
    const { shared } = sandbox.channels
    const question = await sandbox.say(sandbox.users.ana, { channel: shared }, 'Invoice wrong')
    const id = `${shared.id}|${question.ts}`
    const plan = { name: 'plan.txt', contentType: 'text/plain', content: Buffer.from('Pull the plug') }
    await writeCase.message(ctx, id, { ...said, files: [plan] }, key)
    const [, reply, file] = shared.messages
    expect(reply).toMatchObject({ username: 'Leo Ruiz', thread_ts: question.ts })
    expect(reply?.text).toBe('Fixed. See &lt;the plan&gt; &amp; *relax*.')
    expect(file?.files[0]?.content.toString()).toBe('Pull the plug')
    expect(await writeCase.message(ctx, id, { visibility: 'internal', text: 'Upset.' }, 'other')).toEqual({})
    expect(shared.messages).toHaveLength(3)
    expect(await writeCase.find(ctx, 'message', id, key)).toEqual({ externalId: reply?.ts })
  })

  it('reads no half of a reply: without its files it is taken back', async () => {
    const desk = await open()
    const { sandbox, ctx } = desk
    const { shared } = sandbox.channels
    const question = await sandbox.say(sandbox.users.ana, { channel: shared }, 'Invoice wrong')
    const plan = { name: 'plan.txt', contentType: 'text/plain', content: Buffer.from('Pull the plug') }
    const fetch: typeof ctx.http.fetch = async (url, init) =>
      String(url).endsWith('files.completeUploadExternal')
        ? Response.json({ ok: false, error: 'posting_to_channel_denied' })
        : ctx.http.fetch(url, init)
    const failing = { ...ctx, http: { ...ctx.http, fetch } }
    const writing = writeCase.message(failing, `${shared.id}|${question.ts}`, { ...said, files: [plan] }, key)
    await expect(writing).rejects.toMatchObject({ code: 'rejected' })
    expect(shared.messages.filter(({ isDeleted }) => !isDeleted)).toEqual([question])
  })

  it('sees changes, and what was taken back, once', async () => {
    const { sandbox, ctx } = await open()
    const { shared } = sandbox.channels
    const question = await sandbox.say(sandbox.users.ana, { channel: shared }, 'Invoice wrong')
    const id = `${shared.id}|${question.ts}`
    const { externalId = '' } = await writeCase.message(ctx, id, said, key)
    await writeCase.revise.run(ctx, id, externalId, 'Fixed now.', 'key-2')
    expect(sandbox.newest(shared).text).toBe('Fixed now.')
    for (const attempt of ['key-3', 'key-3']) await writeCase.revise.run(ctx, id, externalId, undefined, attempt)
    expect(sandbox.newest(shared)).toBe(question)
  })

  it('sends files, which are read with the bot’s token, up to a size, and from Slack alone', async () => {
    const desk = await open()
    const { sandbox, ctx } = desk
    const file = sandbox.world.addFile('fire.jpg', 'image/jpeg', Buffer.from('burning'))
    await sandbox.say(sandbox.users.ana, { channel: sandbox.channels.shared }, 'Look', { files: [file] })
    const [told] = await filesOf(desk)
    if (!told) throw new Error('no file was told')
    expect(told).toMatchObject({ name: 'fire.jpg', contentType: 'image/jpeg', sizeBytes: 7 })
    expect(Buffer.from(await slack.can.readFile(ctx, told, 100)).toString()).toBe('burning')
    await expect(slack.can.readFile(ctx, told, 3)).rejects.toMatchObject({ code: 'rejected' })
    const elsewhere = { ...told, url: 'https://drive.example/secret' }
    await expect(slack.can.readFile(ctx, elsewhere, 100)).rejects.toThrow(/does not lie at Slack/)
  })

  it('opens a case with nothing but a file, and one that they delete at once is no obstacle', async () => {
    const desk = await open()
    const { sandbox, ctx } = desk
    const [kept, deleted] = ['fire.jpg', 'smoke.jpg'].map((name) =>
      sandbox.world.addFile(name, 'image/jpeg', Buffer.from(name)),
    )
    if (!kept || !deleted) throw new Error('no files')
    await sandbox.say(sandbox.users.ana, { channel: sandbox.channels.shared }, '', { files: [kept, deleted] })
    const { what } = last(desk)
    const message = what.kind === 'message' ? what.message : undefined
    expect(message).toMatchObject({ text: '', files: [] })
    expect(message?.unnamed?.seen).toEqual([
      { id: kept.id, name: 'attachment 1' },
      { id: deleted.id, name: 'attachment 2' },
    ])
    sandbox.world.files.delete(deleted.id)
    expect((await filesOf(desk)).map(({ name }) => name)).toEqual(['fire.jpg'])
    const [, gone] = message?.unnamed?.seen ?? []
    if (!gone) throw new Error('no file was seen')
    await expect(slack.can.readFile(ctx, gone, 100)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('has a file that Slack keeps from the app: the connection goes on', async () => {
    const desk = await open()
    const { ctx, sandbox } = desk
    const file = sandbox.world.addFile('fire.jpg', 'image/jpeg', Buffer.from('burning'))
    await sandbox.say(sandbox.users.ana, { channel: sandbox.channels.shared }, 'Look', { files: [file] })
    const fetch = async () => Response.json({ ok: false, error: 'access_denied' })
    const refused = { ...ctx, http: { ...ctx.http, fetch } }
    expect(await filesOf({ ...desk, ctx: refused })).toEqual([])
    const reading = slack.can.readFile(refused, { id: file.id, name: 'attachment' }, 100)
    await expect(reading).rejects.toMatchObject({ code: 'not_found' })
  })

  it('writes what becomes a case by its menu: its file has no name yet, but its contents', async () => {
    const desk = await open()
    const { ctx, sandbox } = desk
    const file = sandbox.world.addFile('fire.html', 'text/html', Buffer.from('<b>burning</b>'))
    const line = await sandbox.say(sandbox.users.ana, { channel: sandbox.channels.shared }, 'Look', { files: [file] })
    await sandbox.messageShortcut(sandbox.users.leo, line, 'create_case')
    const { what } = last(desk)
    const [seen] = what.kind === 'shortcut' ? (what.message?.files ?? []) : []
    expect(seen).toEqual({ id: file.id, name: 'attachment' })
    if (!seen) throw new Error('no file was seen')
    expect(Buffer.from(await slack.can.readFile(ctx, seen, 100)).toString()).toBe('<b>burning</b>')
    await expect(slack.can.readFile(ctx, seen, 3)).rejects.toMatchObject({ code: 'rejected' })
  })

  it('sends a file that one of two workspaces may see: it is read with that one’s token', async () => {
    const two = (key: string, bot_token: string) => ({ key, name: key, secrets: { bot_token } })
    const desk = await open({ installed: [two('T0ACME', 'xoxb-1'), two('T0OTHER', 'xoxb-2')] })
    const { ctx, sandbox } = desk
    sandbox.addWorkspace('T0OTHER', 'Other')
    for (const [teamId, token] of [['T0ACME', 'xoxb-1'] as const, ['T0OTHER', 'xoxb-2'] as const]) {
      sandbox.world.tokens.set(token, { teamId, isRevoked: false })
    }
    const file = sandbox.world.addFile('fire.jpg', 'image/jpeg', Buffer.from('burning'))
    const fetch: typeof ctx.http.fetch = async (url, init) =>
      new Headers(init?.headers).get('authorization') === 'Bearer xoxb-1'
        ? Response.json({ ok: false, error: 'file_not_found' })
        : await ctx.http.fetch(url, init)
    const halfBlind = { ...ctx, http: { ...ctx.http, fetch } }
    const bytes = await slack.can.readFile(halfBlind, { id: file.id, name: 'attachment' }, 100)
    expect(Buffer.from(bytes).toString()).toBe('burning')
  })

  it.each(['', 'C1', '|', 'C1|x', 'c1|1.1', 'C1|1.1|2', '../C1|1.1'])('is not at %j', async (id) => {
    const { ctx } = await open()
    await expect(writeCase.message(ctx, id, said, key)).rejects.toMatchObject({ code: 'rejected' })
  })
})

describe('a token that was copied from the app', () => {
  it('is good for ever', async () => {
    const { ctx, sandbox, clock } = await open()
    clock.at = new Date('2036-11-20T10:15:30Z')
    await chat.post(ctx, sandbox.chat.place, { kind: 'card', card }, key)
    expect(sandbox.channels.cases.messages).toHaveLength(1)
  })

  it('is refused when the app rotates its tokens, as it would stop after twelve hours', async () => {
    const clock = { at: new Date('2026-11-20T10:15:30Z') }
    const sandbox = await startSandbox({ rotates: true, now: () => clock.at })
    closers.push(sandbox.close)
    expect(() => schema.parse(sandbox.config)).toThrow(/runs out after twelve hours.*install link/)
    const say = async () => {
      const headers = { authorization: `Bearer ${String(sandbox.config['bot_token'])}` }
      const answer = await fetch(`${sandbox.url}/api/auth.test`, { method: 'POST', headers })
      return await answer.json()
    }
    expect(await say()).toMatchObject({ ok: true })
    clock.at = new Date('2026-11-20T22:15:30Z')
    expect(await say()).toEqual({ ok: false, error: 'token_expired' })
  })
})

describe('a message whose answer was lost', () => {
  const lost = 'key-of-the-lost-message'
  const metadata = { event_type: 'deskweave', event_payload: { key: lost } }

  /** `before` messages, ours, `after` messages, all of the last minutes; the channel or thread began long ago. */
  async function talk(
    options: SlackSandboxOptions & { readonly inThread: boolean; readonly before: number; readonly after: number },
  ) {
    const desk = await open(options)
    const { sandbox, clock } = desk
    const { cases } = sandbox.channels
    const write = (more: object = {}) => sandbox.world.addMessage(cases, { user: 'U0LEO', text: 'Hm.', ...more })
    const head = write()
    const place = { ...sandbox.chat.place, ...(options.inThread ? { thread: head.ts } : {}) }
    clock.at = new Date(clock.at.getTime() + 86_400_000)
    const thread = options.inThread ? { thread_ts: head.ts } : {}
    for (let count = 0; count < options.before; count += 1) write(thread)
    const ours = write({ ...thread, metadata })
    for (let count = 0; count < options.after; count += 1) write(thread)
    const asked = () => sandbox.requests.filter(({ path }) => path.startsWith('/api/conversations.')).length
    return { ...desk, place, ours, asked }
  }

  it.each([
    { inThread: true, before: 250, after: 3 },
    { inThread: false, before: 3, after: 250 },
  ])('is found on a later page: %o', async (options) => {
    const { ctx, place, ours } = await talk(options)
    expect(await chat.find(ctx, place, lost)).toMatchObject({ externalId: ours.ts })
    expect(await chat.find(ctx, place, 'another')).toBeUndefined()
  })

  it.each([{ inThread: true }, { inThread: false }])(
    'may be there when more was written than is read: %o',
    async (where) => {
      const { ctx, place, asked } = await talk({ ...where, before: 600, after: 600 })
      expect(await chat.find(ctx, place, 'another')).toBe('unknown')
      expect(asked()).toBe(5)
    },
  )

  it('is not looked for in what a channel heard before the hub began to try', async () => {
    const { ctx, place, asked, clock, sandbox } = await talk({ inThread: false, before: 300, after: 0 })
    clock.at = new Date(clock.at.getTime() + 74 * 3_600_000)
    sandbox.world.addMessage(sandbox.channels.cases, { user: 'U0LEO', text: 'Good morning' })
    expect(await chat.find(ctx, place, 'another')).toBeUndefined()
    expect(asked()).toBe(1)
  })

  it.each([{ inThread: true }, { inThread: false }])(
    'may be there when an app outside the Marketplace sees the first page only: %o',
    async (where) => {
      const { ctx, place } = await talk({ ...where, before: 20, after: 20, isOutsideMarketplace: true })
      expect(await chat.find(ctx, place, lost)).toBe('unknown')
      await expect(chat.find(ctx, place, lost)).rejects.toMatchObject({ code: 'rate_limited' })
    },
  )
})

describe('Slack’s refusals', () => {
  it.each([
    ['channel_not_found', 'not_found'],
    ['not_in_channel', 'not_found'],
    ['is_archived', 'not_found'],
    ['token_revoked', 'auth_failed'],
    ['invalid_auth', 'auth_failed'],
    ['missing_scope', 'auth_failed'],
    ['ratelimited', 'rate_limited'],
    ['internal_error', 'outcome_unknown'],
    ['service_unavailable', 'unavailable'],
    ['msg_too_long', 'rejected'],
    ['some_new_error', 'rejected'],
  ])('%s is %s', async (error, code) => {
    const { ctx, sandbox } = await open()
    const fetch = async () => Response.json({ ok: false, error })
    const refused = { ...ctx, http: { ...ctx.http, fetch } }
    const posting = chat.post(refused, sandbox.chat.place, { kind: 'card', card }, key)
    await expect(posting).rejects.toMatchObject({ code, message: expect.stringContaining(error) })
  })

  it('of one workspace do not hold up the others', async () => {
    const two = (key: string, bot_token: string) => ({ key, name: key, secrets: { bot_token } })
    const desk = await open({ installed: [two('T0ACME', 'xoxb-dead'), two('T0OTHER', 'xoxb-other')] })
    const { ctx, sandbox } = desk
    sandbox.world.tokens.set('xoxb-dead', { teamId: 'T0ACME', isRevoked: true })
    const posting = chat.post(ctx, sandbox.chat.place, { kind: 'card', card }, key)
    await expect(posting).rejects.toMatchObject({ code: 'rejected' })
    expect(await ctx.installations.list()).toEqual([{ key: 'T0OTHER', name: 'T0OTHER' }])
  })

  it('says by which workspace a channel is seen when nobody knows it yet', async () => {
    const desk = await open()
    const { ctx, sandbox } = desk
    sandbox.addWorkspace('T0OTHER', 'Other')
    const { token } = sandbox.world.issueToken('T0ACME')
    const other = sandbox.world.issueToken('T0OTHER').token
    await ctx.installations.put({ key: 'T0OTHER', name: 'Other', secrets: { bot_token: other } })
    await ctx.installations.put({ key: 'T0ACME', name: 'Acme', secrets: { bot_token: token } })
    const { place } = await chat.post(ctx, { channel: 'C0CASES' }, { kind: 'card', card }, key)
    expect(place?.reference).toBe('T0ACME')
  })
})

describe('a request that claims to be Slack’s', () => {
  const secret = example.signing_secret
  const now = new Date('2026-11-20T10:15:30Z')
  const ctx = { config: schema.parse(example), now: () => now }
  const url = 'https://hub.example.com/slack/events'
  const request = (body: string, headers: Record<string, string>) => ({
    method: 'POST',
    url,
    headers,
    body: Buffer.from(body),
  })
  const signed = (body: string) => signHmac({ body }, secret, signature, now)

  it.each([
    ['a number with more behind it', (ts: string) => `${ts}junk`],
    ['no number', () => 'now'],
    ['milliseconds', (ts: string) => `${ts}000`],
    ['a sign', (ts: string) => `+${ts}`],
    ['a space', (ts: string) => ` ${ts}`],
    ['an exponent', () => '1e10'],
  ])('is refused when its time is %s, though it is signed', (_what, bend) => {
    const ts = bend(String(now.getTime() / 1_000))
    const base = { body: 'x', headers: {} }
    const mac = createHmac('sha256', secret).update(`v0:${ts}:${base.body}`).digest('hex')
    const headers = { 'x-slack-request-timestamp': ts, 'x-slack-signature': `v0=${mac}` }
    expect(receive.verify(request('x', headers), secret, ctx).ok).toBe(false)
  })

  it('is refused with something behind its signature, in other letters, or of another version', () => {
    const headers = signed('x')
    const mac = headers['x-slack-signature'] ?? ''
    expect(receive.verify(request('x', headers), secret, ctx).ok).toBe(true)
    for (const bent of [`${mac}=`, `${mac}=x`, `${mac} `, mac.toUpperCase(), mac.replace('v0', 'v1'), `v0=${mac}`]) {
      expect(receive.verify(request('x', { ...headers, 'x-slack-signature': bent }), secret, ctx).ok, bent).toBe(false)
    }
  })

  it('needs a signing secret that nobody guesses', () => {
    for (const signing_secret of ['', ' ', 'short', 'x'.repeat(23)]) {
      expect(schema.safeParse({ ...example, signing_secret }).success).toBe(false)
    }
    const { signing_secret: _, ...without } = example
    expect(schema.safeParse(without).success).toBe(false)
    expect(receive.verify(request('x', signed('x')), '', ctx).ok).toBe(false)
  })

  it.each([
    ['ssl_check=0'],
    ['ssl_check=1&ssl_check=1'],
    ['ssl_check=1&command=%2Fdeskweave'],
    ['ssl_check=1&payload=%7B%7D'],
    ['SSL_CHECK=1'],
    ['ssl_check=1 '],
    ['ssl_check[]=1'],
    ['ssl_check=true'],
    ['{"ssl_check":1}'],
  ])('is no look at the certificate: %s', (body) => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    expect(receive.handshake(request(body, form))).toBeUndefined()
    expect(receive.handshake(request('ssl_check=1', { 'content-type': 'application/json' }))).toBeUndefined()
  })

  it('gets no answer to a challenge that has something else in it', () => {
    const challenge = { type: 'url_verification', challenge: 'abc', token: 't' }
    expect(receive.signedHandshake(request(JSON.stringify(challenge), {}))?.body).toBe('abc')
    for (const more of [
      { event: { type: 'message' } },
      { challenge: '' },
      { challenge: 7 },
      { type: 'event_callback' },
    ]) {
      expect(receive.signedHandshake(request(JSON.stringify({ ...challenge, ...more }), {}))).toBeUndefined()
    }
  })

  it('is passed over for another app, or for a workspace where nobody installed this one', () => {
    const event = (more: object) => JSON.stringify({ type: 'event_callback', event_id: 'Ev1', team_id: 'T1', ...more })
    const read = (body: string, installed?: ReadonlySet<string>) =>
      receive.items(request(body, {}), { ...ctx, ...(installed ? { installed } : {}) }).length
    expect(read(event({ api_app_id: 'A0001' }), new Set(['T1']))).toBe(1)
    expect(read(event({ api_app_id: 'A0002' }), new Set(['T1']))).toBe(0)
    expect(read(event({ api_app_id: 'A0001' }), new Set(['T2']))).toBe(0)
    const authorizations = [{ team_id: 'T2', enterprise_id: null, user_id: 'U1' }]
    expect(read(event({ authorizations }), new Set(['T2']))).toBe(1)
    const ofOrganisation = [{ team_id: 'T9', enterprise_id: 'E1', is_enterprise_install: true }]
    expect(read(event({ authorizations: ofOrganisation }), new Set(['E1']))).toBe(1)
    expect(read(event({ authorizations: ofOrganisation }), new Set(['T9']))).toBe(0)
  })
})
