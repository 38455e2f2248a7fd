import { afterEach, describe, expect, it } from 'vitest'
import type { Card, Form } from '#hub/connector/card.ts'
import type { ChatAnswer, ChatHappening } from '#hub/connector/chat.ts'
import type { Context, Installation } from '#hub/connector/contract.ts'
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

const { chat, receive } = slack.can
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
})
