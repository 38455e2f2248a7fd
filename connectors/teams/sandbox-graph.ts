/** Microsoft Graph, as far as files go: who may read what, what is attached to a message, where files lie. */
import type { SandboxAnswer, SandboxRequest, SandboxRoute } from '#hub/connector/sandbox.ts'
import type { SandboxFile, SandboxFolder } from './sandbox-files.ts'
import { bot, type SandboxMessage, team, type World } from './sandbox-world.ts'

/** `…Group` and `…Chat` are consented to by teams and chats, the others by an administrator. */
export type GraphPermission =
  | 'ChannelMessage.Read.Group'
  | 'ChatMessage.Read.Chat'
  | 'Files.Read.All'
  | 'Files.ReadWrite.All'
  | 'Sites.Selected'

interface Stage {
  readonly world: World
  readonly now: () => Date
  url(): string
  /** What the app may, now. */
  readonly permissions: ReadonlySet<GraphPermission>
}

const issued = 'sandbox-graph-token.'
const byAdministrator: readonly GraphPermission[] = ['Files.Read.All', 'Files.ReadWrite.All', 'Sites.Selected']

/** What an administrator grants stands in tokens that are made after that. */
export function graphToken(until: number, permissions: ReadonlySet<GraphPermission>): string {
  return `${issued}${until}.${byAdministrator.filter((one) => permissions.has(one)).join('+')}`
}

export function graphRoutes(stage: Stage): SandboxRoute[] {
  const { world } = stage
  const { files } = world
  const ask =
    (use: (request: SandboxRequest, may: (...permissions: GraphPermission[]) => boolean) => SandboxAnswer) =>
    (request: SandboxRequest): SandboxAnswer => {
      const [until, roles = ''] = request.headers['authorization']?.split(issued)[1]?.split(/\.(.*)/) ?? []
      if (!(Number(until) > stage.now().getTime()))
        return refusal(401, 'InvalidAuthenticationToken', 'Access token is empty or expired.')
      const has = (one: GraphPermission) =>
        byAdministrator.includes(one) ? roles.split('+').includes(one) : stage.permissions.has(one)
      return use(request, (...permissions) => permissions.some(has))
    }
  const itemOf = (file: SandboxFile) => ({
    id: file.id,
    name: file.name,
    size: file.content.length,
    webUrl: files.webUrlOf(file),
    eTag: `"{${file.id}},1"`,
    ...madeBy(file),
    parentReference: { driveId: file.folder.drive, id: file.folder.id },
    '@microsoft.graph.downloadUrl': `${stage.url()}/_layouts/15/download.aspx?UniqueId=${file.id}&tempauth=v1.${stage.now().getTime() + 300_000}`,
  })
  const maySee = (folder: SandboxFolder, may: (...permissions: GraphPermission[]) => boolean) =>
    may('Files.Read.All', 'Files.ReadWrite.All') || (!folder.isPersonal && may('Sites.Selected'))
  const told = (message: SandboxMessage | undefined): SandboxAnswer => {
    if (!message || message.isDeleted) return refusal(404, 'NotFound', 'MessageNotFound')
    return {
      status: 200,
      json: {
        id: message.id,
        from: message.author
          ? { user: { id: message.author.aadObjectId, displayName: message.author.name } }
          : { user: null },
        attachments: message.attached,
      },
    }
  }
  const inChannel = ({ params }: SandboxRequest, thread: string, id: string) => {
    if (params['group'] !== team.aadGroupId) return undefined
    const found = world.messages.find((one) => one.id === id && one.channel.id === params['channel'])
    return found?.thread === thread ? found : undefined
  }
  const channelMessages = '/v1.0/teams/:group/channels/:channel/messages'
  return [
    {
      method: 'GET',
      path: `${channelMessages}/:message`,
      answer: ask((request, may) => {
        const id = request.params['message'] ?? ''
        return may('ChannelMessage.Read.Group') ? told(inChannel(request, id, id)) : noPermission
      }),
    },
    {
      method: 'GET',
      path: `${channelMessages}/:message/replies/:reply`,
      answer: ask((request, may) => {
        const { message = '', reply = '' } = request.params
        return may('ChannelMessage.Read.Group') ? told(inChannel(request, message, reply)) : noPermission
      }),
    },
    {
      method: 'GET',
      path: '/v1.0/chats/:chat/messages/:message',
      answer: ask(({ params }, may) => {
        const found = world.messages.find((one) => one.id === params['message'] && one.channel.id === params['chat'])
        // A private conversation with the app cannot consent to being read.
        return may('ChatMessage.Read.Chat') && found?.channel.kind === 'group' ? told(found) : noPermission
      }),
    },
    {
      method: 'GET',
      path: '/v1.0/shares/:share/driveItem',
      answer: ask(({ params }, may) => {
        const url = Buffer.from((params['share'] ?? '').replace(/^u!/, ''), 'base64url').toString()
        const file = files.at(url)
        if (!file)
          return refusal(
            404,
            'itemNotFound',
            'The sharing link no longer exists, or you do not have permission to access it.',
          )
        return maySee(file.folder, may) ? { status: 200, json: itemOf(file) } : noPermission
      }),
    },
    {
      method: 'GET',
      path: '/v1.0/teams/:group/channels/:channel/filesFolder',
      answer: ask(({ params }, may) => {
        const channel = world.conversations.get(params['channel'] ?? '')
        if (!channel || params['group'] !== team.aadGroupId) return refusal(404, 'NotFound', 'No channel found.')
        if (!may('Files.Read.All', 'Files.ReadWrite.All')) return noPermission
        const { id, drive } = files.folderOf(channel, undefined)
        return {
          status: 200,
          json: { id, name: channel.name, parentReference: { driveId: drive, driveType: 'documentLibrary' } },
        }
      }),
    },
    {
      method: 'PUT',
      path: '/v1.0/drives/:drive/items/:into/:sub/:place/:name/content',
      answer: ask(({ params, body }, may) => {
        const { drive = '', name = '' } = params
        const folder = [...world.conversations.values()]
          .map((channel) => files.folderOf(channel, undefined))
          .find((one) => one.drive === drive && params['into'] === `${one.id}:`)
        if (!folder) return refusal(404, 'itemNotFound', 'The resource could not be found.')
        if (!may('Files.ReadWrite.All')) return noPermission
        if (!/^[^"*:<>?/\\|]+:$/.test(name)) return refusal(400, 'invalidRequest', 'The provided name is not allowed.')
        const path = `${folder.path}/${params['sub']}/${params['place']}`
        const within = { ...folder, id: `${folder.id}-${params['place']}`, path }
        return { status: 201, json: itemOf(files.put(within, name.slice(0, -1), body, undefined)) }
      }),
    },
    {
      method: 'GET',
      path: '/_layouts/15/download.aspx',
      answer({ query }) {
        const file = files.all.find(({ id }) => id === query.get('UniqueId'))
        const isGood = Number(query.get('tempauth')?.replace('v1.', '')) > stage.now().getTime()
        return file && isGood ? { status: 200, body: file.content } : { status: 401 }
      },
    },
  ]
}

const madeBy = ({ maker }: SandboxFile) => {
  const by = maker ? { user: { id: maker.aadObjectId, displayName: maker.name } } : { application: { id: bot.appId } }
  return { createdBy: by, lastModifiedBy: by }
}

function refusal(status: number, code: string, message: string): SandboxAnswer {
  return { status, json: { error: { code, message } } }
}

const noPermission = refusal(403, 'Forbidden', 'Missing role permissions on the request.')
