/**
 * The IMAP side of the demo's mail server: what imapflow and other clients need to read a mailbox, wait for news (IDLE) and
 * put mail into the Sent folder. In: sockets. Out: RFC 9051 answers. Never here: moving, deleting, TLS.
 */
import { createServer, type Socket } from 'node:net'
import { fetched, marksAsSeen } from './sandbox-imap-fetch.ts'
import { search } from './sandbox-imap-search.ts'
import { commandsOf, dateOf, inSet, quote, type Word, wordsOf } from './sandbox-imap-words.ts'
import { type Account, accountFor, type Folder } from './sandbox-mailboxes.ts'

const capabilities = 'IMAP4rev1 SASL-IR LITERAL+ IDLE UIDPLUS SPECIAL-USE UNSELECT AUTH=PLAIN'

export interface ImapServer {
  readonly port: number
  /** Cuts the sessions that have this folder open, as a server does when its uids no longer hold. */
  drop(folder: Folder): void
  close(): Promise<void>
}

/** @param port 0 for any free one. */
export async function startImap(
  accounts: readonly Account[],
  options: { readonly port: number; readonly now: () => Date },
): Promise<ImapServer> {
  const sessions = new Set<Session>()
  const server = createServer((socket) => {
    // Answers are short; waiting to fill a packet costs 40 ms each.
    socket.setNoDelay(true)
    const session = new Session(socket, accounts, options.now)
    sessions.add(session)
    void session.run().finally(() => sessions.delete(session))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the IMAP sandbox has no port')
  return {
    port: address.port,
    drop(folder) {
      for (const session of sessions) if (session.folder === folder) session.cut()
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const session of sessions) session.cut()
      await closed
    },
  }
}

/** A refusal that the client is told: `NO` for what cannot be done, `BAD` for what cannot be understood. */
class Refusal extends Error {
  override readonly name = 'Refusal'
}

class Session {
  readonly #socket: Socket
  readonly #accounts: readonly Account[]
  readonly #now: () => Date
  #account: Account | undefined
  #folder: Folder | undefined
  /** How many mails the client has been told of. */
  #told = 0
  /** The tag of the IDLE that is under way. */
  #idling: string | undefined
  /** The tag of an AUTHENTICATE whose answer is awaited. */
  #authenticating: string | undefined
  #stopListening = () => {}

  constructor(socket: Socket, accounts: readonly Account[], now: () => Date) {
    this.#socket = socket
    this.#accounts = accounts
    this.#now = now
  }

  get folder(): Folder | undefined {
    return this.#folder
  }

  cut(): void {
    this.#socket.destroy()
  }

  async run(): Promise<void> {
    // A client that goes away in the middle of a sentence.
    this.#socket.on('error', () => {})
    this.#line(`* OK [CAPABILITY ${capabilities}] ready`)
    try {
      for await (const command of commandsOf(this.#socket, (line) => this.#line(line))) this.#hear(command)
    } catch {
      this.#socket.destroy()
    } finally {
      this.#unselect()
    }
  }

  #hear(command: string): void {
    if (this.#idling !== undefined && command.toUpperCase() === 'DONE') {
      this.#line(`${this.#idling} OK idle is over`)
      this.#idling = undefined
      return
    }
    if (this.#authenticating !== undefined) {
      const tag = this.#authenticating
      this.#authenticating = undefined
      this.#attempt(tag, () => this.#signInPlain(command))
      return
    }
    const [, tag = '*', name = '', rest = ''] = /^(\S+) (\S+)(?: ([\s\S]*))?$/.exec(command) ?? []
    this.#attempt(tag, () => this.#perform(tag, name.toUpperCase(), rest))
  }

  /** @param work returns the words after OK, or `undefined` when the answer comes later. */
  #attempt(tag: string, work: () => string | undefined): void {
    try {
      const words = work()
      if (words !== undefined) this.#line(`${tag} OK ${words}`)
    } catch (error) {
      const kind = error instanceof Refusal ? 'NO' : 'BAD'
      this.#line(`${tag} ${kind} ${error instanceof Error ? error.message : error}`)
    }
  }

  #perform(tag: string, name: string, rest: string): string | undefined {
    if (name === 'UID') {
      const [, inner = '', more = ''] = /^(\S+) ?([\s\S]*)$/.exec(rest) ?? []
      return this.#performByUid(inner.toUpperCase(), wordsOf(more))
    }
    const words = wordsOf(rest)
    const text = (index: number) => String(words[index] ?? '')
    switch (name) {
      case 'CAPABILITY':
        this.#line(`* CAPABILITY ${capabilities}`)
        return 'done'
      case 'NOOP':
      case 'CHECK':
        this.#tellNews()
        return 'done'
      case 'LOGOUT':
        this.#line('* BYE until next time')
        this.#line(`${tag} OK done`)
        this.#socket.end()
        return undefined
      case 'LOGIN':
        return this.#signIn(text(0), text(1))
      case 'AUTHENTICATE':
        if (text(0).toUpperCase() !== 'PLAIN') throw new Refusal('only PLAIN is there')
        if (words.length > 1) return this.#signInPlain(text(1))
        this.#authenticating = tag
        this.#line('+')
        return undefined
      case 'LIST':
      case 'LSUB':
        return this.#list(name, text(1))
      case 'STATUS':
        return this.#status(text(0), words[1])
      case 'SELECT':
      case 'EXAMINE':
        return this.#select(text(0), name === 'EXAMINE')
      case 'CLOSE':
      case 'UNSELECT':
        this.#unselect()
        return 'done'
      case 'APPEND':
        return this.#append(words)
      case 'IDLE':
        this.#signedIn()
        this.#idling = tag
        this.#line('+ idling')
        this.#tellNews()
        return undefined
      default:
        throw new Error(`the sandbox does not know ${name.slice(0, 40)}`)
    }
  }

  #performByUid(name: string, words: readonly Word[]): string {
    const folder = this.#selected()
    this.#tellNews()
    const { mails } = folder
    if (name === 'SEARCH') {
      const uids = search(mails, words).map(({ uid }) => uid)
      this.#line(`* SEARCH${uids.map((uid) => ` ${uid}`).join('')}`)
      return 'done'
    }
    const [set, ...more] = words
    // `n:*` names the last mail even when its uid is below n.
    const isWanted = inSet(String(set), mails.at(-1)?.uid ?? 0)
    const chosen = mails.flatMap((mail, index) => (isWanted(mail.uid) ? [{ mail, seq: index + 1 }] : []))
    if (name === 'FETCH') {
      const items = Array.isArray(more[0]) ? more[0] : more.slice(0, 1)
      for (const { mail, seq } of chosen) {
        if (marksAsSeen(items)) mail.flags.add('\\Seen')
        for (const part of fetched(mail, seq, items)) this.#socket.write(part, 'latin1')
      }
      return 'done'
    }
    if (name === 'STORE') {
      const action = String(more[0]).toUpperCase()
      const flags = [more[1] ?? []].flat().map(String)
      for (const { mail, seq } of chosen) {
        if (!/^[+-]/.test(action)) mail.flags.clear()
        for (const flag of flags) action.startsWith('-') ? mail.flags.delete(flag) : mail.flags.add(flag)
        if (!action.endsWith('.SILENT'))
          this.#line(`* ${seq} FETCH (UID ${mail.uid} FLAGS (${[...mail.flags].join(' ')}))`)
      }
      return 'done'
    }
    throw new Error(`the sandbox does not know UID ${name.slice(0, 40)}`)
  }

  #signInPlain(answer: string): string {
    const [, user = '', password = ''] = Buffer.from(answer, 'base64').toString('utf8').split('\0')
    return this.#signIn(user, password)
  }

  #signIn(user: string, password: string): string {
    const account = accountFor(this.#accounts, user)
    if (account?.password !== password) throw new Refusal('[AUTHENTICATIONFAILED] wrong user or password')
    this.#account = account
    return `[CAPABILITY ${capabilities}] welcome`
  }

  #list(name: string, pattern: string): string {
    const account = this.#signedIn()
    if (pattern === '') {
      this.#line(`* ${name} (\\Noselect) "/" ""`)
      return 'done'
    }
    const expression = new RegExp(`^${pattern.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll(/[*%]/g, '.*')}$`, 'i')
    for (const folder of account.folders) {
      if (expression.test(folder.name)) this.#line(`* ${name} (${folder.specialUse ?? ''}) "/" ${quote(folder.name)}`)
    }
    return 'done'
  }

  #status(name: string, items: Word | undefined): string {
    const folder = this.#find(name)
    const values: Readonly<Record<string, number>> = {
      MESSAGES: folder.mails.length,
      UIDNEXT: folder.uidNext,
      UIDVALIDITY: folder.uidValidity,
      UNSEEN: folder.mails.filter(({ flags }) => !flags.has('\\Seen')).length,
      RECENT: 0,
    }
    const told = [items ?? []].flat().map((item) => `${String(item)} ${values[String(item).toUpperCase()] ?? 0}`)
    this.#line(`* STATUS ${quote(folder.name)} (${told.join(' ')})`)
    return 'done'
  }

  #select(name: string, isReadOnly: boolean): string {
    this.#unselect()
    const folder = this.#find(name)
    this.#folder = folder
    this.#told = folder.mails.length
    this.#stopListening = folder.onNews(() => {
      if (this.#idling !== undefined) this.#tellNews()
    })
    const flags = '\\Seen \\Answered \\Flagged \\Deleted \\Draft'
    this.#line(`* FLAGS (${flags})`)
    this.#line(`* OK [PERMANENTFLAGS (${isReadOnly ? '' : flags})] flags`)
    this.#line(`* ${this.#told} EXISTS`)
    this.#line('* 0 RECENT')
    this.#line(`* OK [UIDVALIDITY ${folder.uidValidity}] uids`)
    this.#line(`* OK [UIDNEXT ${folder.uidNext}] next`)
    return isReadOnly ? '[READ-ONLY] open' : '[READ-WRITE] open'
  }

  #append(words: readonly Word[]): string {
    const folder = this.#find(String(words[0]))
    const raw = words.at(-1)
    if (typeof raw !== 'string' || words.length < 2) throw new Error('APPEND wants a message')
    const between = words.slice(1, -1)
    const flags = between.find((word): word is readonly Word[] => Array.isArray(word)) ?? []
    const date = between.find((word): word is string => typeof word === 'string')
    const mail = folder.add(
      Buffer.from(raw, 'latin1'),
      date === undefined ? this.#now() : dateOf(date),
      flags.map(String),
    )
    if (folder === this.#folder) this.#tellNews()
    return `[APPENDUID ${folder.uidValidity} ${mail.uid}] done`
  }

  #tellNews(): void {
    const count = this.#folder?.mails.length ?? 0
    if (count === this.#told) return
    this.#told = count
    this.#line(`* ${count} EXISTS`)
  }

  #unselect(): void {
    this.#stopListening()
    this.#folder = undefined
    this.#told = 0
  }

  #signedIn(): Account {
    if (this.#account) return this.#account
    throw new Error('sign in first')
  }

  #selected(): Folder {
    this.#signedIn()
    if (this.#folder) return this.#folder
    throw new Error('select a mailbox first')
  }

  #find(name: string): Folder {
    const folder = this.#signedIn().folder(name)
    if (folder) return folder
    throw new Refusal(`[NONEXISTENT] there is no mailbox ${name.slice(0, 60)}`)
  }

  #line(text: string): void {
    this.#socket.write(`${text}\r\n`, 'latin1')
  }
}
