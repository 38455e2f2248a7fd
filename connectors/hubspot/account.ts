/** What an account is made of: owners, stages of pipelines, definitions of properties. Each is read once in ten minutes. */
import { ConnectorError } from '#hub/connector/errors.ts'
import type { AgentFacts, CaseStatus } from '#hub/connector/facts.ts'
import { call, type Hubspot } from './client.ts'
import { apiVersion } from './config.ts'
import { customNames, type Fields, type Stage, statusOfStage, toAgent, traitNames } from './mapping.ts'
import { remembered } from './remember.ts'
import { type WireOwner, WireOwners, WirePipelines, WireProperty } from './wire.ts'

export const owners = remembered(async (ctx): Promise<ReadonlyMap<string, WireOwner>> => {
  const found = new Map<string, WireOwner>()
  let after: string | undefined
  do {
    const page = await call(ctx, WireOwners, 'GET', `/crm/owners/${apiVersion}`, { query: { limit: '100', after } })
    for (const owner of page.results) found.set(owner.id, owner)
    after = page.paging?.next?.after
  } while (after !== undefined)
  return found
})

/** Read anew: the hub remembers them itself. */
export async function listAgents(ctx: Hubspot): Promise<readonly AgentFacts[]> {
  const all = await owners.again(ctx)
  return [...all.values()].map((owner) => toAgent(owner.id, all)).filter((agent) => agent !== null)
}

/** @throws ConnectorError rejected when nobody has this address. */
export async function ownerIdOf(ctx: Hubspot, email: string): Promise<string> {
  const wanted = email.toLowerCase()
  const find = (all: ReadonlyMap<string, WireOwner>) => all.values().find((one) => one.email?.toLowerCase() === wanted)
  const owner = find(await owners(ctx)) ?? find(await owners.again(ctx))
  if (owner) return owner.id
  throw new ConnectorError(
    'rejected',
    `assignee "${email}": no owner of HubSpot account ${ctx.config.portal_id} has this e-mail address; invite them or assign somebody else`,
  )
}

/** Stages in the order of their pipeline. */
const stages = remembered(async (ctx): Promise<readonly Stage[]> => {
  const { results } = await call(ctx, WirePipelines, 'GET', `/crm/pipelines/${apiVersion}/tickets`)
  return results.flatMap((pipeline) =>
    pipeline.stages
      .toSorted((a, b) => a.displayOrder - b.displayOrder)
      .map(({ id, label, metadata }) => {
        const status = statusOfStage({ id, label, ticketState: metadata?.ticketState }, ctx.config)
        return { id, label, status, pipelineId: pipeline.id }
      }),
  )
})

/** @param wanted ids of stages; one that is not known yet was added lately. */
export async function stagesById(ctx: Hubspot, wanted: Iterable<string>): Promise<ReadonlyMap<string, Stage>> {
  const byId = (all: readonly Stage[]) => new Map(all.map((stage) => [stage.id, stage]))
  const known = byId(await stages(ctx))
  return [...wanted].every((id) => known.has(id)) ? known : byId(await stages.again(ctx))
}

/**
 * The stage of a pipeline that means a status: the current one if it does, else the first.
 * @throws ConnectorError rejected when there is none.
 */
export async function stageFor(
  ctx: Hubspot,
  status: CaseStatus,
  pipelineId: string,
  currentStageId: string | undefined,
): Promise<string> {
  const own = (await stages(ctx)).filter((stage) => stage.pipelineId === pipelineId)
  const meaning = (wanted: CaseStatus) => own.filter((stage) => stage.status === wanted)
  const fitting = meaning(status)
  // HubSpot's own pipelines know one kind of closed.
  const candidates = fitting.length > 0 || status !== 'closed' ? fitting : meaning('solved')
  const stage = candidates.find((one) => one.id === currentStageId) ?? candidates[0]
  if (stage) return stage.id
  const names = own.map((one) => `"${one.label}" (${one.id}, ${one.status})`).join(', ')
  throw new ConnectorError(
    'rejected',
    `status "${status}": no stage of pipeline "${pipelineId}" means it; name one in the setting "stages". It has ${names.slice(0, 300)}`,
  )
}

/** @throws ConnectorError rejected when the account has no such pipeline. */
export async function firstStageOf(ctx: Hubspot, pipelineId: string): Promise<string> {
  const all = await stages(ctx)
  const stage = all.find((one) => one.pipelineId === pipelineId)
  if (stage) return stage.id
  const ids = [...new Set(all.map((one) => `"${one.pipelineId}"`))].join(', ')
  throw new ConnectorError('rejected', `pipeline_id "${pipelineId}": no such ticket pipeline; the account has ${ids}`)
}

export const ticketFields = remembered((ctx) => definitions(ctx, 'tickets', customNames(ctx.config)))
export const contactFields = remembered((ctx) => definitions(ctx, 'contacts', traitNames(ctx.config)))

async function definitions(ctx: Hubspot, type: 'tickets' | 'contacts', names: readonly string[]): Promise<Fields> {
  const found = new Map<string, WireProperty>()
  for (const name of names) {
    const property = await definition(ctx, type, name)
    if (property) found.set(name, property)
  }
  return found
}

/** @returns `undefined` when there is no such property. */
export async function definition(
  ctx: Hubspot,
  type: 'tickets' | 'contacts',
  name: string,
): Promise<WireProperty | undefined> {
  try {
    return await call(ctx, WireProperty, 'GET', `/crm/properties/${apiVersion}/${type}/${name}`)
  } catch (error) {
    if (error instanceof ConnectorError && error.code === 'not_found') return undefined
    throw error
  }
}
