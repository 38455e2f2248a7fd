/** The demo's administrator: the REST API with a token, and patience. */
import { z } from 'zod'

export interface Client {
  readonly url: string
  get<T extends z.ZodType>(path: string, shape: T): Promise<z.output<T>>
  send<T extends z.ZodType>(
    method: 'POST' | 'PUT' | 'PATCH',
    path: string,
    body: unknown,
    shape: T,
  ): Promise<z.output<T>>
  /** Looks again and again until `find` gives something. @throws Error naming what did not come within 15 s. */
  until<T>(what: string, find: () => Promise<T | undefined | false>): Promise<T>
}

const patienceMs = 15_000

export function createClient(url: string, token: string): Client {
  async function call<T extends z.ZodType>(
    method: string,
    path: string,
    shape: T,
    body?: unknown,
  ): Promise<z.output<T>> {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`)
    return shape.parse(text === '' ? undefined : JSON.parse(text))
  }
  return {
    url,
    get: (path, shape) => call('GET', path, shape),
    send: (method, path, body, shape) => call(method, path, shape, body),
    async until(what, find) {
      const deadline = performance.now() + patienceMs
      while (performance.now() < deadline) {
        const found = await find()
        if (found !== undefined && found !== false) return found
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      throw new Error(`the demo waited ${patienceMs / 1000} s in vain for ${what}`)
    },
  }
}

/** `webhook` is there where the tool calls one. */
export const Connection = z.object({
  id: z.string(),
  webhook: z.object({ url: z.string(), secret: z.string() }).optional(),
})
export const Profile = z.object({
  id: z.string(),
  name: z.string().nullable(),
  identities: z.array(z.object({ kind: z.string(), value: z.string(), connection_id: z.string().optional() })),
  traits: z.record(
    z.string(),
    z.object({
      value: z.unknown(),
      source: z.object({ connection_id: z.string(), record: z.string(), at: z.string() }),
    }),
  ),
  company: z.unknown(),
})
export const Case = z.object({
  id: z.string(),
  subject: z.string().nullable(),
  status: z.string(),
  priority: z.string().nullable(),
  tags: z.array(z.string()),
  links: z.array(z.object({ connection_id: z.string(), external_id: z.string() })),
})
export const listOf = <T extends z.ZodType>(item: T) => z.object({ data: z.array(item), next: z.string().nullable() })
