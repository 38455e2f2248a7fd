import { describe, expect, it } from 'vitest'
import type { PersonFacts } from '#hub/connector/facts.ts'
import { readClaim } from '#hub/identity/claim.ts'
import { phoneReader } from '#hub/identity/phone.ts'
import { planIdentity } from '#hub/identity/plan.ts'
import { policyOf, readSettings } from '#hub/identity/policy.ts'

/** Two records of two tools, and whether they are one person. */
type Pair = readonly [about: string, one: PersonFacts, other: PersonFacts]

const given = ['Ana', 'Bea', 'Carla', 'Dana', 'Eva', 'Fran', 'Gala', 'Hugo', 'Inés', 'Jon']
const family = ['Ruiz', 'Stone', 'Vidal', 'Meyer', 'Okoye']
const names = given.flatMap((first) => family.map((last) => `${first} ${last}`))
const other = (n: number) => names[(n + 7) % names.length] ?? ''
const mail = (name: string, domain = 'acme.example') =>
  `${name.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase().replace(' ', '.')}@${domain}`
const phone = (n: number) => `+3460011${String(1000 + n)}`

const twoPeople: readonly Pair[] = names.flatMap((name, n): Pair[] => [
  [
    'a role address',
    { id: '1', name, emails: [`${['info', 'sales', 'support', 'no-reply', 'admin'][n % 5]}@acme.example`] },
    { id: '2', name: other(n), emails: [`${['info', 'sales', 'support', 'no-reply', 'admin'][n % 5]}@acme.example`] },
  ],
  [
    'a shared mailbox without a role',
    { id: '1', name, emails: ['frontoffice7@acme.example'] },
    { id: '2', name: other(n), emails: ['frontoffice7@acme.example'] },
  ],
  [
    'a look-alike domain',
    { id: '1', name, emails: [mail(name, 'acme.example')] },
    {
      id: '2',
      name,
      emails: [mail(name, `${['\u0430cme', 'a\u0441me', 'acm\u0435', 'acrne', 'acme1'][n % 5]}.example`)],
    },
  ],
  [
    'a phone number given to somebody else',
    { id: '1', name, phones: [phone(n)] },
    { id: '2', name: other(n), phones: [phone(n)] },
  ],
  [
    'a family phone',
    { id: '1', name: `Ana ${family[n % 5]}`, phones: [phone(n)] },
    { id: '2', name: `${given[1 + (n % 9)]} ${family[n % 5]}`, phones: [phone(n)] },
  ],
  [
    'the same name',
    { id: '1', name, emails: [mail(name, 'acme.example')] },
    { id: '2', name, emails: [mail(name, 'other.example')] },
  ],
  [
    'an address that nobody verified',
    { id: '1', name, emails: [mail(name)] },
    { id: '2', name, emails: [mail(name)], verified: false },
  ],
  [
    'a switchboard',
    { id: '1', name, phones: [`+34910111222 ext. ${n}`] },
    { id: '2', name: other(n), phones: ['+34 910 111 222 ext. 9'] },
  ],
])

const onePerson: readonly Pair[] = names.flatMap((name, n): Pair[] => [
  [
    'one address in two spellings',
    { id: '1', name, emails: [mail(name)] },
    { id: '2', emails: [` ${mail(name).toUpperCase()} `] },
  ],
  ['one address, one name', { id: '1', name, emails: [mail(name)] }, { id: '2', name, emails: [mail(name)] }],
  [
    'one address after a wedding',
    { id: '1', name, emails: [mail(name)] },
    { id: '2', name: `${name.split(' ')[0]} Newname`, emails: [mail(name)] },
  ],
  [
    'one phone under another address',
    { id: '1', name, emails: [mail(name)], phones: [phone(n)] },
    {
      id: '2',
      name: name.split(' ').toReversed().join(', '),
      emails: [mail(name, 'home.example')],
      phones: [phone(n)],
    },
  ],
  [
    'a domain in two spellings',
    { id: '1', name, emails: [mail(name, 'bücher.example')] },
    { id: '2', name, emails: [mail(name, 'xn--bcher-kva.example')] },
  ],
])

describe('labelled pairs', async () => {
  const readPhone = await phoneReader()
  const policy = policyOf(readSettings({}))

  function areOne(one: PersonFacts, other: PersonFacts): boolean {
    let made = 0
    const claims = [one, other].flatMap((person, n) => {
      const claim = { connectionId: `con_${n}`, person, at: '2026-11-22T10:00:00Z' }
      return readClaim(claim, policy, readPhone) ?? []
    })
    const empty = { leaves: new Map(), records: new Map(), identities: new Map() }
    const world = { ...empty, companies: { companies: new Map(), records: new Map() } }
    const tools = { policy, now: new Date('2026-11-22T12:00:00Z'), newId: (kind: string) => `${kind}_${++made}` }
    const [a, b] = planIdentity(world, claims, tools).resolved
    return a !== undefined && a.rootId === b?.rootId
  }

  it(`joins none of ${twoPeople.length} pairs of two people`, () => {
    const wrong = twoPeople.filter(([, one, two]) => areOne(one, two) || areOne(two, one))
    expect(wrong).toEqual([])
  })

  it(`joins all of ${onePerson.length} pairs of one person`, () => {
    const missed = onePerson.filter(([, one, two]) => !areOne(one, two) || !areOne(two, one))
    expect(missed).toEqual([])
  })
})
