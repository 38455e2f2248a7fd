/** A channel as Microsoft Graph knows it: Teams tells the bot of its team under another name. */
import { z } from 'zod'
import { ConnectorError } from '#hub/connector/errors.ts'
import { callApi, type Teams } from './client.ts'
import { isEmulator } from './config.ts'
import { askGraph } from './graph.ts'
import { inPath } from './in-path.ts'
import type { Reference } from './reference.ts'

const WireTeam = z.object({ aadGroupId: z.string().min(1) })

/** @returns its path in Microsoft Graph. @throws ConnectorError rejected where nobody has told which team it belongs to */
export async function channelPath(ctx: Teams, reference: Reference): Promise<string> {
  const { service, tenant } = reference
  if (isEmulator(service, ctx.config)) throw new ConnectorError('rejected', 'the playground keeps no files')
  if (tenant !== ctx.config.tenant_id)
    throw new ConnectorError('rejected', 'Microsoft Graph shows the app nothing of tenants other than its own')
  const group = reference.group ?? (await groupOf(ctx, reference))
  return `/teams/${inPath(group)}/channels/${inPath(reference.conversation)}`
}

async function groupOf(ctx: Teams, { service, conversation, team }: Reference): Promise<string> {
  if (team === undefined)
    throw new ConnectorError('rejected', `Teams has not told which team ${conversation} belongs to`)
  const call = { service, budget: 'members', budgetKey: team } as const
  const { aadGroupId } = await callApi(ctx, call, WireTeam, (api) => api.teams.getById(inPath(team)))
  return aadGroupId
}

const WireFolder = z.object({ id: z.string().min(1), parentReference: z.object({ driveId: z.string().min(1) }) })

/** Where the files of a channel lie; everybody in it may open them. */
export async function folderOf(
  ctx: Teams,
  reference: Reference,
): Promise<{ readonly driveId: string; readonly id: string }> {
  const path = await channelPath(ctx, reference)
  const { id, parentReference } = await askGraph(ctx, `${path}/filesFolder`, WireFolder)
  return { id, driveId: parentReference.driveId }
}
