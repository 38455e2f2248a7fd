/**
 * The Slack of the package `emulate`, which keeps channels, messages and dialogs and answers the Web API. What it lacks is
 * added in front of it, as Slack documents it: events that are signed and repeated, presses, dialogs sent, commands, and the
 * addresses that answer them.
 */
import { createServer, type IncomingMessage } from 'node:http'
import { createEmulator } from 'emulate'
import { z } from 'zod'
import { signHmac } from '#hub/connector/hmac.ts'
import { createWebhooks } from '#hub/connector/sandbox.ts'
import { signature } from '../../connectors/slack/receive.ts'
import { type Answered, elementOf, typedState } from '../../connectors/slack/sandbox-people.ts'
import type { SlackStage, StageMessage } from './slack-stage.ts'

const teamId = 'T000000001'
const appId = 'A0DESKWEAVE'
const secret = '0123456789abcdef0123456789abcdef'
const tokens = { bot: 'xoxb-deskweave', leo: 'xoxp-leo' } as const
const bot = { bot_id: 'B0DESKWEAVE', bot_user_id: 'U0DESKWEAVE' } as const
const scopes = ['chat:write', 'channels:history', 'channels:read', 'users:read', 'users:read.email']

const Block = z.record(z.string(), z.unknown())
const Message = z.looseObject({
  ts: z.string(),
  thread_ts: z.string().optional(),
  text: z.string(),
  blocks: z.array(Block).default([]),
})
const View = z.looseObject({ title: z.looseObject({ text: z.string() }), blocks: z.array(Block) })
const Opened = View.extend({ id: z.string(), hash: z.string() })
const Next = z.object({
  response_action: z.enum(['update', 'errors', 'push', 'clear']).optional(),
  view: View.optional(),
})

