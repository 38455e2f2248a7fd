/** Agents and customers in Teams, end to end: signed requests in, cards and dialogs out, and what comes of them in the desk. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAgent, WrittenAgent } from '#hub/agents/index.ts'
import { testDatabase } from '#kit'
import { startTestHub, type TestHub } from '#kit/hub.ts'
import { type LegacyDeskSandbox, startSandbox as startDesk } from '../../connectors/desk/sandbox.ts'
import { startSandbox as startTeams, type TeamsSandbox } from '../../connectors/teams/sandbox.ts'

const database = testDatabase()
let hub: TestHub
let desk: LegacyDeskSandbox
let teams: TeamsSandbox

beforeAll(async () => {
  desk = await startDesk()
  teams = await startTeams()
  hub = await startTestHub(database, { hosts: [desk.url, teams.url] })
  await hub.connect('desk', 'Legacy desk', desk)
  await hub.connect('teams', 'Teams', teams)
  teams.connect({ url: `${hub.url}/teams/messages`, secret: '' })
  const { jo } = teams.people
  const agent = WrittenAgent.parse({ email: jo.email, name: jo.name })
  await createAgent(hub.running.hub.db, agent, new Date())
})
afterAll(async () => {
  await hub?.stop()
  await teams?.close()
  await desk?.close()
})

/** A case of the desk, and its card in the agents' channel. */
async function arrive(subject: string) {
  const opened = desk.desk.openCase({
    subject,
    text: 'It names the wrong month.',
    requester: { name: 'Ana García', emails: ['ana@customer.example'] },
  })
  const card = await hub.until('the card', async () => {
    await hub.settled()
    return teams.world.posted.find(
      ({ activity, thread, id }) => thread === id && JSON.stringify(activity).includes(subject),
    )
  })
  return { opened, card }
}

function dialogOf({ dialog, body }: Awaited<ReturnType<TeamsSandbox['press']>>) {
  if (dialog) return dialog
  throw new Error(`no dialog opened: ${JSON.stringify(body)}`)
}
const cardAbout = (subject: string) =>
  hub.until(`a card about ${subject}`, async () => {
    await hub.settled()
    return teams.world.posted.find(
      ({ channel, activity }) => channel.id === teams.channels.cases.id && textOf(activity).includes(subject),
    )
  })
const textOf = (value: unknown) => JSON.stringify(value)
const inThreadOf = (card: { readonly id: string }) =>
  teams.world.messages.filter(({ thread, id }) => thread === card.id && id !== card.id)

