/** Receiving code may not use the network: while it runs, every way out fails. */
import { Socket } from 'node:net'

export async function offline<T>(work: () => T | Promise<T>): Promise<T> {
  const { fetch } = globalThis
  const { connect } = Socket.prototype
  const refuse = (): never => {
    throw new Error('receiving code used the network; return a pointer, and the hub reads the record')
  }
  globalThis.fetch = refuse
  Socket.prototype.connect = refuse
  try {
    return await work()
  } finally {
    globalThis.fetch = fetch
    Socket.prototype.connect = connect
  }
}
