/** What arrives by mail on the demo's day: Ana, whose program answers by itself, and Ben, who is asked by mail. */
import { z } from 'zod'
import type { MailSandbox } from '../../connectors/mail/sandbox.ts'
import { Case, type Client, listOf } from './client.ts'
import { answer, surveyLink } from './day.ts'
import { createMailProgram } from './mail-program.ts'
import { ana, ben, support } from './tools.ts'

export interface Letters {
  readonly anasCaseId: string
  readonly bensCaseId: string
  /** What Ben gave, by the link in the mail. */
  readonly bensScore: number
  /** All mail that the hub sent to Ana. */
  readonly anasMails: () => Promise<readonly { readonly subject: string; readonly text: string }[]>
}

interface Options {
  readonly client: Client
  readonly mail: MailSandbox
  readonly mailboxId: string
  readonly tell: (line: string) => Promise<void>
}

export async function writeLetters({ client, mail, mailboxId, tell }: Options): Promise<Letters> {
  const anas = createMailProgram(mail, 'Ana García', ana)
  const bens = createMailProgram(mail, 'Ben Okafor', ben)

  await anas.write({ to: support.address, subject: 'Our new invoice address', text: 'Please use Harbour Street 5.' })
  const anasCaseId = await client.until('the case of the mail', () =>
    caseAbout(client, mailboxId, 'Our new invoice address'),
  )
  const [receipt] = await client.until('the note of receipt', async () => some(await anas.inbox()))
  if (receipt) await anas.outOfOffice(receipt)
  await tell('She also writes a mail. A rule says thank you, her program answers "out of office", and there it ends.')

  await bens.write({ to: support.address, subject: 'Forgot my password', text: 'How do I get a new one?' })
  const bensCaseId = await client.until("Ben's case", () => caseAbout(client, mailboxId, 'Forgot my password'))
  await client.send(
    'POST',
    `/cases/${bensCaseId}/messages`,
    { visibility: 'internal', text: 'He locked himself out again.' },
    z.unknown(),
  )
  await client.send(
    'POST',
    `/cases/${bensCaseId}/messages`,
    { visibility: 'public', text: 'The link on the sign-in page sends one.' },
    z.unknown(),
  )
  const reply = await client.until("the agent's answer", async () =>
    (await bens.inbox()).find(({ text }) => text?.includes('sign-in page')),
  )
  await bens.replyTo(reply, 'That worked, thank you!')
  await client.until('his thanks on the same case', async () => {
    const { data } = await client.get(`/cases/${bensCaseId}/messages`, listOf(z.looseObject({ text: z.string() })))
    return data.some(({ text }) => text.includes('That worked'))
  })
  await tell('Her colleague Ben asks by mail and is answered; his reply finds its case, not a new one.')

  await client.send('PATCH', `/cases/${bensCaseId}`, { status: 'solved' }, z.unknown())
  const link = await client.until('the survey by mail', async () =>
    surveyLink(
      (await bens.inbox()).map(({ html }) => html || ''),
      4,
    ),
  )
  await answer(link, 4, 'Easy.')
  await tell('His case is solved, and the same survey comes by mail: one click, 4 of 5.')
  return {
    anasCaseId,
    bensCaseId,
    bensScore: 4,
    anasMails: async () => (await anas.inbox()).map(({ subject = '', text = '' }) => ({ subject, text })),
  }
}

async function caseAbout(client: Client, connectionId: string, subject: string): Promise<string | undefined> {
  const { data } = await client.get('/cases', listOf(Case))
  return data.find((one) => one.subject === subject && one.links.some((link) => link.connection_id === connectionId))
    ?.id
}

function some<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length > 0 ? list : undefined
}
