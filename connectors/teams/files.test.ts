import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Attachment } from '#hub/connector/facts.ts'
import { post } from './chat.ts'
import type { Teams } from './client.ts'
import { config } from './config.ts'
import { filesOf, readFile } from './files.ts'
import { FilesAt } from './files-at.ts'
import { happeningsOf } from './happening.ts'
import { readActivity } from './read-activity.ts'
import { writeReference } from './reference.ts'
import { startSandbox, type TeamsSandbox } from './sandbox.ts'
import { invokeActivity, messageActivity, messagePayload, type Written } from './sandbox-activities.ts'
import type { Json, SandboxChannel, SandboxMessage, SandboxPerson } from './sandbox-world.ts'
import { testDoor } from './test-door.ts'
import { message as reply } from './write.ts'

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
    expect(FilesAt.parse(JSON.parse(unnamed?.at ?? ''))).not.toHaveProperty('group')
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

describe('a file that the app shows', () => {
  const key = '7c1e0a64f2b94d0e8a35d1c2b3a49586'
  const plan = (name = 'plan b.txt', text = 'pull the plug') => ({
    name,
    contentType: 'text/plain',
    content: Buffer.from(text),
    url: 'https://desk.example/files/1',
  })
  const said = { author: 'Ana', visibility: 'public', text: 'See', at: '2026-11-20T10:15:30Z' } as const
  const referenceTo = ({ id, kind }: SandboxChannel, more: object = { team: sandbox.team.id }) =>
    writeReference({
      service: sandbox.serviceUrl,
      tenant: String(sandbox.config['tenant_id']),
      conversation: id,
      kind,
      ...more,
    })
  const placed = (channel: SandboxChannel = sandbox.channels.cases, more?: object) => ({
    channel: channel.id,
    reference: referenceTo(channel, more),
  })
  const lying = () =>
    sandbox.world.files.all.map(({ name, content, folder }) => [folder.path, name, content.toString()])
  const shown = () => JSON.stringify(sandbox.world.posted.at(-1)?.activity)

  it('lies in the folder of its channel, once however often it is tried, and the message leads to it', async () => {
    const content = { kind: 'said', said, files: [plan(), plan('plan b.txt', 'another')] } as const
    for (let tries = 0; tries < 2; tries += 1) await post(ctx, placed(), content, key)
    const files = sandbox.world.files.all
    expect(files.map(({ name, content: bytes }) => [name, bytes.toString()])).toEqual([
      ['plan b.txt', 'pull the plug'],
      ['plan b.txt', 'another'],
    ])
    for (const file of files) {
      expect(file.folder.path).toMatch(/^\/sites\/Support\/Shared Documents\/Cases\/Deskweave\/[\da-f]{8}$/)
      expect(shown()).toContain(sandbox.world.files.webUrlOf(file))
    }
    await post(ctx, placed(), content, 'another-message-of-the-hub')
    expect(files).toHaveLength(4)
  })

  it("is put into a customer's channel by a reply, which links to it under its name", async () => {
    const { rita } = sandbox.people
    const { globex } = sandbox.channels
    const { id } = await sandbox.write(rita, globex, 'Help')
    const out = { visibility: 'public', text: 'See', files: [plan('<b>.txt')], reference: referenceTo(globex) } as const
    await reply(ctx, `${globex.id}|${id}`, out, key)
    const [file] = sandbox.world.files.all
    expect(file).toMatchObject({ name: '_b_.txt', folder: { path: expect.stringContaining('/Globex/Deskweave/') } })
    const link = file && sandbox.world.files.webUrlOf(file)
    expect(sandbox.world.posted.at(-1)?.activity['text']).toBe(`See<br><a href="${link}">&#60;b&#62;.txt</a>`)
  })

  it.each([
    ['../../etc/passwd', '_.._etc_passwd'],
    ['~$lock.docx', '$lock.docx'],
    [' . ', 'file'],
    ['a\u0000b\n"c"?.txt. ', 'a_b__c__.txt'],
    [`${'long '.repeat(60)}end.pdf`, `${'long '.repeat(60).slice(0, 116)}.pdf`],
    ['100% #1 ñ 🙂.txt', '100% #1 ñ 🙂.txt'],
    ['CON.txt', '_CON.txt'],
    ['desktop.ini', '_desktop.ini'],
    ['console.txt', 'console.txt'],
    ['a_vti_b.txt', 'a_b.txt'],
  ])('has a name that SharePoint takes: %j', async (given, name) => {
    await post(ctx, placed(), { kind: 'said', said, files: [plan(given)] }, key)
    expect(lying()).toEqual([[expect.stringContaining('/Cases/Deskweave/'), name, 'pull the plug']])
    expect(shown()).not.toContain('desk.example')
  })

  it('is named with the link it came by where the app may put nothing, and the message stands all the same', async () => {
    const { cases, group } = sandbox.channels
    const content = { kind: 'said', said, files: [plan()] } as const
    const refusals = [
      () => sandbox.permissions.delete('Files.ReadWrite.All'),
      () => sandbox.permissions.add('Files.Read.All'),
    ]
    for (const refuse of refusals) {
      refuse()
      await post(ctx, placed(), content, key)
      expect(shown()).toContain('https://desk.example/files/1')
    }
    sandbox.permissions.add('Files.ReadWrite.All')
    for (const place of [placed(group), placed(cases, {}), placed(cases, { team: '19:unknown@thread.tacv2' })]) {
      await post(ctx, place, content, key)
      expect(shown()).toContain('plan b.txt')
      expect(shown()).toContain('https://desk.example/files/1')
    }
    expect(lying()).toEqual([])
  })

  it('holds its message back for a while when Microsoft cannot be reached, and nothing is said half', async () => {
    await post(ctx, placed(), { kind: 'said', said, files: [plan()] }, key)
    const before = sandbox.world.posted.length
    for (const failing of [{ failRate: 1 }, { failRate: 1, status: 429 }, { failRate: 1, status: 500 }]) {
      sandbox.faults.set(failing)
      const posting = post(ctx, placed(), { kind: 'said', said, files: [plan()], filesMayWait: true }, key)
      await expect(posting).rejects.toMatchObject({ code: failing.status === 429 ? 'rate_limited' : 'unavailable' })
      sandbox.faults.set({})
    }
    expect(sandbox.world.posted.length).toBe(before)
  })

  it('is named, when it has held the message back often enough or the site is full; the others travel', async () => {
    const { fetch: send } = ctx.http
    const failing = (status: number, path: RegExp) => ({
      ...ctx,
      http: {
        ...ctx.http,
        fetch: async (...[url, init]: Parameters<typeof send>) =>
          path.test(String(url)) ? Response.json({}, { status }) : await send(url, init),
      },
    })
    const content = { kind: 'said', said, files: [plan('a.txt'), plan('b.txt')] } as const
    await post(failing(503, /a\.txt/), placed(), content, key)
    expect(lying()).toMatchObject([[expect.anything(), 'b.txt', 'pull the plug']])
    expect(shown()).toContain('https://desk.example/files/1')
    await post(failing(507, /b\.txt/), placed(), { ...content, filesMayWait: true }, key)
    expect(lying().map(([, name]) => name)).toEqual(['b.txt', 'a.txt'])
    await post(failing(503, /filesFolder/), placed(), content, key)
    expect(shown()).toContain('a.txt')
  })

  it('keeps its place when another drops out on the way', async () => {
    await post(ctx, placed(), { kind: 'said', said, files: [plan('a.txt'), plan('b.txt')] }, key)
    await post(ctx, placed(), { kind: 'said', said, files: [plan('b.txt')] }, key)
    expect(lying()).toHaveLength(2)
  })

  it('gives way to the words of a long reply: then it is named without its link', async () => {
    const { globex } = sandbox.channels
    const { id } = await sandbox.write(sandbox.people.rita, globex, 'Help')
    const files = Array.from({ length: 10 }, (_, index) => plan(`${'文'.repeat(100)} ${index}.txt`))
    const out = { visibility: 'public', text: 'x'.repeat(3_000), files, reference: referenceTo(globex) } as const
    await reply(ctx, `${globex.id}|${id}`, out, key)
    expect(shown()).toContain('文 9.txt')
    expect(shown()).not.toContain('<a href')
  })
})
