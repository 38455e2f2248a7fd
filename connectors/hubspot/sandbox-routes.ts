/** The part of HubSpot's API that the connector uses, on the sandbox's state. */
import { z } from 'zod'
import type { SandboxAnswer, SandboxRequest, SandboxRoute } from '#hub/connector/sandbox.ts'
import { apiVersion, conversationsVersion } from './config.ts'
import {
  type Crm,
  type CrmObject,
  CrmRefusal,
  type CrmThread,
  type Doer,
  modifiedName,
  type ObjectKind,
} from './sandbox-crm.ts'

export interface ApiOptions {
  readonly crm: Crm
  readonly portalId: string
  /** The app behind the token. */
  readonly doer: Doer
  readonly now: () => Date
  readonly indexLagMs: () => number
}

const kinds = ['tickets', 'contacts', 'companies', 'notes'] as const
const kind = z.enum(kinds)
const properties = z.record(z.string(), z.string())
const ids = z.array(z.object({ id: z.string() })).max(100, 'at most 100 inputs')
const BatchRead = z.object({ inputs: ids, properties: z.array(z.string()), idProperty: z.string().optional() })
const Upsert = z.object({
  inputs: z
    .array(z.object({ id: z.string(), idProperty: z.string(), properties, objectWriteTraceId: z.string().optional() }))
    .max(100),
})
const Update = z.object({
  inputs: z.array(z.object({ id: z.string(), properties, objectWriteTraceId: z.string().optional() })).max(100),
})
const Create = z.object({
  properties,
  associations: z
    .array(
      z.object({
        to: z.object({ id: z.string() }),
        types: z.array(z.object({ associationCategory: z.literal('HUBSPOT_DEFINED'), associationTypeId: z.number() })),
      }),
    )
    .default([]),
})
const Search = z.object({
  filterGroups: z
    .array(
      z.object({
        filters: z
          .array(z.object({ propertyName: z.string(), operator: z.enum(['GTE', 'GT', 'EQ']), value: z.string() }))
          .max(6),
      }),
    )
    .max(5),
  sorts: z.array(z.string()).default([]),
  properties: z.array(z.string()).default([]),
  limit: z.number().max(200).default(10),
  after: z.string().default('0'),
})

/** The association that HubSpot itself defines between two kinds of records. */
const associationTypes: Readonly<Record<string, number>> = {
  'tickets>contacts': 16,
  'notes>tickets': 228,
  'notes>contacts': 202,
}

