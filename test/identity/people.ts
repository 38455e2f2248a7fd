/** Arbitrary claims about a handful of people, as several tools might tell them. */
import fc from 'fast-check'
import type { PersonClaim } from '#hub/identity/index.ts'

const emails = ['ana@acme.example', 'ana@home.example', 'ruiz@acme.example', 'ana.r@mail.example', 'info@acme.example']
const phones = ['+34600111222', '+34600111333', '+12025550147']

const company = fc.record(
  {
    id: fc.constantFrom('C1', 'C2', 'C3'),
    name: fc.constantFrom('Acme', 'Acme Inc'),
    domain: fc.constantFrom('acme.example', 'acme.test', 'gmail.com'),
    traits: fc.record({ tier: fc.constantFrom('gold', 'iron', null) }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
)

/** All names fit together and no limit is near: nothing here speaks against a join. */
export const claim: fc.Arbitrary<PersonClaim> = fc
  .record({
    connectionId: fc.constantFrom('con_crm', 'con_desk'),
    minute: fc.integer({ min: 0, max: 9 }),
    person: fc.record(
      {
        id: fc.constantFrom('U1', 'U2', 'U3'),
        name: fc.constantFrom('Ana Ruiz', 'Ana', 'A. Ruiz'),
        emails: fc.subarray(emails, { maxLength: 2 }),
        phones: fc.subarray(phones, { maxLength: 1 }),
        locale: fc.constantFrom('es-ES', 'en'),
        company,
        traits: fc.record({ plan: fc.constantFrom('pro', 'free', null, 3) }, { requiredKeys: [] }),
        verified: fc.constantFrom(true, true, true, false),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ connectionId, minute, person }) => ({
    connectionId,
    person,
    at: new Date(Date.UTC(2026, 10, 22, 10, minute)).toISOString(),
  }))
