/** Which call of a connector performs an action: one table. */
import type { Capabilities, CaseChange, Context, EffectClass, Found, Receipt } from '#hub/connector/contract.ts'
import type { Action } from '#hub/outbox/action.ts'

export interface VendorCall {
  readonly effect: EffectClass
  run(): Promise<Receipt>
  /** Has the key been written already? For `probed` calls. */
  find?(): Promise<Found>
  /** The call again on what the vendor holds now. */
  afterConflict?(): Promise<VendorCall>
}

/** What is seen in a chat tool is drawn first: see `#hub/chat`. */
type VendorAction = Exclude<Action, { type: 'webhook' | 'chat.show' }>
type Can = Capabilities<unknown>
type Table = {
  readonly [Type in VendorAction['type']]: (
    can: Can,
    ctx: Context<unknown>,
    action: Extract<VendorAction, { type: Type }>,
    key: string,
  ) => VendorCall | undefined
}

/** Done as it is. */
export const nothingToDo: VendorCall = { effect: 'keyed', run: async () => ({}) }

const calls: Table = {
  'case.create': ({ writeCase }, ctx, { caseId, draft }, key) =>
    writeCase && {
      effect: writeCase.effects.create,
      run: () => writeCase.create(ctx, draft, key),
      ...(writeCase.find ? { find: async () => writeCase.find?.(ctx, 'create', caseId, key) } : {}),
    },
  'case.update': (can, ctx, { externalId, change }, key) => updateCall(can, ctx, externalId, change, key),
  'case.message': ({ writeCase }, ctx, { externalId, message }, key) => {
    if (!writeCase || externalId === null) return undefined
    // A note on a case that lives only where the customer reads everything: it stays in the hub.
    if (writeCase.isConversation && message.visibility === 'internal') return nothingToDo
    return {
      effect: writeCase.effects.message,
      run: () => writeCase.message(ctx, externalId, message, key),
      ...(writeCase.find ? { find: async () => writeCase.find?.(ctx, 'message', externalId, key) } : {}),
    }
  },
  'case.revise': ({ writeCase }, ctx, { externalId, messageId, text }, key) =>
    writeCase?.revise && {
      effect: writeCase.effects.revise ?? 'at_least_once',
      run: async () => (await writeCase.revise?.run(ctx, externalId, messageId, text, key)) ?? {},
    },
  'case.merge': ({ writeCase }, ctx, { externalId, intoExternalId }, key) =>
    writeCase?.merge && {
      effect: writeCase.effects.merge ?? 'at_least_once',
      run: async () => (await writeCase.merge?.(ctx, externalId, intoExternalId, key)) ?? {},
      ...(writeCase.find ? { find: async () => writeCase.find?.(ctx, 'merge', externalId, key) } : {}),
    },
  'person.upsert': ({ writePerson }, ctx, { person }, key) =>
    writePerson && { effect: writePerson.effects.upsert, run: () => writePerson.upsert(ctx, person, key) },
  'rating.record': ({ writeRating }, ctx, { externalId, rating }, key) =>
    writeRating && { effect: writeRating.effects.record, run: () => writeRating.record(ctx, externalId, rating, key) },
  'person.rating': ({ writePersonRating: can }, ctx, { externalId, rating }, key) =>
    can && { effect: can.effects.record, run: () => can.record(ctx, externalId, rating, key) },
  notify: ({ notify }, ctx, { notice }, key) =>
    notify && { effect: notify.effects.send, run: () => notify.send(ctx, notice, key) },
}

/** @returns `undefined` when the connector cannot do this. */
export function vendorCall(can: Can, ctx: Context<unknown>, action: VendorAction, key: string): VendorCall | undefined {
  return callIn(calls, action)(can, ctx, action, key)
}

/** The table's entry for the action's own type; the compiler cannot follow the tie between the two. */
function callIn<A extends VendorAction>(table: Table, action: A) {
  return table[action.type] as (can: Can, ctx: Context<unknown>, action: A, key: string) => VendorCall | undefined
}

function updateCall(
  can: Can,
  ctx: Context<unknown>,
  id: string,
  change: CaseChange,
  key: string,
): VendorCall | undefined {
  const { writeCase, readCases } = can
  if (!writeCase) return undefined
  return {
    effect: writeCase.effects.update,
    run: () => writeCase.update(ctx, id, change, key),
    ...(writeCase.find ? { find: async () => writeCase.find?.(ctx, 'update', id, key) } : {}),
    async afterConflict() {
      const { ifVersion: _stale, ...wanted } = change
      const [current] = readCases ? await readCases.get(ctx, [id]) : []
      const fresh = current?.version === undefined ? wanted : { ...wanted, ifVersion: current.version }
      // A call must be there: it was a moment ago.
      return updateCall(can, ctx, id, fresh, key) ?? this
    },
  }
}
