/** A connection whose line does what the test wants. */
import { z } from 'zod'
import type { LoadedConnection } from '#hub/connections/index.ts'
import type { Context } from '#hub/connector/contract.ts'
import { memoryInstallations, quietLog } from '#kit'

export type Run = (signal: AbortSignal, onNews: () => void) => Promise<void>

/** @param status of the connection; its config tells it apart. */
export function watchedConnection(
  id: string,
  run: Run,
  { status = 'connected' as LoadedConnection['status'], config = {} as object } = {},
): LoadedConnection {
  return {
    id,
    name: id,
    status,
    config,
    connector: {
      manifest: { id: 'post', name: 'Post', docs: 'https://post.example', hosts: [], limits: [] },
      config: z.object({}),
      check: async () => ({ account: 'post' }),
      can: { watch: { run: (ctx, onNews) => run(ctx.signal, onNews) } },
    },
    webhookSecrets: () => [],
    door: {
      log: quietLog,
      redact: (text) => text,
      hide() {},
      account: () => {
        throw new Error('this connector makes no calls')
      },
    },
  }
}

export function contextFor({ config }: LoadedConnection, signal: AbortSignal): Context<unknown> {
  const none = () => Promise.reject(new Error('this connector makes no calls'))
  return {
    config,
    now: () => new Date('2026-11-22T10:00:00Z'),
    http: { fetch: none, json: none },
    net: { resolve: none, spend: none },
    log: quietLog,
    installations: memoryInstallations(),
    signal,
  }
}

/** Stands until it is told to end. */
export const standing: Run = (signal) =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
