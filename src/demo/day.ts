/** One fictional customer's day. The people act in their own tools; the hub does the rest. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'
import { hireAgents, workInSlack, workInTeams } from './chat.ts'
import { Case, type Client, Connection, listOf, Profile } from './client.ts'
import { type Letters, writeLetters } from './letters.ts'
import { chatConfig, mailboxConfig, type Tools } from './tools.ts'

export interface Stage {
  readonly client: Client
  readonly tools: Tools
  readonly say: (line: string) => void
  /** Between two steps, for people who read along. */
  readonly pause: () => Promise<void>
}

/** The ids of the connections. */
export interface Connections {
  readonly zendesk: string
  readonly hubspot: string
  readonly mailbox: string
  readonly warehouse: string
  readonly slack: string
  readonly teams: string
}

export interface Day extends Stage, Letters {
  readonly connections: Connections
  readonly ticketId: string
  readonly contactId: string
  readonly openedCaseId: string
  readonly score: number
}

export async function playDay(stage: Stage): Promise<Day> {
  const { client, tools, say, pause } = stage
  const { zendesk, hubspot, warehouse } = tools
  const began = performance.now()
  const tell = async (line: string) => {
    say(`${((performance.now() - began) / 1000).toFixed(1).padStart(5)} s  ${line}`)
    await pause()
  }

  await tell(
    'The administrator connects Zendesk, HubSpot, the support mailbox, an unknown desk, Slack and Teams: one set of rules for all.',
  )
  const { rules, surveys } = parse(readFileSync(new URL('./deskweave.yaml', import.meta.url), 'utf8')) as Setup
  const connections = await connectAll(client, tools)
  const shift = { client, tools, tell }
  await hireAgents(shift)
  const { email, name } = tools.slack.users.leo
  if (email) await zendesk.createUser({ name, email, role: 'agent' })
  for (const rule of rules) await client.send('PUT', `/rules/${rule.id}`, rule, z.unknown())
  for (const survey of surveys) await client.send('PUT', `/surveys/${survey.id}`, survey, z.unknown())

  hubspot.crm.properties.contacts.push({ name: 'renewal_on', type: 'string', fieldType: 'text', hasUniqueValue: false })
  await tell('Sales has Ana in HubSpot. Its webhook says only "contact changed", twice; the hub reads the contact.')
  const contact = await hubspot.createContact(
    {
      firstname: 'Ana',
      lastname: 'García',
      email: 'a.garcia@northwind-buying.example',
      phone: '+34 600 111 222',
      renewal_on: '2027-03-01',
    },
    { duplicate: true },
  )
  await client.until('the contact from HubSpot', () => find(client, 'email:a.garcia@northwind-buying.example'))

  await tell('Ana needs help: a ticket in Zendesk, from another address. Its webhook comes twice, as webhooks do.')
  const northwind = zendesk.desk.organizationNamed('Northwind', {
    domains: ['northwind.example'],
    fields: { plan: 'enterprise' },
  })
  await zendesk.createUser({
    name: 'Ana García',
    email: 'ana@northwind.example',
    phone: '+34 600 111 222',
    locale: 'es-ES',
    organizationId: northwind.id,
  })
  const ticketId = await zendesk.customerWrites(
    { from: 'ana@northwind.example', subject: 'The delivery is incomplete', text: 'Two boxes of five are missing.' },
    { duplicate: true },
  )
  await client.until('the ticket on the same profile', () => oneProfile(client, 'ana@northwind.example'))

  await tell('From home she opens a case at the warehouse: a desk nobody has heard of, a third e-mail, the same phone.')
  const deskCase = warehouse.desk.openCase({
    subject: 'Where are my boxes?',
    text: 'I only received three.',
    priority: 'normal',
    requester: { name: 'Ana García', emails: ['ana.garcia@home.example'], phones: ['+34600111222'] },
  })
  await client.until('one profile for all', () => oneProfile(client, 'ana.garcia@home.example'))

  const letters = await writeLetters({ client, mail: tools.mail, mailboxId: connections.mailbox, tell })
  const profile = await client.until('Ana, in all tools', () => oneProfile(client, 'ana@northwind.example'))
  await tell(`The hub knows that all of them are one person: ${profile.identities.length} identities, one profile.`)

  await tell('An agent raises the priority in Zendesk, and the webhook gets lost on its way.')
  await zendesk.agentChanges(ticketId, { priority: 'urgent' }, { lose: true })
  await client.send('POST', `/connections/${connections.zendesk}/reconcile`, {}, z.unknown())
  await client.until('the rule for enterprise customers', async () =>
    zendesk.desk.ticket(ticketId).tags.includes('vip'),
  )
  await tell(
    'The hub read what it had missed. The rule for enterprise customers put tag and note, with the renewal date from HubSpot, into Zendesk.',
  )

  await zendesk.agentChanges(ticketId, { addTags: ['warehouse'] })
  const opened = await client.until('a case in the warehouse desk', async () =>
    [...warehouse.desk.cases.values()].find((one) => one.subject.startsWith('Check the delivery')),
  )
  await tell(
    `The agent tags it "warehouse": a rule opened ${opened.id} in the warehouse desk, with Ana as its requester.`,
  )

  await workInSlack(shift, 'The delivery is incomplete')
  const surveyUrl = await client.until('the survey', async () =>
    surveyLink(
      zendesk.desk.ticket(ticketId).comments.flatMap(({ body, isPublic }) => (isPublic ? body : [])),
      5,
    ),
  )
  await tell('A moment later Ana gets one question, as a reply on her ticket.')

  await visitAsScanner(surveyUrl)
  await tell('Her mail scanner opens every link: nothing is recorded, a GET never votes.')
  await answer(surveyUrl, 5, 'Fast and friendly, thank you!')
  await tell('Ana answers: 5 of 5.')

  await workInTeams(shift, 'Where are my boxes?')
  await client.until(
    'the solution in the warehouse',
    async () => warehouse.desk.cases.get(deskCase.id)?.status === 'solved',
  )
  await client.send('PATCH', `/cases/${letters.anasCaseId}`, { status: 'solved' }, z.unknown())
  const deskCaseId = await caseId(client, connections.warehouse, deskCase.id)
  for (const id of [deskCaseId, letters.anasCaseId]) {
    await client.until('a decision not to ask again', async () => {
      const why = await client.get(`/cases/${id}/why`, z.looseObject({ surveys: z.array(z.unknown()) }))
      return JSON.stringify(why.surveys).includes('skipped')
    })
  }
  await tell('The warehouse case and her mail are solved too. Ana is not asked again: once per person, over all tools.')

  await client.until('the score in Zendesk', async () => zendesk.desk.ticket(ticketId).custom.has('36001'))
  await client.until(
    'the score in HubSpot',
    async () => 'hub_csat_score' in hubspot.crm.get('contacts', contact.id).properties,
  )
  await Promise.all([zendesk, hubspot, warehouse, tools.slack, tools.teams].map(({ webhooks }) => webhooks.settled()))
  return { ...stage, ...letters, connections, ticketId, contactId: contact.id, openedCaseId: opened.id, score: 5 }
}

