import { describe, expect, it } from 'vitest'
import { connectors } from '#connectors'
import { givesSecret, inboundUrl } from '#hub/cli/settings.ts'

describe('what the other side is told', () => {
  it.each([
    ['desk', 'https://hub.example/hooks/con_1', true],
    ['zendesk', 'https://hub.example/hooks/con_1', false],
    ['slack', 'https://hub.example/slack/events', false],
    ['teams', 'https://hub.example/teams/messages', false],
  ] as const)('%s sends to %s, and needs a secret of ours: %s', async (id, url, needsSecret) => {
    const connector = await connectors[id]()
    expect(inboundUrl(connector, 'https://hub.example/hooks/con_1')).toBe(url)
    expect(givesSecret(connector)).toBe(needsSecret)
  })
})
