/** What seldom changes in an account is read once in ten minutes, as long as the hub uses these settings. */
import type { Hubspot } from './client.ts'
import type { HubspotConfig } from './config.ts'

const keepMs = 10 * 60_000

export interface Remembered<T> {
  (ctx: Hubspot): Promise<T>
  /** Reads it anew: for what should be there and is not. */
  again(ctx: Hubspot): Promise<T>
}

export function remembered<T>(read: (ctx: Hubspot) => Promise<T>): Remembered<T> {
  const slots = new WeakMap<HubspotConfig, { readonly value: T; readonly until: number }>()
  const again = async (ctx: Hubspot): Promise<T> => {
    const value = await read(ctx)
    slots.set(ctx.config, { value, until: ctx.now().getTime() + keepMs })
    return value
  }
  const recall = async (ctx: Hubspot): Promise<T> => {
    const slot = slots.get(ctx.config)
    return slot && ctx.now().getTime() < slot.until ? slot.value : again(ctx)
  }
  return Object.assign(recall, { again })
}
