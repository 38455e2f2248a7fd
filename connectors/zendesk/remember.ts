/** What is looked up by name, for ten minutes and as long as the hub uses these settings: agents and groups seldom change. */
import type { Zendesk } from './client.ts'
import type { ZendeskConfig } from './config.ts'

const keepMs = 10 * 60_000

export function remember<T>() {
  const found = new WeakMap<ZendeskConfig, Map<string, { readonly value: T; readonly until: number }>>()
  return async (ctx: Zendesk, name: string, find: () => Promise<T>): Promise<T> => {
    const now = ctx.now().getTime()
    const known = found.get(ctx.config) ?? new Map<string, { readonly value: T; readonly until: number }>()
    found.set(ctx.config, known)
    const one = known.get(name)
    if (one && one.until > now) return one.value
    const value = await find()
    known.set(name, { value, until: now + keepMs })
    return value
  }
}
