/** The table of environment variables in docs/configuration.md. */
import { envReference } from '#hub/platform/env.ts'
import type { Generator } from '../generate.ts'
import { betweenMarkers, table } from './markers.ts'

export const environmentTable: Generator = {
  file: 'docs/configuration.md',
  async render(_root, before) {
    if (before === undefined) return undefined
    const rows = envReference().map(({ name, about, expects, otherwise, secret }) => [
      `\`${name}\`${secret ? ' (secret)' : ''}`,
      about,
      expects,
      otherwise,
    ])
    return betweenMarkers(before, 'environment', table(['variable', 'what it is', 'expects', 'when absent'], rows))
  },
}
