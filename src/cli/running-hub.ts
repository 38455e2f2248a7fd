/** A hub that runs already, spoken to over its REST API. */
import { z } from 'zod'
import { knownAdminToken } from '#hub/api/admin-token.ts'
import type { Env } from '#hub/platform/env.ts'

export interface RunningHub {
  /** @throws Error with the hub's own words when it refuses */
  call<T extends z.ZodType>(method: string, path: string, body: unknown, shape: T): Promise<z.output<T>>
}

const answersWithinMs = 2_000

/** @returns undefined when none answers at DESKWEAVE_BASE_URL, or there is no token to speak to it with. */
export async function findRunningHub(env: Env): Promise<RunningHub | undefined> {
  const token = knownAdminToken(env)
  if (!token || !(await isHubAt(env.baseUrl))) return undefined
  return {
    async call(method, path, body, shape) {
      const response = await fetch(`${env.baseUrl}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      const answer: unknown = await response.json()
      if (response.ok) return shape.parse(answer)
      const { detail } = z
        .object({ detail: z.string() })
        .catch({ detail: `status ${response.status}` })
        .parse(answer)
      throw new Error(`the hub at ${env.baseUrl} refused: ${detail}`)
    },
  }
}

export async function isHubAt(baseUrl: string): Promise<boolean> {
  try {
    const response = await fetch(`${baseUrl}/healthz`, {
      signal: AbortSignal.timeout(answersWithinMs),
      redirect: 'error',
    })
    return response.ok && z.object({ status: z.literal('ok') }).safeParse(await response.json()).success
  } catch {
    return false
  }
}
