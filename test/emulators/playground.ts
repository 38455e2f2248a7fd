/** Microsoft's own stand-in for Teams, in a process of its own that reaches nothing but this machine. */
import { type ChildProcess, fork } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { temporaryFolder } from '#kit/hub-process.ts'
import { bot, channels, people, type SandboxPerson, team } from '../../connectors/teams/sandbox-world.ts'
import type { Refused } from './loopback-only.ts'

const program = createRequire(import.meta.url).resolve('@microsoft/m365agentsplayground/cli.js')
const guard = new URL('loopback-only.ts', import.meta.url).href

export interface Playground {
  readonly url: string
  /** What it tried to reach or to start, beyond this machine. */
  readonly refused: readonly string[]
  stop(): Promise<void>
}

/** @param endpoint where the bot takes requests. @param reader whose page it shows. */
export async function startPlayground(port: number, endpoint: string, reader: SandboxPerson): Promise<Playground> {
  const folder = temporaryFolder()
  writeFileSync(join(folder.path, '.m365agentsplayground.yml'), stringify(companyOf(reader)))
  const refused: string[] = []
  const child = fork(program, ['start', '--disable-telemetry', '-p', String(port), '-e', endpoint, '-c', 'msteams'], {
    cwd: folder.path,
    // With these it would sign its requests; the machine's own proxies are nothing for it either.
    env: { PATH: process.env['PATH'] ?? '', HOME: folder.path },
    execArgv: ['--import', guard],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  child.on('message', (message: Refused) => refused.push(message.refused))
  await listening(child, port)
  return {
    url: `http://localhost:${port}`,
    refused,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = new Promise((resolve) => child.once('exit', resolve))
        child.kill('SIGKILL')
        await ended
      }
      folder.remove()
    },
  }
}

function listening(child: ChildProcess, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-4_000)
        // On a port that is taken it would take another.
        if (output.includes(`Listening on ${port}`)) resolve()
      })
    }
    child.once('exit', (code) => reject(new Error(`the playground ended with ${code}:\n${output}`)))
  })
}

const member = ({ id, name, email, aadObjectId }: SandboxPerson) => {
  const [givenName = name, surname = name] = name.split(' ')
  return { id, name, userPrincipleName: email, aadObjectId, givenName, surname, email }
}

/** With fewer than five users beside the reader it ends without a word. */
const extras = ['Ada Roth', 'Ben Solo', 'Cleo Marin', 'Dan Hays'].map((name, index) =>
  member({
    ...people.kim,
    id: `29:1extra${index}`,
    name,
    email: `${name.split(' ')[0]?.toLowerCase()}@acme.example`,
    aadObjectId: `c1d2e3f4-0a1b-4c2d-8e3f-0000000001${index}0`,
  }),
)

const companyOf = (reader: SandboxPerson) => ({
  version: '0.1.0',
  tenantId: bot.tenantId,
  bot: { id: `28:${bot.appId}`, name: bot.name },
  currentUser: member(reader),
  users: [member(people.kim), ...extras],
  personalChat: { id: `a:1${reader.id.slice(3)}` },
  groupChat: { id: channels.group.id, name: channels.group.name },
  team: {
    id: team.id,
    name: team.name,
    aadGroupId: '00000000-0000-0000-0000-000000000031',
    channels: [{ id: channels.cases.id, name: channels.cases.name }],
  },
})