export function apiRoutes(options: ApiOptions): SandboxRoute[] {
  const { crm, doer, now } = options
  const route = (
    method: string,
    path: string,
    answer: (request: SandboxRequest) => SandboxAnswer,
    budget?: string,
  ): SandboxRoute => ({
    method,
    path,
    ...(budget ? { budget } : {}),
    answer(request) {
      try {
        return answer(request)
      } catch (error) {
        return refusal(error)
      }
    },
  })
  const objects = `/crm/objects/${apiVersion}/:kind`
  const threads = `/conversations/conversations/${conversationsVersion}/threads`

  return [
    route('GET', `/account-info/${apiVersion}/details`, () =>
      json({
        portalId: Number(options.portalId),
        accountType: 'SANDBOX',
        timeZone: 'UTC',
        uiDomain: 'app.hubspot.com',
      }),
    ),
    route('GET', `/crm/owners/${apiVersion}`, (request) => {
      const { rows, paging } = pageOf(request, crm.owners)
      return json({ results: rows.map((owner) => ({ ...owner, teams: [], archived: false })), ...paging })
    }),
    route('GET', `/crm/pipelines/${apiVersion}/tickets`, () => {
      const stages = crm.stages.map(({ id, label, isClosed }, displayOrder) => {
        return { id, label, displayOrder, metadata: { ticketState: isClosed ? 'CLOSED' : 'OPEN' } }
      })
      return json({ results: [{ id: '0', label: 'Support Pipeline', displayOrder: 0, stages }] })
    }),
    route('GET', `/crm/properties/${apiVersion}/:kind/:name`, ({ params }) => {
      const type = z.enum(['tickets', 'contacts']).parse(params['kind'])
      const found = crm.properties[type].find((one) => one.name === params['name'])
      if (!found) throw new CrmRefusal(404, 'OBJECT_NOT_FOUND', `Property ${params['name']} does not exist`)
      return json(found)
    }),
    route('POST', `${objects}/batch/read`, (request) => {
      const type = kindOf(request)
      const { inputs, properties: names, idProperty } = BatchRead.parse(request.json())
      const found = inputs.map(({ id }) => crm.find(type, id, idProperty))
      const results = found.filter((one) => one !== undefined).map((one) => objectJson(one, names))
      if (results.length === inputs.length) return json({ status: 'COMPLETE', results })
      const missing = inputs.filter((_, at) => !found[at]).map(({ id }) => id)
      const error = { status: 'error', category: 'OBJECT_NOT_FOUND', message: 'Could not get some objects' }
      return json({ status: 'COMPLETE', results, numErrors: 1, errors: [{ ...error, context: { ids: missing } }] }, 207)
    }),
    route('POST', `${objects}/batch/upsert`, (request) => {
      const type = kindOf(request)
      const { inputs } = Upsert.parse(request.json())
      const results = inputs.map(({ id, idProperty, properties: given }) => {
        const known = crm.find(type, id, idProperty)
        if (known) crm.update(known, given, doer)
        const object = known ?? crm.create(type, { ...given, [idProperty]: id }, doer)
        return { ...objectJson(object, Object.keys(given)), new: !known }
      })
      return json({ status: 'COMPLETE', results })
    }),
    route('POST', `${objects}/batch/update`, (request) => {
      const type = kindOf(request)
      const { inputs } = Update.parse(request.json())
      const results = inputs.map(({ id, properties: given }) => {
        const object = crm.get(type, id)
        crm.update(object, given, doer)
        return objectJson(object, Object.keys(given))
      })
      return json({ status: 'COMPLETE', results })
    }),
    route('POST', `${objects}/search`, (request) => json(searched(options, request)), 'search'),
    route('GET', objects, (request) => {
      const { rows, paging } = pageOf(request, crm.all(kindOf(request)))
      return json({ results: rows.map((one) => objectJson(one, [])), ...paging })
    }),
    route('POST', objects, (request) => {
      const type = kindOf(request)
      const { properties: given, associations } = Create.parse(request.json())
      for (const { to, types } of associations) {
        const other = crm.objects.get(to.id)
        const wanted = other && associationTypes[`${type}>${other.kind}`]
        if (wanted === undefined || types.some((one) => one.associationTypeId !== wanted)) {
          throw new CrmRefusal(400, 'VALIDATION_ERROR', `No association of this type from ${type} to ${to.id}`)
        }
      }
      const object = crm.create(
        type,
        given,
        doer,
        associations.map(({ to }) => to.id),
      )
      return json(objectJson(object, Object.keys(given)), 201)
    }),
    route('PATCH', `${objects}/:id`, (request) => {
      const object = crm.get(kindOf(request), request.params['id'] ?? '')
      const { properties: given } = z.object({ properties }).parse(request.json())
      const stage = given['hs_pipeline_stage']
      if (stage !== undefined && !crm.stages.some(({ id }) => id === stage)) {
        throw new CrmRefusal(400, 'VALIDATION_ERROR', `${stage} is not a valid pipeline stage ID`)
      }
      crm.update(object, given, doer)
      return json(objectJson(object, Object.keys(given)))
    }),
    route('DELETE', `${objects}/:id`, (request) => {
      crm.archive(crm.get(kindOf(request), request.params['id'] ?? ''), doer)
      return { status: 204 }
    }),
    route('POST', `/files/${apiVersion}/files`, (request) => {
      const file = { id: crm.newId(), ...fileIn(request) }
      crm.files.push(file)
      return json({ id: file.id, name: file.name, size: file.content.length, access: 'PRIVATE' }, 201)
    }),
    route('POST', `/crm/associations/${apiVersion}/:from/:to/batch/read`, (request) => {
      const to = kind.parse(request.params['to'])
      const { inputs } = z.object({ inputs: z.array(z.object({ id: z.string() })).max(1000) }).parse(request.json())
      const results = inputs.flatMap(({ id }) => {
        const others = crm.associated(id, to)
        const types = [{ category: 'HUBSPOT_DEFINED', typeId: 16, label: null }]
        const found = others.map((other) => ({ toObjectId: Number(other), associationTypes: types }))
        return found.length > 0 ? [{ from: { id }, to: found }] : []
      })
      const errors = { numErrors: inputs.length - results.length, errors: [{ category: 'OBJECT_NOT_FOUND' }] }
      return results.length === inputs.length
        ? json({ status: 'COMPLETE', results })
        : json({ status: 'COMPLETE', results, ...errors }, 207)
    }),
    route('GET', threads, (request) => {
      const contactId = request.query.get('associatedContactId')
      const found = crm.threads.filter((thread) => contactId === null || thread.contactId === contactId)
      const { rows, paging } = pageOf(request, found)
      return json({ results: rows.map((one) => threadJson(one, request.query.get('association'))), ...paging })
    }),
    route('POST', `${threads}/:id/messages`, (request) => {
      const thread = crm.threads.find((one) => one.id === request.params['id'])
      if (!thread) throw new CrmRefusal(404, 'OBJECT_NOT_FOUND', 'thread not found')
      const body = z
        .looseObject({
          type: z.enum(['MESSAGE', 'COMMENT']),
          text: z.string(),
          senderActorId: z.string().startsWith('A-'),
        })
        .parse(request.json())
      const message = { id: crm.newId(), at: now(), body }
      thread.messages.push(message)
      return json({ id: message.id, createdAt: message.at.toISOString(), ...body }, 201)
    }),
  ]
}

