/**
 * Real mail servers for tests: dovecot (IMAP, LMTP) and postfix (SMTP) from Debian's packages, with settings, queue and
 * mailboxes of their own in a temporary folder, on free loopback ports. Nothing leaves the machine.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '#hub/platform/free-port.ts'
import { isAlive } from '#hub/platform/postgres-folders.ts'
import { dovecotConfig, type MailLayout, mailOwner, postfixMain, postfixMaster } from './mail-config.ts'

const dovecot = '/usr/sbin/dovecot'
const postfix = '/usr/sbin/postfix'
const postconf = '/usr/sbin/postconf'
const openssl = '/usr/bin/openssl'
const prefix = 'deskweave-mail-'
const startWithinMs = 15_000
const answerWithinMs = 2_000

export interface MailServers {
  /** Names and versions, such as `dovecot 2.3.19.1 and postfix 3.7.11`. */
  readonly what: string
  /** The domains that postfix delivers for; it refuses all others. */
  readonly domains: readonly string[]
  /** The name in the servers' certificate; they listen on 127.0.0.1. */
  readonly hostname: string
  readonly ports: MailLayout['ports']
  /** PEM of the authority that signed the servers' certificate. */
  readonly ca: string
  /** Puts mails into an inbox as if they had been delivered, without a server having to take them. */
  put(address: string, mails: Iterable<string>): void
  stopImap(): Promise<void>
  startImap(): Promise<void>
  end(): Promise<void>
}

/** Why the real servers cannot run here, in words for people; `undefined` when they can. */
export function whyNoMailServers(): string | undefined {
  if (process.platform !== 'linux') return 'dovecot and postfix are tested on Linux only'
  if (process.getuid?.() !== 0) return 'dovecot and postfix start as root only'
  const found = version(dovecot, ['--version'])
  if (!found) return 'dovecot is not installed (apt-get install dovecot-imapd dovecot-lmtpd postfix)'
  if (!found.startsWith('2.3.')) return `dovecot ${found} is installed and 2.3 is wanted (2.4 has other settings)`
  if (!existsSync('/usr/lib/dovecot/lmtp')) return 'dovecot-lmtpd is not installed'
  if (!version(postconf, ['-dh', 'mail_version'])) return 'postfix is not installed'
  if (!version(openssl, ['version'])) return 'openssl is not installed'
  return undefined
}

function version(program: string, args: readonly string[]): string | undefined {
  const { error, stdout } = spawnSync(program, args, { encoding: 'utf8' })
  return error ? undefined : stdout.trim()
}

