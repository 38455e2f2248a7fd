/** What the day left behind, read from the hub's API and from the desks themselves, and whether each promise held. */
import type { ParsedMail } from 'mailparser'
import { z } from 'zod'
import { said } from './chat.ts'
import { Case, listOf, Profile } from './client.ts'
import { caseId, type Day } from './day.ts'
import { ben } from './tools.ts'

export interface DemoSummary {
  readonly profile: {
    readonly name: string | null
    readonly identities: readonly string[]
    readonly company: string | null
    readonly traits: readonly { readonly name: string; readonly value: unknown; readonly from: string }[]
  }
  readonly rules: readonly { readonly rule: string; readonly ran: number }[]
  readonly effects: readonly { readonly at: string; readonly what: string; readonly rule: string | null }[]
  readonly survey: {
    readonly sent: number
    readonly score: number | null
    readonly comment: string | null
    readonly decisions: readonly unknown[]
  }
  /** Of the cases that agents worked on from their chat. */
  readonly chat: { readonly internal: readonly string[]; readonly customer_saw: readonly string[] }
  readonly intake: { readonly received: number; readonly duplicates: number; readonly lost_and_repaired: number }
  readonly promises: readonly Promised[]
}
export interface Promised {
  readonly promise: string
  readonly held: boolean
  readonly shown_by: string
}

const Delivery = z.object({
  state: z.string(),
  connection_id: z.string().nullable(),
  action: z.looseObject({ type: z.string() }),
  cause: z.looseObject({ rule_id: z.string().optional() }),
})
const Event = z.looseObject({ type: z.string() })
const Response = z.looseObject({ case_id: z.string(), score: z.number(), comment: z.string().nullable() })
const Lost = z.looseObject({
  connection_id: z.string(),
  received: z.number(),
  duplicates: z.number(),
  repaired: z.number(),
})
const Why = z.looseObject({
  rule_runs: z.array(z.looseObject({ rule_id: z.string(), result: z.string() })),
  surveys: z.array(z.looseObject({})),
})

