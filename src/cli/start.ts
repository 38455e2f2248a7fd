/** `deskweave start` */
import { startHub, stopOnSignal } from '#hub/main.ts'
import { readEnv } from '#hub/platform/env.ts'

export async function start(): Promise<void> {
  stopOnSignal(await startHub(readEnv()))
}
