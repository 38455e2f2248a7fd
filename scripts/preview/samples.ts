/** Every card and form of the workbench, made of hand-made data. Times stand still, so that pictures can be compared. */
import type { Card, Form } from '#hub/connector/card.ts'
import type { Language } from '#hub/surveys/messages/index.ts'
import {
  approvalCard,
  assignForm,
  caseCard,
  confirmReplyForm,
  createCaseForm,
  customerCard,
  messagesIn,
  noteForm,
  noticeCard,
  queueCard,
  replyForm,
  resolveForm,
  searchCard,
  similarCard,
  surveyCard,
  tagsForm,
  whyCard,
} from '#hub/workbench/index.ts'
import type { ShownCase, ShownCustomer, ShownMessage, ShownRow, ShownWhy } from '#hub/workbench/shown.ts'

export const sampleNow = new Date('2026-11-22T10:00:00Z')

const desk = {
  connectionId: 'conn_desk',
  name: 'Support desk',
  externalId: '4711',
  url: 'https://desk.example/tickets/4711',
  takesMessages: true,
}
const mailbox = {
  connectionId: 'conn_mail',
  name: 'help@acme.example',
  externalId: 'q7x1',
  url: null,
  takesMessages: true,
}

interface Story {
  readonly invoice: string
  readonly login: string
  readonly delivery: string
  readonly first: string
  readonly internal: string
  readonly second: string
  readonly reply: string
  readonly question: string
  readonly rule: string
  readonly notice: { readonly title: string; readonly text: string }
  readonly comment: string
  readonly macros: readonly [string, string]
}

const stories: Readonly<Record<Language, Story>> = {
  en: {
    invoice: 'Charged twice for October & invoice is *wrong*',
    login: 'Cannot sign in since the update',
    delivery: 'Where is my order?',
    first: 'Hello,\n\nI was charged twice for October. The invoice says <120 €>, my bank says 240 €.\n\nAna',
    internal: 'Billing had the same last week: the second charge is only a reservation. Do not promise a refund yet.',
    second: 'Is anybody there? Our accountant needs it today.',
    reply:
      'Hello Ana,\n\nThe second amount is a reservation; your bank releases it within two days. Nothing was charged twice.\n\nKind regards\nLeo',
    question: 'Refund 120 € to Ana García?',
    rule: 'Refunds above 100 € need a yes',
    notice: { title: 'A case is waiting for you', text: 'Ana García has been waiting for an answer for an hour.' },
    comment: 'Quick and friendly',
    macros: ['Ask for the invoice number', 'Reservation, not a charge'],
  },
  es: {
    invoice: 'Doble cargo en octubre y la factura está *mal*',
    login: 'No puedo iniciar sesión desde la actualización',
    delivery: '¿Dónde está mi pedido?',
    first: 'Hola:\n\nMe han cobrado dos veces octubre. La factura dice <120 €> y el banco 240 €.\n\nAna',
    internal:
      'A facturación le pasó lo mismo la semana pasada: el segundo cargo es una retención. Aún no se puede prometer la devolución.',
    second: '¿Hay alguien? Nuestra gestoría lo necesita hoy.',
    reply:
      'Hola, Ana:\n\nEl segundo importe es una retención; el banco la libera en dos días. No se ha cobrado dos veces.\n\nUn saludo\nLeo',
    question: '¿Devolver 120 € a Ana García?',
    rule: 'Las devoluciones de más de 100 € necesitan un sí',
    notice: { title: 'Un caso le espera', text: 'Ana García espera respuesta desde hace una hora.' },
    comment: 'Rápido y amable',
    macros: ['Pedir el número de factura', 'Es una retención, no un cobro'],
  },
}

const leo = { name: 'Leo Marín', email: 'leo@acme-support.example' }

function rowsOf(story: Story): readonly [ShownRow, ShownRow, ShownRow] {
  return [
    {
      id: 'case_1',
      subject: story.invoice,
      status: 'open',
      priority: 'urgent',
      assignee: leo,
      requester: 'Ana García',
      waitingSince: '2026-11-22T08:40:00Z',
      updatedAt: '2026-11-22T09:10:00Z',
      tools: [desk],
    },
    {
      id: 'case_2',
      subject: story.login,
      status: 'new',
      priority: 'high',
      assignee: leo,
      requester: 'Tom Berg',
      waitingSince: '2026-11-20T07:00:00Z',
      updatedAt: '2026-11-20T07:00:00Z',
      tools: [mailbox],
    },
    {
      id: 'case_3',
      subject: story.delivery,
      status: 'pending',
      priority: null,
      assignee: leo,
      requester: null,
      waitingSince: null,
      updatedAt: '2026-11-21T12:00:00Z',
      tools: [{ ...desk, externalId: '4650', url: 'https://desk.example/tickets/4650' }],
    },
  ]
}