export async function summarise(client: Day['client'], day: Day): Promise<DemoSummary> {
  const { zendesk, hubspot, warehouse } = day.tools
  const addresses = ['ana@northwind.example', 'ana.garcia@home.example', 'a.garcia@northwind-buying.example']
  const found = await Promise.all(
    addresses.map((address) => client.get(`/profiles?identity=email:${address}`, listOf(Profile))),
  )
  const everyone = await client.get('/profiles', listOf(Profile))
  const profile = found[0]?.data[0]
  if (!profile) throw new Error(`the demo found no profile for ${addresses[0]}`)
  const cases = await client.get('/cases', listOf(Case))
  const deliveries = await client.get('/deliveries?limit=200', listOf(Delivery))
  const responses = await client.get('/responses', listOf(Response))
  const intake = (await client.get('/insights/lost-events', z.object({ data: z.array(Lost) }))).data
  const events = await client.get('/events?limit=200', listOf(Event))
  const whys = await Promise.all(cases.data.map((one) => client.get(`/cases/${one.id}/why`, Why)))

  const names = new Map([
    [day.connections.zendesk, 'Zendesk'],
    [day.connections.hubspot, 'HubSpot'],
    [day.connections.mailbox, 'Support mailbox'],
    [day.connections.warehouse, 'Warehouse desk'],
    [day.connections.slack, 'Slack'],
    [day.connections.teams, 'Teams'],
  ])
  const ticket = zendesk.desk.ticket(day.ticketId)
  const surveyComments = ticket.comments.filter((comment) => comment.isPublic && comment.body.includes('/s/'))
  const deskMessages = [...warehouse.desk.cases.values()].flatMap(({ messages }) => messages)
  const chat = {
    internal: [
      ...ticket.comments.flatMap(({ isPublic, body }) => (isPublic ? [] : body)),
      ...deskMessages.flatMap(({ visibility, text }) => (visibility === 'internal' ? text : [])),
    ],
    customer_saw: [
      ...ticket.comments.flatMap(({ isPublic, body }) => (isPublic ? body : [])),
      ...deskMessages.flatMap(({ visibility, text }) => (visibility === 'public' ? text : [])),
    ],
  }
  const isInternal = (text: string) => chat.internal.some((one) => one.includes(text))
  const isPublic = (text: string) => chat.customer_saw.some((one) => one.includes(text))
  const assignee = ticket.assigneeId === null ? undefined : zendesk.desk.users.get(ticket.assigneeId)
  const runs = Map.groupBy(
    whys.flatMap((why) => why.rule_runs).filter((run) => run.result === 'matched'),
    (run) => run.rule_id,
  )
  const vipNotes = ticket.comments.filter((comment) => comment.body.includes('enterprise plan'))
  const count = (field: 'received' | 'duplicates' | 'repaired') => intake.reduce((sum, one) => sum + one[field], 0)
  const skipped = whys.flatMap((why) => why.surveys).filter((line) => JSON.stringify(line).includes('skipped'))
  const opened = [...warehouse.desk.cases.values()].filter((one) => one.subject.startsWith('Check the delivery'))
  const firstCase = await caseId(client, day.connections.zendesk, day.ticketId)
  const anas = responses.data.find((response) => response.case_id === firstCase)
  const bens = responses.data.find((response) => response.case_id === day.bensCaseId)
  const bensSurveys = (await Promise.all(day.tools.mail.mailbox(ben.address).map((mail) => mail.parsed()))).filter(
    ({ html }) => (html || '').includes('/s/'),
  )
  const anasMails = await day.anasMails()
  const contactScore = hubspot.crm.get('contacts', day.contactId).properties['hub_csat_score']

  return {
    profile: {
      name: profile.name,
      identities: profile.identities.map(
        ({ kind, value, connection_id: id }) =>
          `${kind} ${value}${kind === 'external' ? ` (${names.get(id ?? '') ?? id})` : ''}`,
      ),
      company: companyText(profile.company),
      traits: Object.entries(profile.traits).map(([name, { value, source }]) => ({
        name,
        value,
        from: `${names.get(source.connection_id) ?? source.connection_id}, record ${source.record}, ${source.at}`,
      })),
    },
    rules: [...runs].map(([rule, all]) => ({ rule, ran: all.length })),
    effects: deliveries.data
      .filter((delivery) => delivery.state === 'sent')
      .map((delivery) => ({
        at: names.get(delivery.connection_id ?? '') ?? 'webhook',
        what: delivery.action.type,
        rule: delivery.cause.rule_id ?? null,
      })),
    survey: {
      sent: surveyComments.length + bensSurveys.length,
      score: anas?.score ?? null,
      comment: anas?.comment ?? null,
      decisions: whys.flatMap((why) => why.surveys),
    },
    chat,
    intake: { received: count('received'), duplicates: count('duplicates'), lost_and_repaired: count('repaired') },
    promises: [
      promise(
        'Four tools of customers, one profile',
        found.every(({ data }) => data[0]?.id === profile.id) && everyone.data.length === 2,
        `${profile.identities.length} identities on ${profile.id}, and Ben's beside it`,
      ),
      promise(
        'A webhook that came twice counts once',
        count('duplicates') >= 2 && vipNotes.length === 1,
        `${count('duplicates')} duplicates dropped, ${vipNotes.length} note`,
      ),
      promise(
        'What a lost webhook would have told is read and repaired',
        count('repaired') >= 1 && ticket.tags.includes('vip'),
        `${zendesk.webhooks.counters.lost} lost, ${count('repaired')} repaired`,
      ),
      promise(
        'One rule acts in another tool',
        opened.length === 1,
        `${opened[0]?.id ?? 'no case'} in the warehouse desk`,
      ),
      promise(
        'What a rule writes in one tool draws on what the others know',
        vipNotes.length > 0 && vipNotes.every((comment) => comment.body.includes('2027-03-01')),
        'the note in Zendesk has the renewal date of HubSpot',
      ),
      promise(
        'Our own writes raise no events',
        !events.data.some((event) => isEcho(event, firstCase)),
        `${events.data.length} events, none from an echo`,
      ),
      promise(
        'One survey per person, over all tools',
        surveyComments.length === 1 && skipped.length === 2 && anasMails.every(({ text }) => !text.includes('/s/')),
        `Ana: 1 sent, ${skipped.length} skipped with their reason`,
      ),
      promise(
        'A GET never votes',
        responses.data.length === 2,
        `3 visits of a scanner, ${responses.data.length} answers of two people`,
      ),
      promise(
        'The answer is written back to the desk and to the CRM',
        [ticket.custom.get('36001'), contactScore].every((score) => String(score) === String(day.score)),
        `ticket ${ticket.custom.get('36001')}, contact ${contactScore}`,
      ),
      promise(
        'The same survey by mail',
        bensSurveys.length === 1 && bens?.score === day.bensScore && bensSurveys.every(hasOneClickEnd),
        `${bensSurveys.length} mail with a one-click end, answered ${bens?.score} of 5`,
      ),
      promise(
        'Two machines do not talk to each other',
        anasMails.length === 1,
        `1 note of receipt, 1 out-of-office reply, nothing after it`,
      ),
      promise(
        'Agents work where they are: Leo in Slack, Jo in Teams, each act in the desk under their name',
        assignee?.email === day.tools.slack.users.leo.email && isPublic(said.leosReply) && isInternal(said.josNote),
        `the ticket is ${assignee?.name ?? 'nobody'}'s, ${chat.internal.length} notes, ${chat.customer_saw.length} public messages`,
      ),
      promise(
        'Internal stays internal',
        isInternal(said.leosNote) &&
          !isPublic(said.leosNote) &&
          !isPublic(said.josNote) &&
          vipNotes.every((comment) => !comment.isPublic),
        `${ticket.comments.filter((one) => !one.isPublic).length} internal notes, none public`,
      ),
    ],
  }
}

