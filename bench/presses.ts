/**
 * Agents press faster than in any company: 200 times a second for half a minute, on the cards of 300 cases in 10 desks. After
 * ten seconds all desks are away for more than a minute. What is measured: how soon Slack has its acknowledgement, whether each press
 * reaches its desk once, whether the cards say that a desk is away, and how long it all takes to catch up.
 */
import { createHmac } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { startHubProcess, temporaryFolder } from '#kit/hub-process.ts'
import { type LegacyDeskSandbox, startSandbox as startDesk } from '../connectors/desk/sandbox.ts'
import { type SlackSandbox, startSandbox as startSlack } from '../connectors/slack/sandbox.ts'
import { elementOf } from '../connectors/slack/sandbox-people.ts'
import type { SlackChannel, SlackMessage } from '../connectors/slack/sandbox-world.ts'
import { httpRequest, type LoadResult, loadAtRate } from './load.ts'

export interface PressFigures {
  readonly presses: number
  readonly acknowledged: LoadResult
  /** What the desks did, each thing counted once, and what they did again. */
  readonly done: number
  readonly doubles: number
  /** Cards that said, before it was back, that the desk is away. */
  readonly told: number
  /** From the desks' return until they had every change, and until no card said so any more. */
  readonly deskSeconds: number
  readonly cardSeconds: number
}

const perSecond = 200
const seconds = 30
const cases = 300
/**
 * The hub asks no more than 10 calls a second of a desk and puts no more than a message a second into a channel: this many of
 * both have room for what is pressed.
 */
const desks = 10
const deskPatienceMs = 150_000
const goesAfterMs = 10_000
/** Slack lets an app change 50 messages a minute, and what is pressed before uses that up: no card could say so earlier. */
const awayMs = 65_000
/** For the same reason 300 cards take six minutes. */
const cardPatienceMs = 600_000
/** Each card is pressed so often, every time for another macro: what a press did can be told from what all others did. */
const rounds = (perSecond * seconds) / cases

export async function measurePresses(): Promise<PressFigures> {
  const data = temporaryFolder()
  const slack = await startSlack()
  const places = await Promise.all(Array.from({ length: desks }, (_, index) => openPlace(slack, index)))
  const hosts = [slack, ...places.map(({ desk }) => desk)].map(({ url }) => new URL(url).host).join(',')
  const hub = await startHubProcess({
    dataDir: data.path,
    env: { DESKWEAVE_EXTRA_HOSTS: hosts, NODE_ENV: 'production' },
  })
  try {
    const connect = async (connector: string, name: string, config: object) => {
      const made = await hub.api('POST', '/connections', { connector, name, config })
      return (made as { webhook: { url: string; secret: string } }).webhook
    }
    for (const { desk, channel } of places) desk.connect(await connect('desk', channel.name, desk.config))
    const channels = places.map(({ channel: { id, name } }) => ({
      channel: id,
      for: 'cases',
      when: { connections: [name] },
    }))
    const hook = await connect('slack', 'Slack', { ...slack.config, channels })
    await hub.api('POST', '/agents', { email: slack.users.leo.email, name: slack.users.leo.name, role: 'agent' })
    for (let round = 0; round < rounds; round += 1) {
      const macro = { id: tagOf(round), name: tagOf(round), actions: [{ tag: { add: [tagOf(round)] } }] }
      await hub.api('PUT', `/macros/${macro.id}`, macro)
    }
    const cards = await putUp(places)
    // Slack's own secret stands in the settings; the connection's is for those that have none.
    const door = { port: hub.port, path: new URL(hook.url).pathname, secret: String(slack.config['signing_secret']) }
    return await press(slack, places, cards, door)
  } finally {
    await hub.stop()
    await Promise.all([slack.close(), ...places.map(({ desk }) => desk.close())])
    data.remove()
  }
}

interface Place {
  readonly desk: LegacyDeskSandbox
  readonly channel: SlackChannel
}

async function openPlace(slack: SlackSandbox, index: number): Promise<Place> {
  const { teamId } = slack.channels.cases
  const channel = slack.world.addChannel({ id: `C0DESK${index}`, teamId, name: `desk-${index}` })
  return { desk: await startDesk(), channel }
}

interface Door {
  readonly port: number
  readonly path: string
  readonly secret: string
}

async function putUp(places: readonly Place[]): Promise<readonly SlackMessage[]> {
  for (let index = 0; index < cases; index += 1) {
    places[index % desks]?.desk.desk.openCase({
      subject: `Invoice ${index} is wrong`,
      text: 'It names the wrong month.',
      requester: { name: `Customer ${index}`, emails: [`customer.${index}@customers.example`] },
    })
  }
  const posted = () => places.flatMap(({ channel }) => channel.messages)
  await until('every case has a card, and what the customer said stands below it', () => posted().length >= 2 * cases)
  return posted().filter(({ thread_ts }) => thread_ts === undefined)
}