function messagesOf(story: Story): readonly ShownMessage[] {
  const customer = { kind: 'customer', name: 'Ana García' } as const
  return [
    { author: customer, visibility: 'public', text: story.first, at: '2026-11-22T08:40:00Z', files: ['invoice.pdf'] },
    {
      author: { kind: 'agent', name: 'Eva Ruiz' },
      visibility: 'internal',
      text: story.internal,
      at: '2026-11-22T08:55:00Z',
      files: [],
    },
    { author: customer, visibility: 'public', text: story.second, at: '2026-11-22T09:10:00Z', files: [] },
  ]
}

function caseOf(story: Story): ShownCase {
  const [row] = rowsOf(story)
  return {
    ...row,
    channel: 'email',
    team: 'Billing',
    tags: ['refund', 'vip'],
    category: 'Refunds',
    snoozedUntil: null,
    customer: { id: 'prof_1', name: 'Ana García', address: 'ana@acme.example', company: 'Acme', plan: 'pro' },
    way: {
      connectionId: desk.connectionId,
      tool: desk.name,
      address: 'ana@acme.example',
      name: 'Ana García',
      isDead: false,
    },
    createdAt: '2026-11-22T08:40:00Z',
    messages: messagesOf(story),
    earlierMessages: 2,
    deliveries: { waiting: 1, failed: 0 },
  }
}

function customerOf(story: Story): ShownCustomer {
  const [first, second] = rowsOf(story)
  return {
    id: 'prof_1',
    name: 'Ana García',
    identities: [
      { kind: 'email', value: 'ana@acme.example', isVerified: true, tool: null },
      { kind: 'email', value: 'ana.garcia@home.example', isVerified: false, tool: null },
      { kind: 'phone', value: '+34600111222', isVerified: true, tool: null },
      { kind: 'external', value: '900123', isVerified: true, tool: 'Support desk' },
    ],
    company: { name: 'Acme', domain: 'acme.example', plan: 'pro' },
    traits: [
      { name: 'locale', value: 'es-ES', source: 'Support desk' },
      { name: 'plan', value: 'pro', source: 'CRM' },
      { name: 'seats', value: '40', source: 'CRM' },
    ],
    openCases: [first, second],
    scores: [
      { scale: 'csat_5', score: 5, comment: story.comment, at: '2026-11-02T10:00:00Z' },
      { scale: 'nps_11', score: 8, comment: null, at: '2026-09-12T10:00:00Z' },
    ],
    journey: [
      { kind: 'wrote', at: '2026-11-22T09:10:00Z', subject: story.invoice },
      { kind: 'created', at: '2026-11-22T08:40:00Z', subject: story.invoice },
      { kind: 'scored', at: '2026-11-02T10:00:00Z', subject: story.delivery },
      { kind: 'solved', at: '2026-11-01T16:20:00Z', subject: story.delivery },
      { kind: 'merged', at: '2026-10-30T09:00:00Z', subject: null },
    ],
  }
}

function whyOf(story: Story): ShownWhy {
  return {
    caseId: 'case_1',
    subject: story.invoice,
    values: [
      {
        field: 'priority',
        value: 'urgent',
        at: '2026-11-22T08:41:00Z',
        source: { kind: 'rule', name: 'VIPs first' },
      },
      { field: 'status', value: 'open', at: '2026-11-22T09:10:00Z', source: { kind: 'tool', name: 'Support desk' } },
      {
        field: 'assignee',
        value: 'Leo Marín',
        at: '2026-11-22T08:50:00Z',
        source: { kind: 'person', name: 'Eva Ruiz' },
      },
      { field: 'custom.contract', value: 'C-9', at: '2026-11-22T08:40:00Z', source: { kind: 'tool', name: 'CRM' } },
    ],
    runs: [
      { rule: 'VIPs first', result: 'matched', actions: ['priority', 'note'], at: '2026-11-22T08:41:00Z' },
      { rule: 'Route refunds', result: 'simulated', actions: ['assign'], at: '2026-11-22T08:41:00Z' },
      { rule: 'Tell the CRM', result: 'failed', actions: [], at: '2026-11-22T08:41:00Z' },
    ],
    survey: { state: 'planned', at: '2026-11-22T09:00:00Z' },
  }
}

