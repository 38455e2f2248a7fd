/** What agents can do in each chat tool: the page lists what the acceptance suite runs, in the tools that it runs it in. */
import { groups } from '../../test/acceptance/functions.ts'
import { ways } from '../../test/acceptance/ways.ts'
import { type Tool, worlds } from '../../test/acceptance/worlds.ts'
import type { Generator } from '../generate.ts'
import { table } from './markers.ts'

const tools = Object.keys(worlds).filter((name): name is Tool => name in ways)
const yes = { en: 'yes', es: 'sí' } as const

export const chatFunctions: Generator = {
  file: 'docs/chat-functions.md',
  async render() {
    return `# What agents can do in chat

<!-- Written by \`npm run generate\` from test/acceptance: each row is a test that runs in each tool. -->

Every row is a test of \`test/acceptance\`, which runs in each tool over real HTTP: \`npx vitest run test/acceptance\`.

${rows('en', 'function')}

## En español

${rows('es', 'función')}
`
  },
}

function rows(language: 'en' | 'es', head: string): string {
  const all = Object.values(groups).flat()
  return table(
    [head, ...tools],
    all.map(({ id, title }) => [title[language], ...tools.map((tool) => (ways[tool][id] ?? yes)[language])]),
  )
}
