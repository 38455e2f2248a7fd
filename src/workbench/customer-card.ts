/** The card of a customer: who they are, what they have open in all tools, how satisfied they are, what happened. */

import type { SurveyScale } from '#hub/connector/facts.ts'
import type { Card, Fact } from './card.ts'
import { caseItem } from './case-line.ts'
import { fill, type Messages } from './messages/index.ts'
import type { ShownCustomer, ShownScore, ShownStep } from './shown.ts'

export function customerCard(shown: ShownCustomer, now: Date, words: Messages): Card {
  const { customer } = words
  const name = shown.name ?? shown.identities[0]?.value ?? customer.unnamed
  return {
    key: `customer:${shown.id}`,
    title: fill(customer.title, { name }),
    blocks: [
      { kind: 'facts', facts: [...identities(shown, words), ...company(shown, words)] },
      ...(shown.traits.length > 0
        ? [
            { kind: 'heading', text: customer.about } as const,
            { kind: 'facts', facts: shown.traits.map((trait) => traitFact(trait, words)) } as const,
          ]
        : []),
      { kind: 'heading', text: customer.openCases },
      {
        kind: 'list',
        items: shown.openCases.map((row) => caseItem({ ...row, requester: name }, now, words)),
        whenEmpty: customer.noOpenCases,
      },
      { kind: 'heading', text: customer.satisfaction },
      ...(shown.scores.length > 0
        ? [{ kind: 'facts', facts: shown.scores.flatMap((score) => scoreFacts(score, words)) } as const]
        : [{ kind: 'text', text: customer.noScores, isSubtle: true } as const]),
      { kind: 'heading', text: customer.journey },
      ...(shown.journey.length > 0
        ? [{ kind: 'facts', facts: shown.journey.map((step) => stepFact(step, words)) } as const]
        : [{ kind: 'text', text: customer.noJourney, isSubtle: true } as const]),
    ],
    actions: [],
    summary: fill(customer.summary, { name, count: shown.openCases.length }),
  }
}

function identities({ identities }: ShownCustomer, { customer }: Messages): readonly Fact[] {
  return identities.map(({ kind, value, isVerified, tool }) => ({
    label: kind === 'external' ? fill(customer.external, { tool: tool ?? '' }).trim() : customer[kind],
    value: isVerified || kind === 'external' ? value : fill(customer.unproven, { value }),
  }))
}

function company({ company: known }: ShownCustomer, words: Messages): readonly Fact[] {
  if (!known) return []
  const { name, domain, plan } = known
  const value = name && domain ? `${name} (${domain})` : (name ?? domain)
  return [
    ...(value ? [{ label: words.customer.company, value }] : []),
    ...(plan ? [{ label: words.case.plan, value: plan }] : []),
  ]
}

function traitFact({ name, value, source }: ShownCustomer['traits'][number], { customer }: Messages): Fact {
  return { label: name, value: fill(customer.traitFrom, { value, source }) }
}

const highest: Readonly<Record<SurveyScale, number>> = { csat_5: 5, nps_11: 10, ces_7: 7 }
const names: Readonly<Record<SurveyScale, string>> = { csat_5: 'CSAT', nps_11: 'NPS', ces_7: 'CES' }

function scoreFacts({ scale, score, comment, at }: ShownScore, { customer }: Messages): readonly Fact[] {
  const value = fill(customer.score, { score, max: highest[scale] })
  return [
    {
      label: `${names[scale]} ${at.slice(0, 10)}`,
      value: comment ? fill(customer.scoreSaid, { score: value, comment }) : value,
    },
  ]
}

function stepFact({ kind, at, subject }: ShownStep, { customer }: Messages): Fact {
  const what = customer.steps[kind]
  return { label: at.slice(0, 10), value: subject ? `${what}: ${subject}` : what }
}