interface Setup {
  readonly rules: readonly { readonly id: string }[]
  readonly surveys: readonly { readonly id: string }[]
}

async function connectAll(
  client: Client,
  { zendesk, hubspot, warehouse, mail, slack, teams }: Tools,
): Promise<Connections> {
  const hubspotConfig = { ...hubspot.config, contact_properties: ['renewal_on'] }
  const connections = {
    zendesk: await connect(client, 'zendesk', 'Acme Zendesk', zendesk.config, zendesk.connect),
    hubspot: await connect(client, 'hubspot', 'Acme HubSpot', hubspotConfig, hubspot.connect),
    mailbox: await connect(client, 'mail', 'Support mailbox', mailboxConfig(mail)),
    warehouse: await connect(client, 'desk', 'Warehouse desk', warehouse.config, warehouse.connect),
    slack: await connect(
      client,
      'slack',
      'Acme Slack',
      chatConfig(slack, slack.channels.cases.id, 'Acme Zendesk'),
      slack.connect,
    ),
    teams: await connect(
      client,
      'teams',
      'Acme Teams',
      chatConfig(teams, teams.channels.cases.id, 'Warehouse desk'),
      teams.connect,
    ),
  }
  // Mail counts from the first look on.
  await client.send('POST', `/connections/${connections.mailbox}/reconcile`, {}, z.unknown())
  return connections
}

async function connect(
  client: Client,
  connector: string,
  name: string,
  config: unknown,
  toldTo: (webhook: { readonly url: string; readonly secret: string }) => void = () => {},
): Promise<string> {
  const { id, webhook } = await client.send('POST', '/connections', { connector, name, config }, Connection)
  if (webhook) toldTo(webhook)
  return id
}

async function find(client: Client, identity: string): Promise<z.output<typeof Profile> | undefined> {
  const { data } = await client.get(`/profiles?identity=${encodeURIComponent(identity)}`, listOf(Profile))
  return data[0]
}

/** The profile of this address, once it is the one of HubSpot's contact too. */
async function oneProfile(client: Client, email: string): Promise<z.output<typeof Profile> | undefined | false> {
  const found = await find(client, `email:${email}`)
  return found?.identities.some((identity) => identity.value === 'a.garcia@northwind-buying.example') && found
}

export async function caseId(client: Client, connectionId: string, externalId: string): Promise<string> {
  const link = encodeURIComponent(`${connectionId}:${externalId}`)
  const { data } = await client.get(`/cases?link=${link}`, listOf(Case))
  const [found] = data
  if (!found) throw new Error(`no case for ${connectionId}:${externalId}`)
  return found.id
}

/** The link to the answer with this score in one of the texts. */
export function surveyLink(texts: readonly string[], score: number): string | undefined {
  const links = texts.flatMap((text) =>
    [...text.matchAll(/https?:\/\/[^\s"<>()]+\/s\/[^\s"<>()]+/g)].map(([link]) => link),
  )
  return links
    .map((link) => link.replaceAll('&amp;', '&'))
    .find((link) => new URL(link).searchParams.get('score') === String(score))
}

async function visitAsScanner(url: string): Promise<void> {
  for (const method of ['HEAD', 'GET', 'GET']) {
    const visit = await fetch(url, { method, headers: { 'user-agent': 'Mozilla/5.0 (compatible; LinkScanner/1.0)' } })
    await visit.arrayBuffer()
  }
}

/** As a browser does it: opens the page, fills in its form, sends it. */
export async function answer(url: string, score: number, comment: string): Promise<void> {
  const page = await (await fetch(url)).text()
  const form = new URLSearchParams({ score: String(score), comment })
  for (const [, name, value] of page.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)) {
    if (name) form.set(name, value ?? '')
  }
  const sent = await fetch(new URL(url.split('?')[0] ?? url), { method: 'POST', body: form })
  if (!sent.ok) throw new Error(`the survey page answered ${sent.status}`)
}