function searched({ crm, indexLagMs }: ApiOptions, request: SandboxRequest) {
  const type = kindOf(request)
  const { filterGroups, sorts, properties: names, limit, after } = Search.parse(request.json())
  const rows = [...crm.objects.values()].flatMap((object) => {
    const shown = object.kind === type && !object.isArchived ? crm.indexed(object, indexLagMs()) : undefined
    if (!shown) return []
    const numbers: Readonly<Record<string, number>> = {
      hs_object_id: Number(object.id),
      [modifiedName(type)]: shown.at.getTime(),
    }
    const fits = filterGroups.every(({ filters }) =>
      filters.every(({ propertyName, operator, value }) => {
        const found = numbers[propertyName]
        if (found === undefined) return shown.properties[propertyName] === value
        return operator === 'GTE'
          ? found >= Number(value)
          : operator === 'GT'
            ? found > Number(value)
            : found === Number(value)
      }),
    )
    return fits ? [{ ...object, properties: shown.properties, updatedAt: shown.at }] : []
  })
  const ordered = sorts.includes('hs_object_id') ? rows.toSorted((a, b) => Number(a.id) - Number(b.id)) : rows
  const start = Number(after)
  if (start + limit > 10_000) throw new CrmRefusal(400, 'VALIDATION_ERROR', 'paging beyond 10000 results')
  const results = ordered.slice(start, start + limit).map((one) => objectJson(one, names))
  const next = start + limit < ordered.length ? { paging: { next: { after: String(start + limit) } } } : {}
  return { total: ordered.length, results, ...next }
}

function json(body: object, status = 200): SandboxAnswer {
  return { status, json: body }
}

function refusal(error: unknown): SandboxAnswer {
  if (error instanceof CrmRefusal) {
    return json(
      { status: 'error', message: error.message, category: error.category, correlationId: 'sandbox' },
      error.status,
    )
  }
  if (error instanceof z.ZodError || error instanceof SyntaxError) {
    return json(
      { status: 'error', message: error.message, category: 'VALIDATION_ERROR', correlationId: 'sandbox' },
      400,
    )
  }
  throw error
}

/** The file of a form, and what must stand beside it. */
function fileIn({ headers, body }: SandboxRequest): { name: string; content: Buffer } {
  const boundary = /^multipart\/form-data; boundary=([\w-]{1,70})$/.exec(headers['content-type'] ?? '')?.[1]
  const parts = body.toString('latin1').split(`--${boundary}`)
  const part = (name: string) => parts.find((one) => one.includes(`form-data; name="${name}"`))
  const [head = '', content = ''] = part('file')?.split(/\r\n\r\n([\s\S]*)\r\n$/) ?? []
  const isComplete = part('options')?.includes('"access":"PRIVATE"') && part('folderPath') && parts.at(-1) === '--\r\n'
  if (!isComplete || !head) throw new CrmRefusal(400, 'VALIDATION_ERROR', 'file, folderPath and options are needed')
  const name = Buffer.from(/filename="([^"]*)"/.exec(head)?.[1] ?? '', 'latin1').toString()
  return { name, content: Buffer.from(content, 'latin1') }
}

function kindOf(request: SandboxRequest): ObjectKind {
  return kind.parse(request.params['kind'])
}

function pageOf<T>(request: SandboxRequest, all: readonly T[]) {
  const limit = Number(request.query.get('limit') ?? 10)
  const start = Number(request.query.get('after') ?? 0)
  const end = start + limit
  return { rows: all.slice(start, end), paging: end < all.length ? { paging: { next: { after: String(end) } } } : {} }
}

function objectJson(object: CrmObject, names: readonly string[]) {
  const builtIn: Readonly<Record<string, string>> = {
    hs_object_id: object.id,
    createdate: object.createdAt.toISOString(),
    [modifiedName(object.kind)]: object.updatedAt.toISOString(),
  }
  const wanted = [...new Set([...Object.keys(builtIn), ...names])]
  return {
    id: object.id,
    properties: Object.fromEntries(wanted.map((name) => [name, builtIn[name] ?? object.properties[name] ?? null])),
    createdAt: object.createdAt.toISOString(),
    updatedAt: object.updatedAt.toISOString(),
    archived: object.isArchived,
  }
}

function threadJson(thread: CrmThread, association: string | null) {
  return {
    id: thread.id,
    status: 'OPEN',
    inboxId: '700',
    associatedContactId: thread.contactId,
    originalChannelId: thread.channelId,
    originalChannelAccountId: thread.channelAccountId,
    ...(association === 'TICKET' ? { threadAssociations: { associatedTicketId: thread.ticketId } } : {}),
  }
}
