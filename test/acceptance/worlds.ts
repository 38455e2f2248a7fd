import { startSlackWorld } from './slack-world.ts'
import { startTeamsWorld } from './teams-world.ts'
import type { ChatWorld } from './world.ts'

/** By the tool's name, as people know it. */
export const worlds = { Slack: startSlackWorld, Teams: startTeamsWorld } as const satisfies Record<
  string,
  () => Promise<ChatWorld>
>
export type Tool = keyof typeof worlds
