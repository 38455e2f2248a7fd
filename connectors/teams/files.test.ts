import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Attachment } from '#hub/connector/facts.ts'
import type { Teams } from './client.ts'
import { config } from './config.ts'
import { filesOf, readFile } from './files.ts'
import { FilesAt } from './files-at.ts'
import { happeningsOf } from './happening.ts'
import { readActivity } from './read-activity.ts'
import { startSandbox, type TeamsSandbox } from './sandbox.ts'
import { invokeActivity, messageActivity, messagePayload, type Written } from './sandbox-activities.ts'
import type { Json, SandboxChannel, SandboxMessage, SandboxPerson } from './sandbox-world.ts'
import { testDoor } from './test-door.ts'

let sandbox: TeamsSandbox
let ctx: Teams

beforeEach(async () => {
  sandbox = await startSandbox()
  ctx = contextFor(sandbox.config)
})
afterEach(() => sandbox.close())

/** Over real HTTP to the sandbox. */
function contextFor(settings: unknown): Teams {
  const { ctx: door } = testDoor(() => new Response())
  const http = {
    ...door.http,
    fetch: (url: string | URL, { method, headers, body }: Parameters<Teams['http']['fetch']>[1] = {}) =>
      fetch(url, { ...(method ? { method } : {}), ...(headers ? { headers } : {}), ...(body ? { body } : {}) }),
  }
  return { ...door, http, now: () => new Date(), config: config.parse(settings) }
}

const stage = () => ({ serviceUrl: sandbox.serviceUrl, now: () => new Date(), nextEventId: () => 'f:1' })
const begun = () => sandbox.world.add(sandbox.channels.cases, undefined, {})
const log = { name: 'router é.log', content: 'link down' }

/** What the hub reads of an activity. */
function read(activity: Json) {
  const incoming = readActivity(activity)
  if (incoming.kind === 'unreadable') throw new Error(incoming.problem)
  const [happening] = happeningsOf(incoming, ctx.config)
  const what = happening?.what
  if (!what || !('message' in what) || !what.message) throw new Error(`no message: ${what?.kind}`)
  return what.message
}

/** Somebody writes, and the hub asks which files came with it. */
async function written(
  by: SandboxPerson,
  where: SandboxChannel | { readonly reply: SandboxMessage },
  files: NonNullable<Written['files']>,
): Promise<{ readonly message: SandboxMessage; readonly at: string; readonly files: readonly Attachment[] }> {
  const message = await sandbox.write(by, where, { text: 'The log', files })
  const { unnamed } = read(messageActivity(stage(), message, by))
  if (!unnamed) throw new Error('nothing is attached')
  return { message, at: unnamed.at, files: await filesOf(ctx, unnamed.at) }
}

async function textOf(file: Attachment | undefined, maxBytes = 1_000): Promise<string> {
  return Buffer.from(await readFile(ctx, file ?? { name: 'none' }, maxBytes)).toString()
}

