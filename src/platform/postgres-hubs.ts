/** Which hubs use a data folder: one file each in `hubs/`, named by pid, so that only the last to stop stops the server. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive } from './postgres-folders.ts'

export interface HubList {
  /** How many other live hubs there are; files of dead ones are removed on the way. */
  others(): number
  leave(): void
}

let joined = 0

export function joinHubs(dataDir: string): HubList {
  const folder = join(dataDir, 'hubs')
  mkdirSync(folder, { recursive: true })
  const own = `${process.pid}-${++joined}`
  writeFileSync(join(folder, own), startedAt(process.pid))
  return {
    others() {
      const names = readdirSync(folder).filter((name) => name !== own)
      const alive = names.filter((name) => isHub(folder, name))
      for (const name of names) if (!alive.includes(name)) rmSync(join(folder, name), { force: true })
      return alive.length
    },
    leave: () => rmSync(join(folder, own), { force: true }),
  }
}

function isHub(folder: string, name: string): boolean {
  const pid = Number.parseInt(name, 10)
  if (!isAlive(pid)) return false
  try {
    // After a restart of the machine, or in a container, the same pid is often somebody else.
    return readFileSync(join(folder, name), 'utf8') === startedAt(pid)
  } catch {
    return false
  }
}

/** The kernel's start time of a process, in ticks since boot; empty where the system does not tell. */
function startedAt(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}
