/** One fictional customer's day. The people act in their own tools; the hub does the rest. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'
import type { LegacyDeskSandbox } from '../../connectors/desk/sandbox.ts'
import type { ZendeskSandbox } from '../../connectors/zendesk/sandbox.ts'
import { Case, type Client, Connection, listOf, Profile } from './client.ts'

export interface Stage {
  readonly client: Client
  readonly zendesk: ZendeskSandbox
  readonly warehouse: LegacyDeskSandbox
  readonly say: (line: string) => void
  /** Between two steps, for people who read along. */
  readonly pause: () => Promise<void>
}

export interface Day extends Stage {
  readonly zendeskId: string
  readonly warehouseId: string
  readonly ticketId: string
  readonly deskCaseId: string
  readonly openedCaseId: string
  readonly score: number
  readonly surveyUrl: string
}

export async function playDay(stage: Stage): Promise<Day> {
  const { client, zendesk, warehouse, say, pause } = stage
  const began = performance.now()
  const tell = async (line: string) => {
    say(`${((performance.now() - began) / 1000).toFixed(1).padStart(5)} s  ${line}`)
    await pause()
  }

  await tell('The administrator connects both tools and writes one set of rules.')
  const { rules, surveys } = parse(readFileSync(new URL('./deskweave.yaml', import.meta.url), 'utf8')) as Setup
  const zendeskId = await connect(client, zendesk, 'zendesk', 'Acme Zendesk')
  const warehouseId = await connect(client, warehouse, 'desk', 'Warehouse desk')
  for (const rule of rules) await client.send('PUT', `/rules/${rule.id}`, rule, z.unknown())
  for (const survey of surveys) await client.send('PUT', `/surveys/${survey.id}`, survey, z.unknown())

  await tell('Ana writes to Acme: a ticket in Zendesk. Its webhook comes twice, as webhooks do.')
  const acme = zendesk.desk.organizationNamed('Acme', { domains: ['acme.example'], fields: { plan: 'enterprise' } })
  await zendesk.createUser({
    name: 'Ana García',
    email: 'ana@acme.example',
    phone: '+34 600 111 222',
    locale: 'es-ES',
    organizationId: acme.id,
  })
  const ticketId = await zendesk.customerWrites(
    { from: 'ana@acme.example', subject: 'The delivery is incomplete', text: 'Two boxes of five are missing.' },
    { duplicate: true },
  )
  await client.until('the profile of ana@acme.example', () => find(client, 'email:ana@acme.example'))

  await tell('From home she also opens a case at the warehouse: another desk, another e-mail, the same phone.')
  const deskCase = warehouse.desk.openCase({
    subject: 'Where are my boxes?',
    text: 'I only received three.',
    priority: 'normal',
    requester: { name: 'Ana García', emails: ['ana.garcia@home.example'], phones: ['+34600111222'] },
  })
  const profile = await client.until('one profile for both', async () => {
    const found = await find(client, 'email:ana.garcia@home.example')
    return found?.identities.some((identity) => identity.value === 'ana@acme.example') && found
  })
  await tell(`The hub knows that both are one person: ${profile.identities.length} identities, one profile.`)

  await tell('An agent raises the priority in Zendesk, and the webhook gets lost on its way.')
  await zendesk.agentChanges(ticketId, { priority: 'urgent' }, { lose: true })
  await client.send('POST', `/connections/${zendeskId}/reconcile`, {}, z.unknown())
  await client.until('the rule for enterprise customers', async () =>
    zendesk.desk.ticket(ticketId).tags.includes('vip'),
  )
  await tell(
    'The hub read what it had missed, and the rule for enterprise customers acted: tag and note are in Zendesk.',
  )

  await zendesk.agentChanges(ticketId, { addTags: ['warehouse'] })
  const opened = await client.until('a case in the warehouse desk', async () =>
    [...warehouse.desk.cases.values()].find((one) => one.subject.startsWith('Check the delivery')),
  )
  await tell(
    `The agent tags it "warehouse": a rule opened ${opened.id} in the warehouse desk, with Ana as its requester.`,
  )

  await zendesk.agentReplies(ticketId, 'The carrier lost two boxes; refund them if they do not turn up.', {
    internal: true,
  })
  await zendesk.agentSolves(ticketId, 'The two missing boxes left today.', { duplicate: true })
  await tell('The agent solves the ticket.')
  const surveyUrl = await client.until('the survey', async () => linkIn(zendesk.desk.ticket(ticketId).comments, 5))
  await tell('A moment later Ana gets one question, as a reply on her ticket.')

  await visitAsScanner(surveyUrl)
  await tell('Her mail scanner opens every link: nothing is recorded, a GET never votes.')
  await answer(surveyUrl, 5, 'Fast and friendly, thank you!')
  await tell('Ana answers: 5 of 5.')

  warehouse.desk.changeCase(deskCase.id, { status: 'solved' })
  await client.until('the second decision about asking', async () => {
    const id = await caseId(client, warehouseId, deskCase.id)
    const why = await client.get(`/cases/${id}/why`, z.looseObject({ surveys: z.array(z.unknown()) }))
    return why.surveys.length > 0 && JSON.stringify(why.surveys).includes('skipped')
  })
  await tell('The warehouse solves its case too. Ana is not asked again: once per person, over all tools.')

  await client.until(
    'the score in Zendesk',
    async () => zendesk.desk.ticket(ticketId).custom.get('36001') !== undefined,
  )
  await warehouse.webhooks.settled()
  return {
    ...stage,
    zendeskId,
    warehouseId,
    ticketId,
    deskCaseId: deskCase.id,
    openedCaseId: opened.id,
    score: 5,
    surveyUrl,
  }
}