/** @param leo who works there. */
export async function startEmulatedSlack(leo: { readonly name: string; readonly email: string }): Promise<SlackStage> {
  const emulator = await createEmulator({
    service: 'slack',
    port: 0,
    hostname: '127.0.0.1',
    seed: {
      slack: {
        team: { name: 'Acme', domain: 'acme' },
        users: [{ name: 'leo', real_name: leo.name, email: leo.email }],
        channels: [{ name: 'cases' }],
        oauth_apps: [
          { client_id: '1.2', client_secret: 'x', app_id: appId, name: 'Deskweave', redirect_uris: [], scopes, ...bot },
        ],
        tokens: [
          { token: tokens.bot, type: 'bot', user_id: bot.bot_user_id, app_id: appId, scopes, ...bot },
          { token: tokens.leo, type: 'user', user: 'leo', scopes },
        ],
      },
    },
  })
  let dialog: z.output<typeof Opened> | undefined
  const shown: string[] = []

  async function api<T extends z.ZodType>(token: string, method: string, args: object, shape: T): Promise<z.output<T>> {
    const answer = await fetch(`${emulator.url}/api/${method}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(args),
    })
    return z
      .object({ ok: z.literal(true) })
      .and(shape)
      .parse(await answer.json())
  }

  const front = createServer(async (request, response) => {
    const body = await textOf(request)
    if (request.url?.startsWith('/response/')) {
      shown.push(body)
      response.end('ok')
      return
    }
    const answer = await fetch(`${emulator.url}${request.url}`, {
      method: request.method ?? 'GET',
      headers: {
        authorization: request.headers.authorization ?? '',
        'content-type': request.headers['content-type'] ?? '',
      },
      ...(request.method === 'POST' ? { body } : {}),
    })
    const text = await answer.text()
    // There is no call that says which dialogs are open: they are those that were opened.
    if (/\/api\/views\.(?:open|push|update)$/.test(request.url ?? '')) {
      dialog = z.object({ view: Opened }).safeParse(JSON.parse(text)).data?.view ?? dialog
    }
    if (request.url === '/api/chat.postEphemeral') shown.push(body)
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text)
  })
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
  const address = front.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`

  const Named = z.array(z.object({ id: z.string(), name: z.string() }))
  const { members } = await api(tokens.bot, 'users.list', {}, z.object({ members: Named }))
  const { channels } = await api(tokens.bot, 'conversations.list', {}, z.object({ channels: Named }))
  const user = members.find(({ name }) => name === 'leo')?.id ?? ''
  const channel = channels.find(({ name }) => name === 'cases')?.id ?? ''

  let hook: { readonly url: string } | undefined
  let isSpoiled = false
  const webhooks = createWebhooks<string>({
    timeoutMs: 3_000,
    retryDelayMs: ({ attempt }) => (attempt <= 3 ? 50 : undefined),
    sign(body, _id, sentAt) {
      const headers = signHmac({ body }, isSpoiled ? `${secret}f` : secret, signature, sentAt)
      isSpoiled = false
      return { body, headers: { 'content-type': 'application/json', ...headers } }
    },
  })

  async function post(form: Readonly<Record<string, string>>, key = secret): Promise<Answered> {
    const body = new URLSearchParams(form).toString()
    const answer = await fetch(hook?.url ?? '', {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...signHmac({ body }, key, signature, new Date()),
      },
      body,
    })
    return { status: answer.status, body: await answer.text() }
  }

  const trigger = async () =>
    (
      await api(
        tokens.bot,
        'views.generateTriggerId',
        { user_id: user, ...(dialog ? { view_id: dialog.id } : {}) },
        z.object({ trigger_id: z.string() }),
      )
    ).trigger_id
  const head = () => ({ user: { id: user, team_id: teamId }, team: { id: teamId, domain: 'acme' }, api_app_id: appId })
  const reply = () => `${url}/response/${crypto.randomUUID()}`

  async function pressed(message: StageMessage, act: string, chosen?: string) {
    const { element, blockId } = elementOf(message.blocks, act, chosen)
    const { type, action_id, value } = element
    const action = {
      ...{ type, action_id, block_id: blockId, action_ts: String(Date.now() / 1_000) },
      ...(value === undefined ? {} : { value }),
      ...(chosen === undefined ? {} : { selected_option: { value: chosen } }),
    }
    const payload = {
      type: 'block_actions',
      ...head(),
      trigger_id: await trigger(),
      response_url: reply(),
      container: { type: 'message', message_ts: message.ts, channel_id: channel },
      channel: { id: channel, name: 'cases' },
      message,
      state: { values: {} },
      actions: [action],
    }
    return { payload: JSON.stringify(payload) }
  }

  return {
    url,
    hosts: [url],
    channel,
    config: {
      signing_secret: secret,
      app_id: appId,
      bot_token: tokens.bot,
      channels: [{ channel, for: 'cases' }],
      api_base: url,
    },
    connect(to) {
      hook = to
      webhooks.connect({ ...to, secret })
    },
    async messages() {
      const List = z.object({ messages: z.array(Message) })
      const { messages: posts } = await api(tokens.leo, 'conversations.history', { channel, limit: 100 }, List)
      const threads = await Promise.all(
        posts.map(({ ts }) => api(tokens.leo, 'conversations.replies', { channel, ts, limit: 100 }, List)),
      )
      return threads.flatMap(({ messages }) => messages).toSorted((a, b) => Number(a.ts) - Number(b.ts))
    },
    async answer({ ts }, text, isRepeated = false) {
      const { message } = await api(
        tokens.leo,
        'chat.postMessage',
        { channel, thread_ts: ts, text },
        z.object({ message: Message }),
      )
      // Refused the first time, it comes again.
      isSpoiled = isRepeated
      const event = {
        ...message,
        type: 'message',
        channel,
        channel_type: 'channel',
        team: teamId,
        event_ts: message.ts,
      }
      const envelope = {
        type: 'event_callback',
        team_id: teamId,
        api_app_id: appId,
        event_id: `Ev${crypto.randomUUID().replaceAll('-', '')}`,
        event_time: Math.floor(Date.now() / 1_000),
        authorizations: [{ team_id: teamId, user_id: bot.bot_user_id, is_bot: true, is_enterprise_install: false }],
        event,
      }
      await webhooks.emit(JSON.stringify(envelope))
    },
    press: async (message, act, chosen) => post(await pressed(message, act, chosen)),
    forge: async (message, act) => post(await pressed(message, act), `${secret}f`),
    dialog: () => dialog?.title.text,
    async submit(fields) {
      if (!dialog) throw new Error('no dialog is open')
      const view = { ...dialog, state: { values: typedState(dialog.blocks, fields) } }
      const payload = { type: 'view_submission', ...head(), trigger_id: await trigger(), view, response_urls: [] }
      const answered = await post({ payload: JSON.stringify(payload) })
      const next = answered.body === '' ? {} : Next.parse(JSON.parse(answered.body))
      if (next.response_action === 'update' && next.view) dialog = { ...dialog, ...next.view }
      else if (next.response_action !== 'errors') dialog = undefined
      return answered
    },
    command: async (text) =>
      post({
        ...{ command: '/deskweave', text, user_id: user, team_id: teamId, channel_id: channel, channel_name: 'cases' },
        ...{ api_app_id: appId, is_enterprise_install: 'false', response_url: reply(), trigger_id: await trigger() },
      }),
    shown: () => shown,
    async close() {
      await webhooks.close()
      front.closeAllConnections()
      await new Promise((resolve) => front.close(resolve))
      await emulator.close()
    },
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
