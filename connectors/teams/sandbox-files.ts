/** SharePoint and OneDrive of the made-up company: what people put into conversations lies there. */
import { createHash } from 'node:crypto'
import type { SandboxChannel, SandboxPerson } from './sandbox-world.ts'

export interface SandboxFile {
  readonly id: string
  readonly name: string
  readonly folder: SandboxFolder
  /** Absent for an app. */
  readonly maker: SandboxPerson | undefined
  content: Buffer
}

export interface SandboxFolder {
  readonly drive: string
  readonly id: string
  /** The address under which people see it. */
  readonly path: string
  /** A person's own, not a team's. */
  readonly isPersonal: boolean
}

const hash = (text: string) => createHash('sha256').update(text).digest('hex')
const guid = (text: string) =>
  hash(text)
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5')
    .toUpperCase()

export class SandboxFiles {
  readonly all: SandboxFile[] = []
  #base = ''

  /** @param base the sandbox's own address, which stands for all of Microsoft's. */
  liesAt(base: string): void {
    this.#base = base
  }

  /** A channel's files lie in a folder of the team's site, those of chats with whoever shares them. */
  folderOf(channel: SandboxChannel, by: SandboxPerson | undefined): SandboxFolder {
    if (channel.kind === 'channel' || !by) {
      const id = `01${hash(channel.id).slice(0, 30).toUpperCase()}`
      return { drive: 'b!SupportSite', id, path: `/sites/Support/Shared Documents/${channel.name}`, isPersonal: false }
    }
    const owner = by.email.replaceAll(/\W/g, '_')
    const path = `/personal/${owner}/Documents/Microsoft Teams Chat Files`
    return { drive: `b!${owner}`, id: `01CHAT${owner.toUpperCase()}`, path, isPersonal: true }
  }

  put(folder: SandboxFolder, name: string, content: Buffer, maker: SandboxPerson | undefined): SandboxFile {
    const known = this.all.find((one) => one.folder.id === folder.id && one.name === name)
    if (known) known.content = content
    const added = known ?? { id: guid(`${folder.path}/${name}`), name, folder, maker, content }
    if (!known) this.all.push(added)
    return added
  }

  /** Where people open it, after they have signed in; as messages have it. */
  urlOf({ folder, name }: SandboxFile): string {
    return `${this.#base}${folder.path}/${name}`
  }

  /** The same, as Microsoft Graph writes it. */
  webUrlOf({ folder, name }: SandboxFile): string {
    return `${this.#base}${folder.path.split('/').map(encodeURIComponent).join('/')}/${encodeURIComponent(name)}`
  }

  at(url: string): SandboxFile | undefined {
    return this.all.find((file) => this.urlOf(file) === url || this.webUrlOf(file) === url)
  }
}
