/** Macros: named actions of rules that an agent applies to a case with one press. */
import { z } from 'zod'
import { loadMacros, type Macro, macroById, removeMacro, saveMacro, validateMacro } from '#hub/macros/index.ts'
import { audit } from '#hub/platform/db/audit.ts'
import { issueText, pathText } from '#hub/rules/index.ts'
import type { ApiHub } from '../hub.ts'
import { knownConnections } from '../known-connections.ts'
import { notFound, Problem } from '../problem.ts'
import { route } from '../route.ts'
import { byId, Plain } from '../wire.ts'

const tag = 'macros'

const MacroShape = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    actions: z.array(Plain).meta({ description: 'As in the `then` of a rule.' }),
  })
  .meta({ id: 'Macro' })

/** Its own checks say more than a schema could: places, near names, templates. */
const Definition = Plain.meta({
  id: 'MacroDefinition',
  description: 'A macro: `id`, `name`, `actions`, as in `deskweave.yaml`. At most one of the actions is a `reply`.',
})

function toMacro({ id, name, actions }: Macro): z.input<typeof MacroShape> {
  return { id, name, actions: actions.map((action) => Plain.parse(action)) }
}

/** @throws Problem naming the first mistake's place */
async function checked(hub: ApiHub, written: unknown): Promise<Macro> {
  const result = validateMacro(written, await knownConnections(hub))
  if (result.ok) return result.macro
  const [first] = result.issues
  const field = first ? pathText(first.path) : ''
  const more = result.issues.length > 1 ? ` (${result.issues.length - 1} more)` : ''
  const detail = `${field || 'the macro'}: ${first ? issueText(first) : ''}${more}`
  throw new Problem('invalid', detail, field ? { field } : {})
}

async function save(hub: ApiHub, macro: Macro, actor: string, mode: 'create' | 'put') {
  await hub.db.transaction().execute(async (trx) => {
    if (mode === 'create' && (await macroById(trx, macro.id))) {
      throw new Problem('conflict', `there is a macro "${macro.id}" already; change it with PUT`, { field: 'id' })
    }
    await saveMacro(trx, macro, hub.now())
    await audit(trx, actor, 'macro.saved', macro.id, { actions: macro.actions.flatMap(Object.keys) })
  })
  return toMacro(macro)
}

export const macroRoutes = [
  route({
    id: 'listMacros',
    method: 'GET',
    path: '/macros',
    summary: 'All macros in the order in which agents see them, on one page',
    tag,
    response: z.strictObject({ data: z.array(MacroShape), next: z.null() }),
    handler: async (hub) => ({ data: (await loadMacros(hub.db)).map(toMacro), next: null }),
  }),
  route({
    id: 'createMacro',
    method: 'POST',
    path: '/macros',
    summary: 'A new macro, the last in the menu',
    tag,
    status: 201,
    body: Definition,
    response: MacroShape,
    handler: async (hub, { body, actor }) => save(hub, await checked(hub, body), actor, 'create'),
  }),
  route({
    id: 'getMacro',
    method: 'GET',
    path: '/macros/{id}',
    summary: 'One macro',
    tag,
    params: byId,
    response: MacroShape,
    async handler(hub, { params }) {
      const macro = await macroById(hub.db, params.id)
      if (!macro) throw notFound()
      return toMacro(macro)
    },
  }),
  route({
    id: 'putMacro',
    method: 'PUT',
    path: '/macros/{id}',
    summary: 'Make or replace a macro',
    tag,
    params: byId,
    body: Definition,
    response: MacroShape,
    async handler(hub, { params, body, actor }) {
      const macro = await checked(hub, { id: params.id, ...body })
      if (macro.id !== params.id) {
        throw new Problem('invalid', `id: is "${macro.id}"; expected "${params.id}", as in the address`, {
          field: 'id',
        })
      }
      return await save(hub, macro, actor, 'put')
    },
  }),
  route({
    id: 'deleteMacro',
    method: 'DELETE',
    path: '/macros/{id}',
    summary: 'Take a macro away; what it did stays done',
    tag,
    params: byId,
    async handler(hub, { params, actor }) {
      await hub.db.transaction().execute(async (trx) => {
        if (!(await removeMacro(trx, params.id))) throw notFound()
        await audit(trx, actor, 'macro.removed', params.id)
      })
    },
  }),
]
