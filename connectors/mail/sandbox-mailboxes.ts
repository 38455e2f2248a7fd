/** The mailboxes of the demo's mail server, in memory: what IMAP calls folders, with uids that never change their meaning. */

export interface StoredMail {
  readonly uid: number
  readonly raw: Buffer
  readonly receivedAt: Date
  readonly flags: Set<string>
}

export class Folder {
  readonly name: string
  readonly specialUse: string | undefined
  readonly #listeners = new Set<() => void>()
  #mails: StoredMail[] = []
  #uidValidity: number
  #uidNext = 1

  constructor(name: string, uidValidity: number, specialUse?: string) {
    this.name = name
    this.specialUse = specialUse
    this.#uidValidity = uidValidity
  }

  /** In the order of their sequence numbers. */
  get mails(): readonly StoredMail[] {
    return this.#mails
  }
  get uidNext(): number {
    return this.#uidNext
  }
  get uidValidity(): number {
    return this.#uidValidity
  }

  add(raw: Buffer, receivedAt: Date, flags: Iterable<string> = []): StoredMail {
    const mail = { uid: this.#uidNext, raw, receivedAt, flags: new Set(flags) }
    this.#uidNext += 1
    this.#mails.push(mail)
    for (const tell of this.#listeners) tell()
    return mail
  }

  /** As after a server's restore from a backup: all uids are given out anew. */
  changeUidValidity(): void {
    this.#uidValidity += 1
    this.#mails = this.#mails.map((mail, index) => ({ ...mail, uid: index + 1 }))
    this.#uidNext = this.#mails.length + 1
  }

  /** @returns stops it. */
  onNews(tell: () => void): () => void {
    this.#listeners.add(tell)
    return () => this.#listeners.delete(tell)
  }
}

export class Account {
  readonly address: string
  readonly password: string
  readonly inbox = new Folder('INBOX', 1)
  readonly sent = new Folder('Sent', 1, '\\Sent')

  constructor(address: string, password: string) {
    this.address = address.toLowerCase()
    this.password = password
  }

  get folders(): readonly Folder[] {
    return [this.inbox, this.sent]
  }

  folder(name: string): Folder | undefined {
    return this.folders.find((folder) => folder.name === (name.toUpperCase() === 'INBOX' ? 'INBOX' : name))
  }
}

/** `support+anything@example.com` is delivered to `support@example.com`. */
export function accountFor(accounts: readonly Account[], recipient: string): Account | undefined {
  const plain = recipient.toLowerCase().replace(/\+[^@]*@/, '@')
  return accounts.find(({ address }) => address === plain)
}
