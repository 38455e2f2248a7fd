/** A way to the database that can turn silent: what is open then stays open and says nothing more; new connections work. */
import { connect, createServer, type Socket } from 'node:net'

export interface BlackHole extends AsyncDisposable {
  readonly url: string
  swallow(): void
}

export async function blackHole(databaseUrl: string): Promise<BlackHole> {
  const url = new URL(databaseUrl)
  const socketFolder = url.searchParams.get('host')
  const port = Number(url.port || 5432)
  const open = new Set<Socket>()
  const server = createServer((near) => {
    const far = socketFolder ? connect(`${socketFolder}/.s.PGSQL.${port}`) : connect(port, url.hostname)
    near.pipe(far)
    far.pipe(near)
    for (const socket of [near, far]) {
      open.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => open.delete(socket))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  url.searchParams.delete('host')
  url.host = `127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  return {
    url: url.href,
    swallow() {
      for (const socket of open) {
        socket.unpipe()
        // Read on, so that the end of the connection is not noticed through a full buffer either.
        socket.resume()
      }
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