interface Setup {
  readonly rules: readonly { readonly id: string }[]
  readonly surveys: readonly { readonly id: string }[]
}

async function connect(
  client: Client,
  sandbox: Pick<ZendeskSandbox, 'config' | 'connect'>,
  connector: string,
  name: string,
): Promise<string> {
  const { id, webhook } = await client.send(
    'POST',
    '/connections',
    { connector, name, config: sandbox.config },
    Connection,
  )
  sandbox.connect(webhook)
  return id
}

async function find(client: Client, identity: string): Promise<z.output<typeof Profile> | undefined> {
  const { data } = await client.get(`/profiles?identity=${encodeURIComponent(identity)}`, listOf(Profile))
  return data[0]
}

export async function caseId(client: Client, connectionId: string, externalId: string): Promise<string> {
  const link = encodeURIComponent(`${connectionId}:${externalId}`)
  const { data } = await client.get(`/cases?link=${link}`, listOf(Case))
  const [found] = data
  if (!found) throw new Error(`no case for ${connectionId}:${externalId}`)
  return found.id
}

/** The link to the answer with this score in a public comment. */
function linkIn(
  comments: readonly { readonly body: string; readonly isPublic: boolean }[],
  score: number,
): string | undefined {
  for (const { body, isPublic } of comments) {
    const links = isPublic ? [...body.matchAll(/https?:\/\/[^\s"<>()]+\/s\/[^\s"<>()]+/g)].map(([link]) => link) : []
    const wanted = links.find(
      (link) => new URL(link.replaceAll('&amp;', '&')).searchParams.get('score') === String(score),
    )
    if (wanted) return wanted.replaceAll('&amp;', '&')
  }
  return undefined
}

async function visitAsScanner(url: string): Promise<void> {
  for (const method of ['HEAD', 'GET', 'GET']) {
    const visit = await fetch(url, { method, headers: { 'user-agent': 'Mozilla/5.0 (compatible; LinkScanner/1.0)' } })
    await visit.arrayBuffer()
  }
}

/** As a browser does it: opens the page, fills in its form, sends it. */
async function answer(url: string, score: number, comment: string): Promise<void> {
  const page = await (await fetch(url)).text()
  const form = new URLSearchParams({ score: String(score), comment })
  for (const [, name, value] of page.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)) {
    if (name) form.set(name, value ?? '')
  }
  const sent = await fetch(new URL(url.split('?')[0] ?? url), { method: 'POST', body: form })
  if (!sent.ok) throw new Error(`the survey page answered ${sent.status}`)
}
