/** Connected accounts: installed, looked at, changed, paused, removed. */
import { z } from 'zod'
import { ConnectionRefused, type Connections, type ConnectionView, InvalidConfig } from '#hub/connections/index.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import { installLink, NoInstallLink } from '#hub/oauth/index.ts'
import { audit } from '#hub/platform/db/audit.ts'
import { notFound, Problem } from '../problem.ts'
import { route } from '../route.ts'
import { byId, Id, MaybeTime, maybeTime, Plain, Time, time } from '../wire.ts'

const tag = 'connections'
const statuses = ['connected', 'degraded', 'needs_attention', 'paused'] as const

const Connection = z
  .strictObject({
    id: z.string(),
    connector: z.string(),
    name: z.string(),
    status: z.enum(statuses),
    status_reason: z.string().nullable(),
    account: z.string().nullable().meta({ description: 'What the vendor calls the account.' }),
    config: Plain.meta({ description: 'The settings without their secrets.' }),
    webhook_url: z.string(),
    last_inbound_at: MaybeTime,
    last_reconciled_at: MaybeTime,
    created_at: Time,
    updated_at: Time,
  })
  .meta({ id: 'Connection' })

const Webhook = z
  .strictObject({ url: z.string(), secret: z.string().meta({ description: 'Shown this once.' }) })
  .meta({ id: 'Webhook' })

const Installation = z
  .strictObject({
    key: z.string().meta({ description: "The vendor's id of the workspace or tenant." }),
    name: z.string(),
    installed_at: Time,
  })
  .meta({ id: 'Installation' })

const Name = z.string().trim().min(1).max(100)

function toConnection(view: ConnectionView): z.input<typeof Connection> {
  return {
    id: view.id,
    connector: view.connector,
    name: view.name,
    status: view.status,
    status_reason: view.statusReason,
    account: view.account,
    config: view.config,
    webhook_url: view.webhookUrl,
    last_inbound_at: maybeTime(view.lastInboundAt),
    last_reconciled_at: maybeTime(view.lastReconciledAt),
    created_at: time(view.createdAt),
    updated_at: time(view.updatedAt),
  }
}

/** What the room refuses, in the API's words. */
async function asked<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof InvalidConfig) {
      const field = error.problems[0]?.field
      throw new Problem('invalid', error.message, { field: field && field !== 'config' ? `config.${field}` : 'config' })
    }
    if (error instanceof ConnectionRefused) throw refusal(error)
    if (error instanceof NoInstallLink) throw new Problem('conflict', error.message)
    if (error instanceof TypeError && error.message.startsWith('webhook secret')) {
      throw new Problem('invalid', error.message, { field: 'new_secret' })
    }
    throw error
  }
}

function refusal(error: ConnectionRefused): Problem {
  switch (error.code) {
    case 'not_found':
      return notFound()
    case 'unknown_connector':
      return new Problem('invalid', error.message, { field: 'connector' })
    case 'check_failed':
      return new Problem('invalid', error.message, { field: 'config' })
    case 'name_taken':
      return new Problem('conflict', error.message, { field: 'name' })
    case 'changed_meanwhile':
      return new Problem('conflict', error.message)
  }
}

async function one(connections: Connections, id: string): Promise<z.input<typeof Connection>> {
  const view = await connections.get(id)
  if (!view) throw notFound()
  return toConnection(view)
}

