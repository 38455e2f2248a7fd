/**
 * "There is news": heard in this process at once and in the others on the same workspace by LISTEN/NOTIFY. A signal is a
 * hint and may be lost; who waits for one also looks by itself now and then.
 */
import { randomBytes } from 'node:crypto'
import { type RawBuilder, sql } from 'kysely'
import pg from 'pg'
import { z } from 'zod'
import type { Log } from '#hub/connector/contract.ts'
import { type DatabaseOptions, sessionConfig } from './db/database.ts'

export interface Signals {
  /** @param detail what the news is about, such as an id; up to 1 kB. */
  raise(topic: string, detail?: string): void
  /** After a broken connection every topic is heard once, without detail. @returns how to stop listening. */
  on(topic: string, heard: (detail?: string) => void): () => void
  /** For a transaction: the others, and this process too, hear it when it commits. */
  notifySql(topic: string, detail?: string): RawBuilder<unknown>
  start(): Promise<void>
  stop(): Promise<void>
}

const Message = z.object({ from: z.string().optional(), topic: z.string(), detail: z.string().optional() })
type Message = z.output<typeof Message>

/** Bursts to other processes are gathered: one statement for all that happened meanwhile. */
const gatherMs = 20
const defaultProbe = { everyMs: 5_000, timeoutMs: 3_000 }
const longestPauseMs = 5_000

/** @param probe how often the connection is asked whether it lives, and how long it may take to answer. */
export function createSignals(options: DatabaseOptions, log: Log, probe = defaultProbe): Signals {
  const channel = `deskweave_${options.workspaceId}`
  const self = randomBytes(8).toString('hex')
  const listeners = new Map<string, Set<(detail?: string) => void>>()
  const outgoing = new Map<string, Message>()
  let client: pg.Client | undefined
  let gather: NodeJS.Timeout | undefined
  let probing: NodeJS.Timeout | undefined
  let again: NodeJS.Timeout | undefined
  let isStopped = false
  let failures = 0

  function tell({ topic, detail }: Message): void {
    for (const heard of listeners.get(topic) ?? []) {
      try {
        heard(detail)
      } catch (err) {
        log.error({ err, topic }, 'a listener failed')
      }
    }
  }

  async function connect(): Promise<void> {
    const fresh = new pg.Client(sessionConfig({ ...options, applicationName: 'deskweave-signals' }))
    fresh.on('error', () => {})
    fresh.on('notification', ({ payload }) => {
      const message = readMessage(payload)
      if (message && message.from !== self) tell(message)
    })
    try {
      await fresh.connect()
      // A hint need not be on disk: without this each one would wait for the disk, and make others wait.
      await fresh.query(`set synchronous_commit = off; listen ${pg.escapeIdentifier(channel)}`)
    } catch (error) {
      void fresh.end().catch(() => {})
      throw error
    }
    if (isStopped) return void fresh.end().catch(() => {})
    fresh.once('end', () => lost(fresh))
    client = fresh
    failures = 0
    probing = setInterval(() => void check(fresh), probe.everyMs)
    probing.unref()
  }

  /** A connection can be dead without either end knowing: only a question tells. */
  async function check(current: pg.Client): Promise<void> {
    const timeout = setTimeout(() => lost(current), probe.timeoutMs)
    try {
      await current.query('select 1')
    } catch {
      lost(current)
    } finally {
      clearTimeout(timeout)
    }
  }

  function lost(former: pg.Client): void {
    if (client !== former || isStopped) return
    client = undefined
    clearInterval(probing)
    // `end` would wait for an answer that a half-open connection never gives.
    void former.end().catch(() => {})
    log.warn({}, 'the connection for signals is lost; work goes on by polling until it is back')
    reconnect()
  }

  function reconnect(): void {
    const pauseMs = Math.min(100 * 2 ** failures, longestPauseMs)
    failures += 1
    again = setTimeout(async () => {
      try {
        await connect()
        // Whatever was said meanwhile was not heard.
        for (const topic of listeners.keys()) tell({ topic })
      } catch {
        if (!isStopped) reconnect()
      }
    }, pauseMs)
    again.unref()
  }

  function send(): void {
    gather = undefined
    const messages = [...outgoing.values()]
    outgoing.clear()
    client
      ?.query('select pg_notify($1, message) from unnest($2::text[]) message', [
        channel,
        messages.map((one) => JSON.stringify(one)),
      ])
      .catch(() => {})
  }

  return {
    raise(topic, detail) {
      const message = { from: self, topic, ...(detail === undefined ? {} : { detail }) }
      tell(message)
      outgoing.set(`${topic} ${detail ?? ''}`, message)
      gather ??= setTimeout(send, gatherMs).unref()
    },
    on(topic, heard) {
      const set = listeners.get(topic) ?? new Set()
      listeners.set(topic, set.add(heard))
      return () => set.delete(heard)
    },
    notifySql: (topic, detail) =>
      sql`select pg_notify(${channel}, ${JSON.stringify({ topic, ...(detail === undefined ? {} : { detail }) })})`,
    start: connect,
    async stop() {
      clearTimeout(gather)
      if (client && outgoing.size > 0) send()
      isStopped = true
      clearInterval(probing)
      clearTimeout(again)
      const last = client
      client = undefined
      await last?.end().catch(() => {})
    },
  }
}

function readMessage(payload: string | undefined): Message | undefined {
  try {
    return Message.parse(JSON.parse(payload ?? ''))
  } catch {
    return undefined
  }
}
