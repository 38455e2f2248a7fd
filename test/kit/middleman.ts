/** Somebody on the line between a client and a server. */
import { connect, createServer, type Socket } from 'node:net'

/** May change what the server says, or stop passing on without closing anything. @param port of the server, on loopback */
export async function middleman(port: number, change = (said: string) => said) {
  let silent = false
  const sockets: Socket[] = []
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    sockets.push(client, upstream)
    client.on('data', (chunk) => silent || upstream.write(chunk)).on('error', () => {})
    upstream
      .on('data', (chunk) => silent || client.write(change(chunk.toString('latin1')), 'latin1'))
      .on('error', () => {})
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    goSilent() {
      silent = true
    },
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