function oneLine(text: string): string {
  const line = text
    .replaceAll(/<[^>]+>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
  return line.length > 100 ? `${line.slice(0, 99).toWellFormed()}…` : line
}

/** RFC 8058: the mail program shows a button of its own. */
function hasOneClickEnd({ headers }: ParsedMail): boolean {
  const list = JSON.stringify(headers.get('list') ?? '')
  return list.includes('unsubscribe') && list.includes('One-Click')
}

function companyText(company: unknown): string | null {
  const known = z.looseObject({ name: z.string() }).safeParse(company)
  return known.success ? known.data.name : null
}

function promise(text: string, held: boolean, shownBy: string): Promised {
  return { promise: text, held, shown_by: shownBy }
}

/** An update of the ticket that Zendesk tells and that a rule or a survey of ours had made. */
function isEcho(event: z.output<typeof Event>, firstCase: string): boolean {
  const told = Told.safeParse(event)
  if (!told.success || told.data.case_id !== firstCase) return false
  const { changes } = told.data.data
  const hadVip = changes['tags']?.from.includes('vip') ?? true
  return !hadVip || Object.keys(changes).some((field) => field.startsWith('custom.'))
}
const Told = z.looseObject({
  type: z.literal('case.updated'),
  case_id: z.string(),
  actor: z.looseObject({ kind: z.literal('connection') }),
  data: z.looseObject({
    changes: z.record(z.string(), z.unknown()).transform((changes) => changes as Record<string, { from: string[] }>),
  }),
})

export function printSummary(summary: DemoSummary, url: string, token: string, keep: boolean): void {
  const lines = [
    '',
    `Profile   ${summary.profile.name}`,
    ...summary.profile.identities.map((identity) => `          ${identity}`),
    ...(summary.profile.company ? [`          company ${summary.profile.company}`] : []),
    ...summary.profile.traits.map(
      ({ name, value, from }) => `          ${name} = ${JSON.stringify(value)}   ← ${from}`,
    ),
    '',
    `Rules     ${summary.rules.map(({ rule, ran }) => `${rule} ×${ran}`).join(', ')}`,
    'Effects   ' +
      summary.effects.map(({ at, what, rule }) => `${what} → ${at}${rule ? ` (${rule})` : ''}`).join('\n          '),
    '',
    `Survey    sent ${summary.survey.sent} times, Ana answered ${summary.survey.score} of 5: “${summary.survey.comment}”`,
    `Internal  ${summary.chat.internal.map(oneLine).join('\n          ')}`,
    `Ana saw   ${summary.chat.customer_saw.map(oneLine).join('\n          ')}`,
    '',
    `Intake    ${summary.intake.received} webhooks and mails, ${summary.intake.duplicates} duplicates dropped, ${summary.intake.lost_and_repaired} lost and repaired by reading`,
    '',
    ...summary.promises.map(({ promise: text, held, shown_by: by }) => `${held ? '  ✓' : '  ✗'} ${text} (${by})`),
    '',
  ]
  console.log(lines.join('\n'))
  if (!keep) {
    console.log('To look around in it: npm run demo -- --keep')
    return
  }
  console.log(`The hub goes on at ${url} until Ctrl-C. Look at:`)
  for (const path of ['/profiles?q=ana', '/cases', '/events', '/deliveries', '/inbox']) {
    console.log(`  curl -s -H 'authorization: Bearer ${token}' '${url}/api/v1${path}'`)
  }
}
