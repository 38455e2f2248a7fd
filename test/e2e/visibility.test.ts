/** What is said internally stays internal, whatever rules there are and whatever happens: looked up at the tools themselves. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase } from '#kit'
import { startTestHub, type TestHub } from '#kit/hub.ts'
import { type LegacyDeskSandbox, startSandbox as startDesk } from '../../connectors/desk/sandbox.ts'
import { startSandbox as startZendesk, type ZendeskSandbox } from '../../connectors/zendesk/sandbox.ts'

const database = testDatabase()
let hub: TestHub
let zendesk: ZendeskSandbox
let desk: LegacyDeskSandbox

beforeAll(async () => {
  zendesk = await startZendesk({ keepBackSeconds: 0 })
  desk = await startDesk()
  hub = await startTestHub(database, { hosts: [zendesk.url, desk.url] })
  await hub.connect('zendesk', 'Zendesk', zendesk)
  await hub.connect('desk', 'Desk', desk)
})
afterAll(async () => {
  await hub?.stop()
  await zendesk?.close()
  await desk?.close()
})

/** Stands in every internal text and nowhere else. */
const secret = 'hushhush'

/** What rule writers may try, knowingly or not. */
const text = fc.constantFrom(
  'Got: {{ message.text }}',
  'Got: {{ message.text | upcase }}',
  '{% assign said = message.text %}Got: {{ said }}',
  '{% capture said %}{{ message.text }}{% endcapture %}Got: {{ said | default: "nothing" }}',
  '{% if message.visibility == "public" %}{{ message.text }}{% else %}A colleague wrote.{% endif %}',
  '{% for part in message %}{{ part }}{% endfor %} {{ case.subject }}',
  'All: {{ message | json }}',
  'Known: {{ profile.traits.last_words }}.',
  'About {{ case.subject }}',
)
const action = fc.oneof(
  text.map((of) => ({ reply: { text: of } })),
  text.map((of) => ({ note: { text: of } })),
  fc.record({ connection: fc.constantFrom('Zendesk', 'Desk'), subject: text, text }).map((of) => ({ create_case: of })),
  text.map((of) => ({ update_person: { traits: { last_words: of } } })),
)
const rule = fc.record({
  on: fc.subarray(['message.received', 'message.sent', 'case.created', 'case.updated'], { minLength: 1 }),
  then: fc.array(action, { minLength: 1, maxLength: 2 }),
})
/** Something that somebody does on the case of one of the tools. */
const act = fc.record({
  where: fc.constantFrom('zendesk', 'desk'),
  what: fc.constantFrom('internal', 'internal', 'public', 'customer', 'priority'),
})

let runs = 0
const seen = { hidden: 0, shown: 0 }

async function play(rules: readonly object[], acts: readonly { where: string; what: string }[]) {
  runs += 1
  for (const { id } of ((await hub.api('GET', '/rules')) as { data: { id: string }[] }).data) {
    await hub.api('DELETE', `/rules/${id}`)
  }
  for (const [index, one] of rules.entries()) {
    const id = `rule-${index}`
    // A template that the hub refuses at once leaks nothing.
    await hub.api('PUT', `/rules/${id}`, { id, name: id, mode: 'on', ...one }).catch((error: unknown) => {
      if (!String(error).includes('answered 4')) throw error
    })
  }
  const from = `ana${runs}@acme.example`
  const ticketId = await zendesk.customerWrites({ from, subject: `Invoice ${runs}`, text: 'Please help' })
  const { id } = desk.desk.openCase({ subject: `Delivery ${runs}`, text: 'Late', requester: { emails: [from] } })
  for (const [index, { where, what }] of acts.entries()) {
    const words = what === 'internal' ? `${secret} ${index}` : `hello ${index}`
    if (where === 'zendesk') {
      if (what === 'priority') await zendesk.agentChanges(ticketId, { priority: index % 2 ? 'urgent' : 'low' })
      else if (what === 'customer') await zendesk.customerWrites({ from, ticketId, text: words })
      else await zendesk.agentReplies(ticketId, words, { internal: what === 'internal' })
    } else {
      if (what === 'priority') desk.desk.changeCase(id, { priority: index % 2 ? 'urgent' : 'low' })
      else if (what === 'customer') desk.desk.addMessage(id, { visibility: 'public', text: words, by: 'customer' })
      else desk.desk.addMessage(id, { visibility: what, text: words })
    }
  }
  await quiet()
}

/** What the hub writes comes back as webhooks: quiet when nobody has anything to say any more. */
async function quiet(): Promise<void> {
  const said = () => zendesk.webhooks.counters.attempts + desk.webhooks.counters.attempts
  for (let before = -1; before !== said(); ) {
    before = said()
    await zendesk.webhooks.settled()
    await desk.webhooks.settled()
    await hub.settled()
  }
}

const isSecret = (words: string) => words.toLowerCase().includes(secret)

describe('the visibility firewall', () => {
  it('lets no internal text into a public comment or a subject of either tool', { timeout: 30_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(rule, { minLength: 1, maxLength: 4 }),
        fc.array(act, { minLength: 3, maxLength: 8 }),
        async (rules, acts) => {
          await play(rules, acts)
          const tickets = [...zendesk.desk.tickets.values()]
          const cases = [...desk.desk.cases.values()]
          const comments = [
            ...tickets.flatMap(({ comments }) => comments.map(({ body, isPublic }) => ({ words: body, isPublic }))),
            ...cases.flatMap(({ messages }) =>
              messages.map((one) => ({ words: one.text, isPublic: one.visibility === 'public' })),
            ),
          ]
          expect(comments.filter(({ words, isPublic }) => isPublic && isSecret(words))).toEqual([])
          expect([...tickets, ...cases].map((one) => one.subject).filter(isSecret)).toEqual([])
          const byRule = comments.filter(({ words }) => words.startsWith('Got: '))
          seen.hidden += byRule.filter(({ words, isPublic }) => !isPublic && isSecret(words)).length
          seen.shown += byRule.filter(({ isPublic }) => isPublic).length
        },
      ),
      {
        numRuns: 8,
        seed: 20_261_130,
        endOnFailure: true,
        // One run that is sure to try, so that the test cannot pass because nothing happened.
        examples: [
          [
            [
              { on: ['message.received', 'message.sent'], then: [{ reply: { text: 'Got: {{ message.text }}' } }] },
              { on: ['message.received', 'message.sent'], then: [{ note: { text: 'Got: {{ message.text }}' } }] },
            ],
            [
              { where: 'zendesk', what: 'internal' },
              { where: 'desk', what: 'internal' },
              { where: 'zendesk', what: 'customer' },
              { where: 'desk', what: 'customer' },
            ],
          ],
        ],
      },
    )
    expect(seen.hidden).toBeGreaterThan(0)
    expect(seen.shown).toBeGreaterThan(0)
  })
})