/** @param addresses of the mailboxes, which are the user names too; mail to any other address of the domains bounces. */
export async function startMailServers(addresses: readonly string[], password: string): Promise<MailServers> {
  const reason = whyNoMailServers()
  if (reason) throw new Error(`no real mail servers here: ${reason}`)
  removeLeftovers()
  const folder = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`))
  // The servers' parts run as users of their own, who must get in.
  chmodSync(folder, 0o755)
  const atExit = () => removeFolder(folder)
  process.once('exit', atExit)
  const ports = {
    imap: await freePort(),
    imaps: await freePort(),
    lmtp: await freePort(),
    smtp: await freePort(),
    smtps: await freePort(),
  }
  const layout = {
    folder,
    domains: ['acme.test', 'customer.test'],
    hostname: 'mail.acme.test',
    ports,
  }
  const ca = makeCertificates(folder, layout.hostname)
  writeSettings(layout)
  makeMailboxes(folder, addresses, password)
  // Dovecot first: postfix asks it for the ways to log in, and pauses for a minute where it is not there.
  let imapServer: Daemon | undefined = await startDaemon(folder, daemons.imap, layout.ports.imap)
  const smtpServer = await startDaemon(folder, daemons.smtp, layout.ports.smtp)
  return {
    what: `dovecot ${version(dovecot, ['--version'])?.split(' ')[0]} and postfix ${version(postconf, ['-dh', 'mail_version'])}`,
    ...layout,
    ca,
    put: (address, mails) => putMails(join(folder, 'home', address, 'Maildir'), mails),
    async stopImap() {
      await imapServer?.stop()
      imapServer = undefined
    },
    async startImap() {
      imapServer ??= await startDaemon(folder, daemons.imap, layout.ports.imap)
    },
    async end() {
      await Promise.all([smtpServer.stop(), imapServer?.stop()])
      process.off('exit', atExit)
      removeFolder(folder)
    },
  }
}

function writeSettings(layout: MailLayout): void {
  const { folder } = layout
  for (const path of ['dovecot/run', 'dovecot/state', 'postfix/etc', 'postfix/queue', 'postfix/data', 'home']) {
    mkdirSync(join(folder, path), { recursive: true })
  }
  const postfixUser = Number(execFileSync('id', ['-u', 'postfix'], { encoding: 'utf8' }))
  chownSync(join(folder, 'postfix/data'), postfixUser, 0)
  writeFileSync(join(folder, 'dovecot/dovecot.conf'), dovecotConfig(layout))
  writeFileSync(join(folder, 'postfix/etc/main.cf'), postfixMain(layout))
  writeFileSync(join(folder, 'postfix/etc/master.cf'), postfixMaster(layout))
}

function makeMailboxes(folder: string, addresses: readonly string[], password: string): void {
  const { uid, gid } = mailOwner
  const users = addresses.map((address) => {
    const home = join(folder, 'home', address)
    mkdirSync(home)
    chownSync(home, uid, gid)
    return `${address}:{PLAIN}${password}:${uid}:${gid}::${home}::\n`
  })
  writeFileSync(join(folder, 'dovecot/users'), users.join(''))
}

let written = 0

function putMails(maildir: string, mails: Iterable<string>): void {
  for (const path of [maildir, ...['tmp', 'new', 'cur'].map((name) => join(maildir, name))]) {
    mkdirSync(path, { recursive: true })
    chownSync(path, mailOwner.uid, mailOwner.gid)
  }
  for (const mail of mails) {
    written += 1
    const size = Buffer.byteLength(mail)
    // In the order of their names; the size spares dovecot from reading each file when it is asked for it.
    const name = `${1_700_000_000 + written}.M${written}P1.mail,S=${size},W=${size}`
    writeFileSync(join(maildir, 'new', name), mail, { mode: 0o644 })
  }
}

interface DaemonKind {
  readonly name: string
  readonly program: string
  readonly args: (folder: string) => readonly string[]
  /** The master process's own pid file. */
  readonly pidFile: string
  readonly log: string
  /** How long it may take to end by itself. */
  readonly graceMs: number
}

const daemons = {
  imap: {
    name: 'dovecot',
    program: dovecot,
    args: (folder) => ['-F', '-c', join(folder, 'dovecot/dovecot.conf')],
    pidFile: 'dovecot/run/master.pid',
    log: 'dovecot/log',
    // It would wait ten seconds for its clients to go.
    graceMs: 200,
  },
  smtp: {
    name: 'postfix',
    program: postfix,
    args: (folder) => ['-c', join(folder, 'postfix/etc'), 'start-fg'],
    pidFile: 'postfix/queue/pid/master.pid',
    log: 'postfix/log',
    graceMs: 10_000,
  },
} as const satisfies Record<string, DaemonKind>

interface Daemon {
  stop(): Promise<void>
}

async function startDaemon(folder: string, kind: DaemonKind, port: number): Promise<Daemon> {
  const saidTo = join(folder, `${kind.name}.said`)
  const out = openSync(saidTo, 'w')
  const child = spawn(kind.program, kind.args(folder), { stdio: ['ignore', out, out], cwd: '/', detached: true })
  closeSync(out)
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const giveUpAt = Date.now() + startWithinMs
  while (!(await answers(port))) {
    if (child.exitCode === null && Date.now() < giveUpAt) {
      await pause(20)
      continue
    }
    killMaster(folder, kind, 'SIGKILL')
    throw new Error(
      `${kind.name} did not start: ${readIfThere(saidTo)}\n${readIfThere(join(folder, kind.log)).slice(-2000)}`,
    )
  }
  return {
    async stop() {
      killMaster(folder, kind, 'SIGTERM')
      const late = setTimeout(() => {
        killMaster(folder, kind, 'SIGKILL')
        killGroup(child.pid)
      }, kind.graceMs)
      await ended
      clearTimeout(late)
      killGroup(child.pid)
    },
  }
}

/** The first line a server says: a port that is merely open may be somebody else's child that is just ending. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.setTimeout(answerWithinMs, () => socket.destroy())
    socket.once('data', () => socket.destroy())
    socket.once('error', () => {})
    socket.once('close', () => resolve(socket.bytesRead > 0))
  })
}

function makeCertificates(folder: string, hostname: string): string {
  const cwd = join(folder, 'tls')
  mkdirSync(cwd)
  const run = (...args: string[]) => execFileSync(openssl, args, { cwd, stdio: 'pipe' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  run('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Deskweave test authority')
  run('req', ...key.slice(0, -2), '-keyout', 'server.key', '-out', 'server.csr', '-subj', `/CN=${hostname}`)
  writeFileSync(join(cwd, 'san'), `subjectAltName=DNS:${hostname}\n`)
  const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'san']
  run('x509', '-req', '-in', 'server.csr', ...signing, '-out', 'server.pem')
  return readFileSync(join(cwd, 'ca.pem'), 'utf8')
}

/** What a killed run left behind, its servers included. */
function removeLeftovers(): void {
  for (const name of readdirSync(tmpdir())) {
    const maker = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1]
    if (maker !== undefined && !isAlive(Number(maker))) removeFolder(join(tmpdir(), name))
  }
}

function removeFolder(folder: string): void {
  for (const kind of Object.values(daemons)) killMaster(folder, kind, 'SIGTERM')
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
}

function killMaster(folder: string, { pidFile }: DaemonKind, signal: NodeJS.Signals): void {
  const pid = Number(readIfThere(join(folder, pidFile)))
  if (pid > 1 && isOf(pid, folder)) process.kill(pid, signal)
}

/** The pid of a server that has ended may be somebody else's by now. */
function isOf(pid: number, folder: string): boolean {
  const process = `/proc/${pid}`
  return (
    existsSync(process) &&
    (readIfThere(`${process}/cmdline`).includes(folder) || readlinkSync(`${process}/cwd`).startsWith(folder))
  )
}

function killGroup(leader: number | undefined): void {
  try {
    if (leader !== undefined) process.kill(-leader, 'SIGKILL')
  } catch {
    // All of them have ended.
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