export const connectionRoutes = [
  route({
    id: 'listConnections',
    method: 'GET',
    path: '/connections',
    summary: 'All connections; there are few, so they come on one page',
    tag,
    response: z.strictObject({ data: z.array(Connection), next: z.null() }),
    handler: async (hub) => ({ data: (await hub.connections.list()).map(toConnection), next: null }),
  }),
  route({
    id: 'createConnection',
    method: 'POST',
    path: '/connections',
    summary: 'Connect an account: the settings are checked at the vendor before they are saved',
    tag,
    status: 201,
    body: z.strictObject({
      connector: Id.meta({ description: 'Such as `desk`; an unknown one lists those there are.' }),
      name: Name,
      config: Plain.meta({ description: "As the connector's README says." }),
    }),
    response: z.strictObject({
      id: z.string(),
      connector: z.string(),
      name: z.string(),
      status: z.enum(statuses),
      webhook: Webhook.optional(),
    }),
    async handler(hub, { body, actor }) {
      return await asked(hub.connections.install(body.connector, body.name, body.config, actor))
    },
  }),
  route({
    id: 'getConnection',
    method: 'GET',
    path: '/connections/{id}',
    summary: 'One connection',
    tag,
    params: byId,
    response: Connection,
    handler: (hub, { params }) => one(hub.connections, params.id),
  }),
  route({
    id: 'updateConnection',
    method: 'PATCH',
    path: '/connections/{id}',
    summary: 'Rename, change settings, pause or resume',
    tag,
    problems: ['conflict'],
    params: byId,
    body: z
      .strictObject({
        name: Name,
        config: Plain.meta({ description: 'The whole settings; secrets that are left out stay.' }),
        status: z.enum(['paused', 'connected']).meta({ description: 'To pause it, or to let it work again.' }),
      })
      .partial()
      .refine((change) => Object.keys(change).length > 0, 'give name, config or status'),
    response: Connection,
    async handler(hub, { params, body, actor }) {
      const { status, name, config } = body
      if (name !== undefined || config !== undefined) {
        const change = { ...(name === undefined ? {} : { name }), ...(config === undefined ? {} : { config }) }
        await asked(hub.connections.update(params.id, change, actor))
      }
      if (status === 'paused') await asked(hub.connections.pause(params.id, actor))
      if (status === 'connected') await asked(hub.connections.resume(params.id, actor))
      return await one(hub.connections, params.id)
    },
  }),
  route({
    id: 'deleteConnection',
    method: 'DELETE',
    path: '/connections/{id}',
    summary: 'Disconnect: its webhooks are refused and its waiting deliveries cancelled; cases and profiles stay',
    tag,
    params: byId,
    handler: (hub, { params, actor }) => asked(hub.connections.remove(params.id, actor)),
  }),
  route({
    id: 'rotateSecret',
    method: 'POST',
    path: '/connections/{id}/rotate-secret',
    summary: 'A new webhook secret; the former one stays good until the overlap ends',
    tag,
    params: byId,
    body: z
      .strictObject({
        new_secret: z
          .string()
          .max(500)
          .optional()
          .meta({ description: 'For vendors that make the secret themselves.' }),
        overlap_hours: z.number().min(0).max(720).default(24),
      })
      .prefault({}),
    response: Webhook,
    async handler(hub, { params, body, actor }) {
      const options = {
        overlapHours: body.overlap_hours,
        ...(body.new_secret === undefined ? {} : { newSecret: body.new_secret }),
      }
      return await asked(hub.connections.rotateWebhookSecret(params.id, options, actor))
    },
  }),
  route({
    id: 'createInstallLink',
    method: 'POST',
    path: '/connections/{id}/install-link',
    summary:
      "A link by which an administrator of a workspace installs the connection's app there: good once, for a day",
    tag,
    status: 201,
    params: byId,
    response: z.strictObject({ url: z.string(), expires_at: Time }).meta({ id: 'InstallLink' }),
    async handler(hub, { params, actor }) {
      const link = await asked(installLink(hub, params.id, actor))
      if (!link) throw notFound()
      await audit(hub.db, actor, 'connection.install_link', params.id)
      return { url: link.url, expires_at: time(link.expiresAt) }
    },
  }),
  route({
    id: 'listInstallations',
    method: 'GET',
    path: '/connections/{id}/installations',
    summary: "Where the connection's app is installed; there are few, so they come on one page",
    tag,
    params: byId,
    response: z.strictObject({ data: z.array(Installation), next: z.null() }),
    async handler(hub, { params }) {
      if (!(await hub.connections.get(params.id))) throw notFound()
      const all = await hub.connections.installationsOf(params.id)
      const data = all.map(({ key, name, installedAt }) => ({ key, name, installed_at: time(installedAt) }))
      return { data, next: null }
    },
  }),
  route({
    id: 'reconcileConnection',
    method: 'POST',
    path: '/connections/{id}/reconcile',
    summary: 'Read now what changed at the vendor since the last time, instead of within a minute',
    tag,
    params: byId,
    response: z.strictObject({ read: z.int().meta({ description: 'How many things the vendor told, known or not.' }) }),
    async handler(hub, { params, actor }) {
      const view = await hub.connections.get(params.id)
      if (!view) throw notFound()
      if (view.status === 'paused' || view.status === 'needs_attention') {
        throw new Problem('conflict', `the connection is ${view.status}; mend or resume it first`)
      }
      await audit(hub.db, actor, 'connection.reconciled', params.id)
      try {
        const read = await hub.reconciliation.run(params.id)
        await hub.connections.reportSuccess(params.id)
        return { read }
      } catch (error) {
        if (!(error instanceof ConnectorError)) throw error
        await hub.connections.reportFailure(params.id, error)
        throw new Problem('conflict', `the vendor could not be read: ${error.message}`)
      }
    },
  }),
]