export interface Sample {
  readonly name: string
  readonly card?: Card
  readonly form?: Form
}

export function samples(language: Language): readonly Sample[] {
  const words = messagesIn[language]
  const story = stories[language]
  const now = sampleNow
  const shown = caseOf(story)
  const rows = rowsOf(story)
  const [, second, third] = rows
  const macros = story.macros.map((label, index) => ({ value: `macro_${index + 1}`, label }))
  const agents = [
    { value: leo.email, label: 'Leo Marín' },
    { value: 'eva@acme-support.example', label: 'Eva Ruiz' },
  ]
  const tools = [
    { value: desk.connectionId, label: desk.name },
    { value: mailbox.connectionId, label: mailbox.name },
  ]
  const [message] = shown.messages
  const draft = { id: 'draft_1', text: story.reply, files: ['pump-2.pdf'], at: '2026-11-22T10:00:00Z' }
  const solved: ShownCase = {
    ...shown,
    id: 'case_9',
    subject: null,
    status: 'solved',
    priority: null,
    assignee: null,
    requester: null,
    customer: null,
    way: null,
    channel: null,
    team: null,
    tags: [],
    waitingSince: null,
    messages: [],
    earlierMessages: 0,
    deliveries: { waiting: 0, failed: 1 },
    tools: [{ ...desk, takesMessages: false }],
  }
  const approval = {
    id: 'appr_1',
    caseId: 'case_1',
    subject: story.invoice,
    question: story.question,
    askedBy: story.rule,
    askedAt: '2026-11-22T09:30:00Z',
    decision: null,
  }
  const decision = { isApproved: true, by: 'Eva Ruiz', at: '2026-11-22T09:45:00Z' }
  const survey = { invitationId: 'inv_1', subject: story.delivery }
  return [
    { name: 'case', card: caseCard(shown, { macros }, now, words) },
    { name: 'case-bare', card: caseCard(solved, { macros: [] }, now, words) },
    { name: 'customer', card: customerCard(customerOf(story), now, words) },
    {
      name: 'queue',
      card: queueCard(
        'agent_1',
        { rows, figures: { open: 3, waiting: 2, pressing: 2, solvedLast7Days: 14, satisfaction: 4.6 } },
        now,
        words,
      ),
    },
    { name: 'search', card: searchCard({ text: 'octob', rows: [rows[0], third] }, now, words) },
    { name: 'search-empty', card: searchCard({ text: 'xyzzy', rows: [] }, now, words) },
    { name: 'similar', card: similarCard(shown, [{ ...second, status: 'solved', waitingSince: null }], now, words) },
    { name: 'why', card: whyCard(whyOf(story), words) },
    { name: 'approval', card: approvalCard(approval, words) },
    { name: 'approval-decided', card: approvalCard({ ...approval, decision }, words) },
    { name: 'notice', card: noticeCard('n1', { ...story.notice, tone: 'attention', caseId: 'case_1' }, words) },
    { name: 'survey-csat', card: surveyCard({ ...survey, kind: 'csat' }, language, words) },
    { name: 'survey-nps', card: surveyCard({ ...survey, kind: 'nps' }, language, words) },
    { name: 'survey-ces', card: surveyCard({ ...survey, kind: 'ces' }, language, words) },
    { name: 'survey-answered', card: surveyCard({ ...survey, kind: 'csat', score: 5 }, language, words) },
    { name: 'form-reply', form: replyForm(shown, leo, words) },
    { name: 'form-reply-changed', form: replyForm(shown, leo, words, draft) },
    { name: 'form-reply-confirm', form: confirmReplyForm(shown, leo, draft, words) },
    { name: 'form-note', form: noteForm(shown, words) },
    { name: 'form-assign', form: assignForm(shown, agents, words) },
    { name: 'form-tags', form: tagsForm(shown, words) },
    { name: 'form-resolve', form: resolveForm(shown, words) },
    ...(message ? [{ name: 'form-create', form: createCaseForm({ id: 'msg_1', message }, tools, words) }] : []),
  ]
}
