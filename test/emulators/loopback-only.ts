/**
 * Preloaded into a process that we did not write (`node --import`): it listens on this machine only, reaches nothing but this
 * machine, and starts nothing. What it tried beyond that is told to the parent.
 */
import childProcess from 'node:child_process'
import { EventEmitter } from 'node:events'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'

/** What it was kept from: a host, or a command. */
export interface Refused {
  readonly refused: string
}

const tell = (refused: string) => process.send?.({ refused } satisfies Refused)

// Node's own functions are replaced through Reflect, since the types know only what callers may do.
const { listen } = net.Server.prototype
Reflect.set(net.Server.prototype, 'listen', function (this: net.Server, port: unknown, ...rest: readonly unknown[]) {
  if (typeof port !== 'number' && typeof port !== 'string') throw new Error('only ports can be listened on here')
  return Reflect.apply(listen, this, [Number(port), '127.0.0.1', ...rest.filter((one) => typeof one === 'function')])
})

const { connect } = net.Socket.prototype
Reflect.set(net.Socket.prototype, 'connect', function (this: net.Socket, ...given: readonly unknown[]) {
  const host = hostOf(given[0])
  if (host === undefined || /^(?:localhost|127\..+|::1)$/.test(host)) return Reflect.apply(connect, this, given)
  tell(host)
  process.nextTick(() => this.destroy(Object.assign(new Error(`no way to ${host}`), { code: 'ECONNREFUSED' })))
  return this
})

/** Node's own callers hand over their arguments in a list. */
function hostOf(given: unknown): string | undefined {
  const options: unknown = Array.isArray(given) ? given[0] : given
  if (typeof options !== 'object' || options === null) return undefined
  const host: unknown = Reflect.get(options, 'host')
  return typeof host === 'string' ? host : undefined
}

Reflect.set(childProcess, 'spawn', (command: string) => {
  tell(command)
  return Object.assign(new EventEmitter(), { ref() {}, unref() {} })
})
syncBuiltinESMExports()