describe('an agent in Teams', () => {
  it('sees a new case as a card in the channel, with what the customer said in its thread', async () => {
    const { card } = await arrive('Invoice is wrong')
    expect(card.channel.id).toBe(teams.channels.cases.id)
    const [said] = await hub.until('the thread', async () => {
      const posts = inThreadOf(card)
      return posts.length > 0 && posts
    })
    expect(textOf(said?.activity)).toContain('It names the wrong month.')
  })

  it('replies in public: a dialog, a preview, and the desk has the reply', async () => {
    const { jo } = teams.people
    const { opened, card } = await arrive('Refund please')
    const form = dialogOf(await teams.press(jo, card, 'Reply to customer…'))
    const refused = dialogOf(await teams.submit(form, { text: '' }))
    expect(textOf(refused.card)).toContain('⚠️')
    const preview = dialogOf(await teams.submit(refused, { text: 'You are *right*, we refund it.' }))
    expect(textOf(preview.card)).toContain('You are *right*, we refund it.')
    expect(opened.messages).toHaveLength(1)
    await teams.submit(preview, {})
    await hub.settled()
    const [, reply] = [...(desk.desk.cases.get(opened.id)?.messages ?? [])]
    expect(reply).toMatchObject({ visibility: 'public', text: 'You are *right*, we refund it.' })
    expect(
      inThreadOf(card)
        .map(({ activity }) => textOf(activity))
        .join(),
    ).toContain('we refund it')
  })

  it('takes a case with one press: the card says so to everybody, in place', async () => {
    const { jo } = teams.people
    const { card } = await arrive('Where is my parcel')
    const { body } = await teams.press(jo, card, 'Assign to me')
    expect(body).toMatchObject({ statusCode: 200, type: 'application/vnd.microsoft.activity.message' })
    await hub.until('the card with a name', async () => textOf(card.activity).includes('Jo Weber'))
    expect(card.updates).toBeGreaterThan(0)
    expect(teams.world.posted.filter(({ activity }) => textOf(activity).includes('Where is my parcel'))).toHaveLength(1)
  })

  it('presses ten times at once, and it happens once', async () => {
    const { jo } = teams.people
    const { opened, card } = await arrive('Double click')
    await Promise.all(Array.from({ length: 10 }, () => teams.press(jo, card, 'Assign to me')))
    await hub.until('the card with a name', async () => textOf(card.activity).includes('Jo Weber'))
    await hub.settled()
    const assignments = desk.requests.filter(
      ({ body }) => body.includes(opened.id) && body.includes('assignee') && body.includes(jo.email),
    )
    expect(assignments).toHaveLength(1)
  })

  it('writes a note by answering in the thread', async () => {
    const { jo } = teams.people
    const { opened, card } = await arrive('Wrong address')
    await teams.write(jo, { reply: card }, 'She called, too')
    await hub.settled()
    const notes = desk.desk.cases.get(opened.id)?.messages.filter(({ visibility }) => visibility === 'internal')
    expect(notes).toMatchObject([{ text: 'She called, too' }])
  })

  it('finds a case from the message box, and a link to it unfolds', async () => {
    const { jo } = teams.people
    const { card } = await arrive('Broken hinge')
    const found = await teams.search(jo, 'hinge')
    expect(found.body).toMatchObject({ composeExtension: { type: 'result', attachmentLayout: 'list' } })
    expect(textOf(found.body)).toContain('Broken hinge')
    const [, caseId] = /"value":"(case_\w+)/.exec(textOf(card.activity)) ?? []
    const pasted = await teams.paste(jo, teams.channels.group, `${hub.url}/cases/${caseId}`)
    expect(textOf(pasted.body)).toContain('Broken hinge')
    const nothing = await teams.search(jo, 'zzz-nobody-wrote-this')
    expect(nothing.body).toMatchObject({ composeExtension: { type: 'message' } })
  })

  it('sees the customer in a dialog, and goes on to a case from there', async () => {
    const { jo } = teams.people
    const { card } = await arrive('Late delivery')
    const customer = dialogOf(await teams.press(jo, card, 'Customer'))
    expect(textOf(customer.card)).toContain('ana@customer.example')
    expect(textOf(customer.card)).not.toContain('Action.Execute')
    const opened = dialogOf(await teams.submit(customer, {}, 'Open'))
    expect(textOf(opened.card)).toContain('Reply to customer…')
  })

  it('asks the app in a channel, and is answered in private', async () => {
    const { jo } = teams.people
    await arrive('Lost key')
    const asked = await teams.write(jo, teams.channels.cases, { text: 'find Lost key', mentionsBot: true })
    const answer = await hub.until('the answer', async () =>
      teams.world.posted.find(
        ({ channel, activity }) => channel.kind === 'personal' && textOf(activity).includes('Lost key'),
      ),
    )
    expect(answer.channel).toBe(teams.personal(jo))
    expect(inThreadOf(asked)).toEqual([])
  })

  it('makes a case of a message, chosen in its menu', async () => {
    const { jo } = teams.people
    const message = await teams.write(jo, teams.channels.group, 'The printer on floor 2 is on fire')
    const form = dialogOf(await teams.share(jo, message, 'createCase'))
    expect(textOf(form.card)).toContain('floor 2')
    await teams.submit(form, { subject: 'Printer on fire', tool: 'Legacy desk' })
    await hub.settled()
    expect([...desk.desk.cases.values()].map(({ subject }) => subject)).toContain('Printer on fire')
  })
})

describe('who is no agent', () => {
  it.each(['gus', 'rita'] as const)('sees nothing of a case and changes nothing: %s', async (name) => {
    const { card, opened } = await arrive(`Secret of ${name}`)
    const who = teams.people[name]
    const customer = await teams.press(who, card, 'Customer')
    expect(textOf(customer.dialog?.card ?? customer.body)).not.toContain('ana@customer.example')
    await teams.press(who, card, 'Assign to me')
    await teams.write(who, { reply: card }, 'I was here')
    expect(textOf((await teams.search(who, 'Secret')).body)).not.toContain('Secret of')
    await hub.settled()
    expect(desk.desk.cases.get(opened.id)?.messages).toHaveLength(1)
    expect(textOf(card.activity)).not.toContain(who.name)
  })
})

