/** The index of connectors, and the table of what each can do. */
import { existsSync, readdirSync } from 'node:fs'
import type { Capabilities, Connector, EffectClass } from '#hub/connector/contract.ts'
import { type Quality, readQuality, tierOf } from '../../test/kit/conformance/quality.ts'
import type { Generator } from '../generate.ts'
import { betweenMarkers, table } from './markers.ts'
import { exportName } from './naming.ts'

/** Folders with a manifest; those that begin with `_` are no connectors. */
function connectorIds(root: URL): string[] {
  const folder = new URL('connectors/', root)
  return readdirSync(folder)
    .filter((name) => !name.startsWith('_') && existsSync(new URL(`${name}/manifest.json`, folder)))
    .sort()
}

export const connectorIndex: Generator = {
  file: 'connectors/index.ts',
  async render(root) {
    const entries = connectorIds(root).map((id) => {
      const name = exportName(id)
      return `  ${name === id ? id : `'${id}'`}: async () => (await import('./${id}/connector.ts')).${name},\n`
    })
    return `// Written by \`npm run generate\` from the folders beside it.
import type { Connector } from '#hub/connector/contract.ts'

/** Every connector there is, loaded when it is asked for. */
export const connectors = {
${entries.join('')}} as const satisfies Readonly<Record<string, () => Promise<Connector>>>
`
  },
}

export const connectorTable: Generator = {
  file: 'README.md',
  async render(root, before) {
    if (before === undefined) return undefined
    const rows = await Promise.all(connectorIds(root).map((id) => row(root, id)))
    const head = ['connector', 'webhooks in', 'finds what they missed', 'writes', 'after a lost answer', 'quality']
    return betweenMarkers(before, 'connectors', table(head, rows))
  },
}

async function row(root: URL, id: string): Promise<string[]> {
  const folder = new URL(`connectors/${id}/`, root)
  const module: Readonly<Record<string, Connector>> = await import(new URL('connector.ts', folder).href)
  const connector = module[exportName(id)]
  if (!connector) throw new Error(`connectors/${id}/connector.ts: expected an export named ${exportName(id)}`)
  const { can, manifest } = connector
  return [
    `[${manifest.name}](connectors/${id}/README.md)`,
    can.receive ? 'yes' : '–',
    can.changes ? 'yes' : '–',
    written(can),
    afterLostAnswer(can),
    standing(id, readQuality(folder)),
  ]
}

function written(can: Capabilities<unknown>): string {
  const parts = [
    can.writeCase && (can.writeCase.isConversation ? 'cases, replies' : 'cases, replies, notes'),
    can.writePerson && 'people',
    (can.writeRating || can.writePersonRating) && 'ratings',
    can.notify && 'messages',
  ]
  return parts.filter(Boolean).join(', ') || '–'
}

const words = {
  keyed: 'repeats by key',
  probed: 'looks first',
  at_least_once: 'may do it twice',
} as const satisfies Record<EffectClass, string>

/** The most common way first; calls that differ are named. */
function afterLostAnswer(can: Capabilities<unknown>): string {
  const effects = [can.writeCase, can.writePerson, can.writeRating, can.writePersonRating, can.notify].flatMap(
    (capability) => (capability ? Object.entries<EffectClass>(capability.effects) : []),
  )
  const calls = Map.groupBy(effects, ([, effect]) => effect)
  const ways = [...calls].sort(([, a], [, b]) => b.length - a.length)
  const told = ways.map(([effect, of], index) =>
    index === 0 ? words[effect] : `${words[effect]} (${[...new Set(of.map(([call]) => call))].join(', ')})`,
  )
  return told.join('; ') || '–'
}

function standing(id: string, quality: Quality): string {
  const exempt = Object.values(quality).filter((rule) => rule !== 'done' && 'exempt' in rule).length
  const tier = tierOf(quality) ?? 'in progress'
  return exempt === 0 ? tier : `${tier}, [${exempt} exempt](connectors/${id}/quality.json)`
}