describe('files in a conversation', () => {
  it("are named and read by Microsoft Graph: in a case's thread, and where a customer's begins", async () => {
    const { people, channels } = sandbox
    for (const [by, where] of [[people.jo, { reply: begun() }] as const, [people.rita, channels.globex] as const]) {
      const { files } = await written(by, where, [log, { name: 'b.txt', content: 'b' }])
      expect(files.map(({ name }) => name)).toEqual(['router é.log', 'b.txt'])
      expect([await textOf(files[0]), await textOf(files[1])]).toEqual(['link down', 'b'])
    }
  })

  it('are read in a group chat from the place of whoever shared them', async () => {
    ctx = contextFor({ ...sandbox.config, channels: [{ channel: sandbox.channels.group.id, for: 'customer' }] })
    const { files } = await written(sandbox.people.kim, sandbox.channels.group, [log])
    expect(await textOf(files[0])).toBe('link down')
  })

  it('are found also where Teams does not tell what Graph calls the team', async () => {
    const message = await sandbox.write(sandbox.people.jo, { reply: begun() }, { text: '', files: [log] })
    const { aadGroupId: _, ...team } = sandbox.team
    const activity = messageActivity(stage(), message, sandbox.people.jo)
    const { unnamed } = read({ ...activity, channelData: { ...Object(activity['channelData']), team } })
    expect(FilesAt.parse(JSON.parse(unnamed?.at ?? '')).channel).not.toHaveProperty('group')
    const [file] = await filesOf(ctx, unnamed?.at ?? '')
    expect(await textOf(file)).toBe('link down')
  })

  it('of a message from its menu are read, too, though not in a private conversation', async () => {
    const { jo, kim } = sandbox.people
    const shared = (message: SandboxMessage) => {
      const value = { commandId: 'createCase', commandContext: 'message', messagePayload: messagePayload(message) }
      const where = { channel: message.channel, thread: message.thread }
      return read(invokeActivity(stage(), kim, where, 'composeExtension/fetchTask', value)).files
    }
    const inChannel = await sandbox.write(jo, sandbox.channels.cases, { text: '', files: [log] })
    expect(await textOf(shared(inChannel)[0])).toBe('link down')
    const alone = await sandbox.write(jo, sandbox.personal(jo), { text: '', files: [log] })
    expect(shared(alone)).toMatchObject([{ name: 'router é.log', url: expect.stringContaining('/personal/') }])
    await expect(textOf(shared(alone)[0])).rejects.toMatchObject({ code: 'rejected' })
  })

  it('are not asked for where a message belongs to no case', async () => {
    const message = await sandbox.write(sandbox.people.jo, sandbox.channels.cases, { text: 'Lunch', files: [log] })
    const activity = messageActivity(stage(), message, sandbox.people.jo)
    expect(read(activity)).toEqual({ id: message.id, text: 'Lunch', files: [] })
  })

  it('are not told when the message has a card or a quotation and no file', async () => {
    const message = await sandbox.write(sandbox.people.jo, { reply: begun() }, 'See')
    const attachments = [{ contentType: 'text/html', content: 'See <attachment id="1"></attachment>' }]
    const { unnamed } = read({ ...messageActivity(stage(), message, sandbox.people.jo), attachments })
    expect(await filesOf(ctx, unnamed?.at ?? '')).toEqual([])
  })
})

describe('what the app may read and its writer may not', () => {
  it('does not travel: an address of something that lies elsewhere and somebody else has made', async () => {
    const { files } = sandbox.world
    const { jo, kim, rita } = sandbox.people
    const salaries = files.put(files.folderOf(sandbox.channels.group, kim), 'salaries.xlsx', Buffer.from('90'), kim)
    const plans = files.put(files.folderOf(sandbox.channels.cases, kim), 'plans.txt', Buffer.from('sell'), kim)
    for (const secret of [salaries, plans]) {
      const link = { name: secret.name, url: files.urlOf(secret) }
      const { files: told } = await written(rita, sandbox.channels.globex, [link])
      expect(told).toMatchObject([link])
      await expect(textOf(told[0])).rejects.toMatchObject({ code: 'rejected' })
    }
    // Its maker may pass it on, and everybody what lies in the folder of their channel.
    const own = { name: salaries.name, url: files.urlOf(salaries) }
    expect(await textOf((await written(kim, sandbox.channels.globex, [own])).files[0])).toBe('90')
    const theirs = { name: plans.name, url: files.urlOf(plans) }
    expect(await textOf((await written(jo, { reply: begun() }, [theirs])).files[0])).toBe('sell')
  })

  it('does not travel under the name of another message, or of one that is gone', async () => {
    const { jo, kim } = sandbox.people
    const { files, message } = await written(kim, { reply: begun() }, [log])
    const other = await written(jo, { reply: begun() }, [{ name: 'other.txt', content: 'o' }])
    await expect(textOf({ name: 'x', url: files[0]?.url ?? '', id: other.at })).rejects.toMatchObject({
      code: 'rejected',
    })
    expect(await textOf(files[0])).toBe('link down')
    await sandbox.delete(message)
    await expect(textOf(files[0])).rejects.toMatchObject({ code: 'not_found' })
  })

  it.each(['', '{', '{}', '{"service":"x"}'])('is not looked for at a place that nobody wrote: %j', async (id) => {
    const { files } = await written(sandbox.people.jo, { reply: begun() }, [log])
    await expect(textOf({ name: 'x', url: files[0]?.url ?? '', id })).rejects.toMatchObject({ code: 'rejected' })
    await expect(filesOf(ctx, id)).rejects.toMatchObject({ code: 'rejected' })
  })
})

