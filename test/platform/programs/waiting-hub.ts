/** A hub process whose webhooks are answered when it is told to stop, or never: for what happens at a stop. */
import { createConnections } from '#hub/connections/index.ts'
import { startHub, stopOnSignal } from '#hub/main.ts'
import { readEnv } from '#hub/platform/env.ts'

const running = await startHub(readEnv(), {
  async openRooms(foundation, stopping) {
    return {
      hub: { ...foundation, connections: createConnections({ ...foundation, connectors: {} }) },
      mounts: [],
      parts: [],
      hooks: {
        isShared: () => false,
        handle(request, response) {
          console.log('in hand')
          if (request.url === '/hooks/never') return
          stopping.addEventListener('abort', () => setImmediate(() => response.end('finished')))
        },
      },
    }
  },
})
stopOnSignal(running)
console.log(running.url)
