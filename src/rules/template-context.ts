/**
 * liquidjs hides inherited properties, but not on its own objects (`forloop`, `nil`, `empty`): through those a template could
 * reach prototypes and call what it finds there. This context lets nothing through but the names below.
 */
import { Context, Drop, type Liquid, type Scope, toValue } from 'liquidjs'
import { forbiddenKeys } from './check.ts'

const loopNames: ReadonlySet<string> = new Set(['index', 'index0', 'rindex', 'rindex0', 'first', 'last', 'length'])

export class FencedContext extends Context {
  constructor(engine: Liquid, scope: Readonly<Record<string, unknown>>, now: Date) {
    super(scope, engine.options, { sync: true, globals: { now: now.toISOString() } }, { liquid: engine })
  }

  override readProperty(value: Scope, key: string | number | Drop): unknown {
    const name: unknown = toValue(key)
    if (typeof name === 'string' && forbiddenKeys.has(name)) return undefined
    if (value instanceof Drop && !(typeof name === 'string' && loopNames.has(name))) return undefined
    return super.readProperty(value, key)
  }
}
