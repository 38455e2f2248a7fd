/** What agents do on the demo's day without leaving their chat: Leo in Slack, Jo in Teams. */
import { z } from 'zod'
import type { SlackMessage } from '../../connectors/slack/sandbox-world.ts'
import type { Client } from './client.ts'
import type { Tools } from './tools.ts'

export interface Shift {
  readonly client: Client
  readonly tools: Pick<Tools, 'slack' | 'teams'>
  readonly tell: (line: string) => Promise<void>
}

/** What was said among colleagues, and what the customer was told. */
export const said = {
  leosNote: 'The carrier lost two boxes; refund them if they do not turn up.',
  leosReply: 'The two missing boxes left today.',
  josNote: 'Found them behind gate 4, wrong label. Do not tell her that.',
} as const

/** Agents are known by the address that their chat tool vouches for. */
export async function hireAgents({ client, tools: { slack, teams } }: Shift): Promise<void> {
  for (const { email, name } of [slack.users.leo, teams.people.jo]) {
    await client.send('POST', '/agents', { email, name, role: 'agent' }, z.unknown())
  }
}

/** Takes the ticket, notes, answers after a preview, and resolves it. */
export async function workInSlack({ client, tools: { slack }, tell }: Shift, subject: string): Promise<void> {
  const { leo } = slack.users
  const card = await client.until('the card in Slack', async () => cardIn(slack.channels.cases.messages, subject))
  await tell(
    'Its card stands in a Slack channel. Leo presses "Assign to me" there, and writes to colleagues in its thread.',
  )
  await slack.press(leo, card, 'case.take')
  await slack.say(leo, { channel: slack.channels.cases, thread: card }, said.leosNote)

  await slack.press(leo, card, 'case.reply')
  await client.until('the dialog of the reply', async () => dialogs() === 1)
  await slack.submit(leo, { text: said.leosReply })
  await tell('He answers Ana from Slack: the dialog shows what she will see and where it goes; then he confirms.')
  await slack.submit(leo, {})

  await slack.press(leo, card, 'case.resolve')
  await client.until('the dialog of the resolution', async () => dialogs() === 1)
  await slack.submit(leo, { reason: 'fixed' })

  function dialogs(): number {
    return slack.world.dialogs.get(leo.id)?.length ?? 0
  }
}

/** Notes among colleagues, and resolves. */
export async function workInTeams({ client, tools: { teams }, tell }: Shift, subject: string): Promise<void> {
  const { jo } = teams.people
  const card = await client.until('the card in Teams', async () =>
    teams.world.posted.find(({ activity, id, thread }) => id === thread && JSON.stringify(activity).includes(subject)),
  )
  await teams.write(jo, { reply: card }, said.josNote)
  const { dialog } = await teams.press(jo, card, 'Resolve…')
  if (!dialog) throw new Error('Teams opened no dialog to resolve the case')
  await teams.submit(dialog, { reason: 'fixed' })
  await tell(
    'The warehouse sits in Teams: Jo notes what happened in the thread of the same kind of card, and resolves it.',
  )
}

function cardIn(messages: readonly SlackMessage[], subject: string): SlackMessage | undefined {
  return messages.find(
    ({ blocks, isDeleted, thread_ts: thread }) =>
      !isDeleted && thread === undefined && JSON.stringify(blocks).includes(subject),
  )
}