describe('a customer in a shared channel', () => {
  it('opens a case by writing, and is answered in the thread under the name of the agent', async () => {
    const { rita, jo } = teams.people
    const asked = await teams.write(rita, teams.channels.globex, 'Our invoice is wrong')
    const card = await hub.until('the card', async () => {
      await hub.settled()
      return teams.world.posted.find(
        ({ channel, activity }) =>
          channel.id === teams.channels.cases.id && textOf(activity).includes('Our invoice is wrong'),
      )
    })
    await teams.write(jo, { reply: card }, 'Check their contract first')
    const form = dialogOf(await teams.press(jo, card, 'Reply to customer…'))
    const preview = dialogOf(await teams.submit(form, { text: 'It is corrected <today>.' }))
    await teams.submit(preview, {})
    const [reply] = await hub.until('the reply', async () => {
      await hub.settled()
      const replies = inThreadOf(asked)
      return replies.length > 0 && replies
    })
    expect(reply?.activity).toMatchObject({
      textFormat: 'xml',
      text: '<strong>Jo Weber</strong><br>It is corrected &#60;today&#62;.',
    })
    expect(textOf(inThreadOf(asked))).not.toContain('contract')
  })
})

describe('a customer whose case was solved', () => {
  it('is asked in the thread, answers with one press, and nobody else can answer', async () => {
    const { rita, jo, kim } = teams.people
    const survey = { name: 'After', kind: 'csat', when: { delay_s: 0, channels: ['teams'] } }
    await hub.api('PUT', '/surveys/after', survey)
    const asked = await teams.write(rita, teams.channels.globex, 'The door squeaks')
    const card = await cardAbout('The door squeaks')
    const resolve = dialogOf(await teams.press(jo, card, 'Resolve…'))
    await teams.submit(resolve, { reason: 'Solved' })
    const question = await hub.until('the question', async () => {
      await hub.settled()
      return inThreadOf(asked).find(({ author, activity }) => !author && textOf(activity).includes('survey.answer'))
    })
    await teams.press(kim, question, '1 – Very dissatisfied')
    await teams.press(rita, question, '5 – Very satisfied')
    const answers = await hub.until('the answer', async () => {
      await hub.settled()
      const { data } = (await hub.api('GET', '/responses')) as { data: readonly { score: number }[] }
      return data.length > 0 && data
    })
    expect(answers).toMatchObject([{ score: 5 }])
  })
})

describe('a thread that Teams holds back', () => {
  it('gets its card as soon as Teams takes it, once', async () => {
    const { cases } = teams.channels
    teams.throttle(cases, 1)
    const before = teams.requests.filter(({ status }) => status === 429).length
    const arriving = arrive('Held back')
    await hub.until('a refusal', async () => teams.requests.filter(({ status }) => status === 429).length > before)
    teams.throttle(cases, undefined)
    await arriving
    const cards = teams.world.posted.filter(
      ({ id, thread, activity }) => id === thread && textOf(activity).includes('Held back'),
    )
    expect(cards).toHaveLength(1)
  })
})

describe('a channel that the app is taken away from', () => {
  it('is left alone until the app is back', async () => {
    const { cases } = teams.channels
    await teams.uninstall(cases)
    await hub.settled()
    const before = teams.requests.length
    desk.desk.openCase({ subject: 'Unseen', text: 'x', requester: { name: 'Ana', emails: ['ana@customer.example'] } })
    await hub.until('the case', async () => {
      const found = (await hub.api('GET', '/cases')) as { data: readonly { subject: string }[] }
      return found.data.some(({ subject }) => subject === 'Unseen')
    })
    await hub.settled()
    expect(teams.requests.slice(before).filter(({ method }) => method !== 'GET')).toEqual([])
    await teams.install(cases)
    await hub.settled()
    const { card } = await arrive('Seen again')
    expect(card.channel.id).toBe(cases.id)
  })

  it('also when nobody said so: Teams is asked once, and not again', async () => {
    const { cases } = teams.channels
    teams.world.gone.set(cases.id, 'BotNotInConversationRoster')
    const before = teams.requests.length
    for (const subject of ['Refused', 'Not tried']) {
      desk.desk.openCase({ subject, text: 'x', requester: { name: 'Ana', emails: ['ana@customer.example'] } })
      await hub.until(subject, async () => {
        const found = (await hub.api('GET', '/cases')) as { data: readonly { subject: string }[] }
        return found.data.some((one) => one.subject === subject)
      })
      await hub.settled()
    }
    const tries = teams.requests.slice(before).filter(({ path }) => path.endsWith('/v3/conversations'))
    expect(tries).toHaveLength(1)
    await teams.install(cases)
    await hub.settled()
  })
})
