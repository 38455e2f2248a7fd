/** `deskweave validate` */
import { readEnv } from '#hub/platform/env.ts'
import { readConfig } from './config-files.ts'

export async function validate(file: string | undefined): Promise<void> {
  const config = await readConfig(readEnv(), file)
  if (!config) return
  const counts = [
    count(config.connections.length, 'connection'),
    count(config.rules?.length ?? 0, 'rule'),
    count(config.surveys?.length ?? 0, 'survey'),
    count(config.agents?.length ?? 0, 'agent'),
    count(config.macros?.length ?? 0, 'macro'),
  ]
  console.log(`no problems: ${counts.join(', ')}`)
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`
}
