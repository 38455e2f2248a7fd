/**
 * Socket Mode: for a hub that Slack cannot reach, the hub opens the line and Slack sends its requests down it, unsigned, as the
 * line itself was opened with the app's token. Slack closes it every few hours; the hub opens it again.
 * https://docs.slack.dev/apis/events-api/using-socket-mode
 */
import { z } from 'zod'
import type { Reply } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { errorOf, type Slack, sdkOptions } from './client.ts'
import type { SlackConfig } from './config.ts'

type Take = (body: string) => Promise<Reply>

export function isWanted({ app_token: token }: SlackConfig): boolean {
  return token !== undefined
}

const Envelope = z.object({
  body: z.looseObject({}),
  ack: z.custom<(response?: Record<string, unknown>) => Promise<void>>((value) => typeof value === 'function'),
})
const Payload = z.record(z.string(), z.unknown())

/** Runs until the signal aborts or Slack ends the line. @throws ConnectorError */
export async function run(ctx: Slack, take: Take): Promise<void> {
  const { app_token: appToken } = ctx.config
  if (!appToken) throw new ConnectorError('auth_failed', 'Slack: app_token is not set; make one with connections:write')
  const [{ SocketModeClient }, { Agent, buildConnector }] = await Promise.all([
    import('@slack/socket-mode'),
    import('undici'),
  ])
  const connect = buildConnector({ allowH2: false })
  // The address that was checked is the one that is called.
  const dispatcher = new Agent({
    connect(options, callback) {
      const port = Number(options.port || (options.protocol === 'https:' ? 443 : 80))
      ctx.net.resolve(options.hostname, port).then(
        ({ address, servername }) => connect({ ...options, hostname: address, servername }, callback),
        (error: Error) => callback(error, null),
      )
    },
  })
  const { logger, ...clientOptions } = sdkOptions(ctx, {})
  const client = new SocketModeClient({ appToken, logger, clientOptions, dispatcher, autoReconnectEnabled: false })
  client.on('slack_event', (given: unknown) => {
    pass(given, take).catch((error: unknown) => {
      // Not acknowledged, so Slack sends it again.
      ctx.log.warn({ err: error }, 'a request of Slack could not be stored')
    })
  })
  const ended = new Promise<void>((resolve) => client.once('disconnected', () => resolve()))
  const hangUp = () => void client.disconnect()
  try {
    await client.start().catch((error: unknown) => {
      throw error === undefined
        ? new ConnectorError('unavailable', 'Slack ended the line before it stood')
        : errorOf(error, 'apps.connections.open')
    })
    ctx.signal.addEventListener('abort', hangUp, { once: true })
    if (ctx.signal.aborted) hangUp()
    await ended
  } finally {
    ctx.signal.removeEventListener('abort', hangUp)
    await dispatcher.destroy()
  }
}

/** Stored first, then acknowledged, with the answer for those who wait for one. */
async function pass(given: unknown, take: Take): Promise<void> {
  const { body, ack } = Envelope.parse(given)
  const { body: text } = await take(JSON.stringify(body))
  await ack(text === '' ? undefined : Payload.parse(JSON.parse(text)))
}