describe('a permission', () => {
  it('that a team has not given is named, and found when it is given', async () => {
    sandbox.permissions.delete('ChannelMessage.Read.Group')
    const refused = expect.objectContaining({
      code: 'rejected',
      message: expect.stringContaining('lacks a permission'),
    })
    await expect(written(sandbox.people.jo, { reply: begun() }, [log])).rejects.toEqual(refused)
    sandbox.permissions.add('ChannelMessage.Read.Group')
    const { files } = await written(sandbox.people.jo, { reply: begun() }, [log])
    expect(files).toHaveLength(1)
  })

  it("of an administrator's is needed for contents, and good at once though tokens last an hour", async () => {
    sandbox.permissions.delete('Files.ReadWrite.All')
    const { files } = await written(sandbox.people.jo, { reply: begun() }, [log])
    await expect(textOf(files[0])).rejects.toMatchObject({ code: 'rejected' })
    sandbox.permissions.add('Sites.Selected')
    expect(await textOf(files[0])).toBe('link down')
  })
})

describe('a file', () => {
  it('that is too large is not fetched', async () => {
    const { files } = await written(sandbox.people.jo, { reply: begun() }, [log])
    await expect(textOf(files[0], 8)).rejects.toMatchObject({ code: 'rejected' })
    expect(sandbox.requests.filter(({ path }) => path.includes('download'))).toEqual([])
    expect(await textOf(files[0], 9)).toBe('link down')
  })

  it('costs a token of ours at Microsoft Graph alone, a picture one at Teams', async () => {
    const { files } = await written(sandbox.people.jo, { reply: begun() }, [log])
    await textOf(files[0])
    const shown = sandbox.requests.map(({ path, headers }) => [
      path.split('/')[1],
      headers['authorization'] !== undefined,
    ])
    expect(shown).toContainEqual(['v1.0', true])
    expect(shown.filter(([first]) => first === '_layouts')).toEqual([['_layouts', false]])
    const service = `https://smba.trafficmanager.net/emea/${sandbox.config['tenant_id']}/`
    const { ctx: door, authorizations } = testDoor(() => new Response('pixels'))
    await readFile(door, { name: 'b', url: `${service}v3/attachments/1/views/original` }, 100)
    expect(authorizations()).toEqual(['Bearer token-1'])
  })

  it.each([
    'https://evil.example/v3/attachments/1',
    'https://smba.trafficmanager.net.evil.example/v3/attachments/1',
    'http://smba.trafficmanager.net/v3/attachments/1',
    'https://contoso.sharepoint.com.evil.example/a',
    'https://a.b.sharepoint.com/a',
    'http://contoso.sharepoint.com/a',
    'https://contoso.sharepoint.com:8443/a',
    'not an address',
  ])('is called for nowhere else: %s', async (url) => {
    const { ctx: door, calls } = testDoor(() => new Response('content'))
    await expect(readFile(door, { name: 'a', url, id: '{}' }, 100)).rejects.toMatchObject({ code: 'rejected' })
    expect(calls).toEqual([])
  })

  it('is not fetched where Graph gives it out at a foreign address', async () => {
    const { files } = await written(sandbox.people.jo, { reply: begun() }, [log])
    const foreign = {
      ...ctx.http,
      fetch: async (...[url, init]: Parameters<Teams['http']['fetch']>) => {
        const answer = await ctx.http.fetch(url, init)
        const text = (await answer.text()).replace(/"http[^"]*download\.aspx/, '"https://evil.example/download.aspx')
        return new Response(text, answer)
      },
    }
    await expect(readFile({ ...ctx, http: foreign }, files[0] ?? log, 100)).rejects.toMatchObject({ code: 'rejected' })
  })
})
