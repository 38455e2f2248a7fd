import { beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type Connector, defineConnector, type OutMessage } from '#hub/connector/contract.ts'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { Attachment, Author } from '#hub/connector/facts.ts'
import { testDatabase } from '#kit'
import { openShop, openTill, rows, type Shop } from './till.ts'

const database = testDatabase()
let written: OutMessage[]
let busy: boolean
let shop: Shop

/** Keeps files and takes them. */
const studio: Connector = defineConnector({
  manifest: { id: 'till', name: 'Studio', docs: 'https://studio.example/docs', hosts: [], limits: [] },
  config: z.object({ base: z.string(), token: z.string().meta({ secret: true }) }),
  check: async () => ({ account: 'studio' }),
  can: {
    async readFile(_ctx, file) {
      if (busy) throw new ConnectorError('unavailable', 'busy, and the token is tok-1234567890')
      return Buffer.from(`the ${file.name}`)
    },
    writeCase: {
      fields: [],
      effects: { create: 'keyed', update: 'keyed', message: 'keyed' },
      takesFiles: { maxBytes: 1_000 },
      create: async () => ({}),
      update: async () => ({}),
      async message(_ctx, _id, message) {
        written.push(message)
        return { externalId: String(written.length) }
      },
    },
  },
})

const leo: Author = { kind: 'agent', name: 'Leo', email: 'Leo@acme.example' }
const note = { visibility: 'internal', text: 'Look' } as const

beforeEach(async () => {
  await database.reset()
  written = []
  busy = false
  shop = await openShop(database, await openTill(), studio)
})

async function say(author: Author, attachments: readonly Attachment[] = []): Promise<void> {
  const message: OutMessage = { ...note, ...(attachments.length > 0 ? { attachments } : {}) }
  await shop.put([{ key: 'k1', action: { type: 'case.message', externalId: 'T-1', message, author } }])
  await shop.workOff(shop.deliver())
}

describe('a message that leaves', () => {
  it('says which colleague wrote it, with the account that an administrator named in that tool', async () => {
    await shop.db
      .insertInto('agents')
      .values({ id: 'agt_1', email: 'leo@acme.example', name: 'Leo Ruiz', role: 'agent' })
      .execute()
    const account = { external_id: '900100', agent_id: 'agt_1', proof: 'admin' } as const
    await shop.db
      .insertInto('agent_accounts')
      .values([
        { connection_id: shop.connectionId, ...account },
        { connection_id: 'con_other', ...account, external_id: '7' },
      ])
      .execute()
    await say(leo)
    expect(written).toEqual([{ ...note, author: { name: 'Leo', email: 'Leo@acme.example', accountId: '900100' } }])
  })

  it('says nobody when the hub itself speaks', async () => {
    await say({ kind: 'system', name: 'Deskweave' })
    expect(written).toEqual([note])
  })

  it('brings the files of the tool that told of them, and names those that nobody can read', async () => {
    const known = { id: 'F1', name: 'a.txt', contentType: 'text/plain', source: shop.connectionId }
    await say({ kind: 'system' }, [known, { name: 'b.txt', source: 'con_gone' }, { name: 'c.txt' }])
    expect(written).toEqual([
      {
        ...note,
        text: 'Look\n\nFiles not sent: b.txt, c.txt',
        files: [{ name: 'a.txt', contentType: 'text/plain', content: Buffer.from('the a.txt') }],
        filesMayWait: true,
      },
    ])
  })

  it('waits a little for files, then goes without them; its own tool is not called ill for that', async () => {
    busy = true
    await say({ kind: 'system' }, [{ name: 'a.txt', source: shop.connectionId }])
    expect(written).toEqual([{ ...note, text: 'Look\n\nFiles not sent: a.txt' }])
    expect(await rows(shop.db)).toMatchObject([{ state: 'sent', attempts: 3 }])
    const connection = shop.connections.all().find(({ id }) => id === shop.connectionId)
    expect(connection?.status).toBe('connected')
    expect(JSON.stringify(shop.log.lines)).not.toContain('tok-1234567890')
  })
})
