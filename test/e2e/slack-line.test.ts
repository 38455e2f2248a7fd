/** Slack down a line that the hub opens itself: stored, acknowledged, answered; and a hub that stops hangs up. */
import { describe, expect, it } from 'vitest'
import { testDatabase } from '#kit'
import { startTestHub } from '#kit/hub.ts'
import { startSandbox } from '../../connectors/slack/sandbox.ts'

const database = testDatabase()

describe('a hub that Slack cannot reach', () => {
  it('opens the line itself, and keeps what comes down before it acknowledges', async () => {
    const sandbox = await startSandbox({ isByLine: true })
    const line = sandbox.line?.open() ?? ''
    const hub = await startTestHub(database, { hosts: [sandbox.url, line.replace('ws:', 'http:')] })
    await hub.connect('slack', 'Slack', sandbox)
    await sandbox.line?.stands

    await sandbox.say(sandbox.users.leo, { channel: sandbox.channels.cases }, 'Hello')
    const { rows } = await hub.running.hub.intake.query<{ body: Buffer }>('select body from inbox order by seq')
    expect(rows.map(({ body }) => JSON.parse(body.toString()).event.text)).toEqual(['Hello'])

    const asked = await sandbox.command(sandbox.users.leo, sandbox.channels.cases, 'help')
    expect(asked.status).toBe(200)
    const answer = await hub.until('an answer', async () =>
      sandbox.channels.cases.messages.find(({ onlyFor }) => onlyFor === sandbox.users.leo.id),
    )
    expect(answer.blocks).not.toEqual([])
    await hub.stop()
    await sandbox.close()
  })
})