async function press(
  slack: SlackSandbox,
  places: readonly Place[],
  cards: readonly SlackMessage[],
  door: Door,
): Promise<PressFigures> {
  const requests = signedPresses(slack, cards, door)
  const made = () => places.flatMap(actsIn)
  const startAtMs = Date.now() + 1_000
  const outage = async () => {
    await sleep(startAtMs + goesAfterMs - Date.now())
    for (const { desk } of places) desk.faults.set({ failRate: 1, status: 503 })
    await sleep(awayMs)
    for (const { desk } of places) desk.faults.set({})
    return cards.filter(saysAway).length
  }
  const [acknowledged, told] = await Promise.all([loadAtRate(door.port, startAtMs, perSecond, requests), outage()])
  const backMs = performance.now()
  const sinceBack = () => (performance.now() - backMs) / 1_000
  await until(
    'the desks have every change that was acknowledged',
    () => new Set(made()).size >= acknowledged.answered2xx,
    () => made().length,
    deskPatienceMs,
  )
  const deskSeconds = sinceBack()
  await until(
    'no card says that a desk is away',
    () => !cards.some(saysAway),
    () => cards.filter(saysAway).length,
    cardPatienceMs,
  )
  const cardSeconds = sinceBack()
  const done = new Set(made()).size
  const doubles = places.map(doublesIn).reduce((sum, count) => sum + count, 0)
  return { presses: requests.length, acknowledged, done, doubles, told, deskSeconds, cardSeconds }
}

const saysAway = ({ blocks }: SlackMessage) => JSON.stringify(blocks).includes('cannot be reached')

const tagOf = (round: number) => `p${round}`

const Told = z.object({
  case_id: z.string(),
  change: z.object({ add_tags: z.array(z.string()).default([]) }),
})

/** What presses have done, by case and tag; a change that the desk knows already it does not make again. */
function actsIn({ desk: { requests, url } }: Place): readonly string[] {
  return requests.flatMap(({ outcome, status, body }) => {
    if (outcome !== 'answered' || status !== 200 || !body.includes('"add_tags"')) return []
    const { case_id: id, change } = Told.parse(JSON.parse(body.toString()))
    return change.add_tags.map((tag) => `${url} ${id} ${tag}`)
  })
}

/** Changes made more than once by the same key. A tag may stand in several: each says all that the desk has not confirmed yet. */
function doublesIn({ desk: { requests } }: Place): number {
  const keys = requests.flatMap(({ outcome, status, idempotencyKey: key }) =>
    outcome === 'answered' && status === 200 && key !== undefined ? [key] : [],
  )
  return keys.length - new Set(keys).size
}

/** Each card in its turn. */
function signedPresses(slack: SlackSandbox, cards: readonly SlackMessage[], { path, secret }: Door): Buffer[] {
  const { leo } = slack.users
  const timestamp = String(Math.floor(Date.now() / 1_000))
  return Array.from({ length: perSecond * seconds }, (_, index) => {
    const card = cards[index % cards.length]
    if (!card) throw new Error('no card is up')
    const value = tagOf(Math.floor(index / cards.length))
    const { element, blockId } = elementOf(card.blocks, 'case.macro', value)
    const { type, action_id } = element
    const payload = {
      type: 'block_actions',
      user: { id: leo.id, team_id: leo.teamId },
      team: { id: leo.teamId },
      trigger_id: `bench-${index}`,
      response_url: `${slack.url}/response/bench-${index}`,
      container: { type: 'message', channel_id: card.channel, message_ts: card.ts },
      channel: { id: card.channel },
      message: { ts: card.ts, text: card.text, blocks: card.blocks },
      state: { values: {} },
      actions: [{ type, action_id, block_id: blockId, action_ts: `${timestamp}.${index}`, selected_option: { value } }],
    }
    const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString()
    const signature = createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex')
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'x-slack-request-timestamp': timestamp,
      'x-slack-signature': `v0=${signature}`,
    }
    return httpRequest(path, headers, body)
  })
}

/** @param soFar for the error. */
async function until(
  what: string,
  isSo: () => boolean,
  soFar: () => number | string = () => 'not yet',
  patienceMs = deskPatienceMs,
): Promise<void> {
  const deadline = performance.now() + patienceMs
  while (!isSo()) {
    if (performance.now() > deadline)
      throw new Error(`waited ${patienceMs / 1_000} s in vain until ${what}: ${soFar()}`)
    await sleep(100)
  }
}
