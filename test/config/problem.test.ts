// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the files say ${NAME} themselves.
import { describe, expect, it } from 'vitest'
import { formatProblems } from '#hub/config/problem.ts'
import { readConfig } from '#hub/config/validate.ts'
import { known, marked, withRule } from './examples.ts'

function print(text: string): string {
  const main = { name: 'deskweave.yaml', text }
  const result = readConfig({ main, included: [] }, known)
  return 'problems' in result ? formatProblems(result.problems, [main]) : ''
}

describe('a printed problem', () => {
  it('names place, path, mistake and remedy, and points into the line', () => {
    const { text } = marked(
      withRule({ if: '{ all: [{ field: case.tags, any_of: [a] }, { field: ▲case.prioritty, is: high }] }' }),
    )
    expect(print(text)).toBe(
      [
        'deskweave.yaml:16:61 rules[0].if.all[1].field "case.prioritty" is not a field; did you mean "case.priority"?',
        '  16 |     if: { all: [{ field: case.tags, any_of: [a] }, { field: case.prioritty, is: high }] }',
        '     |                                                             ^',
      ].join('\n'),
    )
  })

  it('comes in the order of the file', () => {
    const printed = print(
      'workspace: 5\nrules:\n  - { id: A, name: A, on: case.created, then: [{ status: opn }], mode: on }\nbogus: 1\n',
    )
    expect(printed.match(/deskweave\.yaml:\d+:\d+/g)).toEqual([
      'deskweave.yaml:1:12',
      'deskweave.yaml:3:11',
      'deskweave.yaml:3:58',
      'deskweave.yaml:4:1',
    ])
  })

  it('shows a long line around the place', () => {
    const { text } = marked(`rules: [${' '.repeat(500)}▲x]\n`)
    const [, source, caret] = print(text).split('\n')
    expect(source?.length).toBeLessThan(140)
    expect(source?.[caret?.indexOf('^') ?? -1]).toBe('x')
  })

  it('never shows a secret, also not beside a slip', () => {
    const desk = (config: string) => `connections:\n  - name: Desk\n    connector: tickets\n    config: ${config}\n`
    for (const config of [
      '{ subdomain: acme, api_token: clear-secret-1 }',
      '{ subdomain: ACME, api_token: "${DESK_TOKEN}", auth: { mode: basic, password: clear-secret-1 } }',
      '{ subdomain: "${DESK_TOKEN}", api_token: "${DESK_TOKEN}" }',
      '{ subdomain: acme, api_token: "${SHORT}" }',
      '{ subdomain: acme, apitoken: clear-secret-1, api_token: "${DESK_TOKEN}" }',
      '{ subdomain: acme, api_token: clear-secret-1',
      '{ subdomain: acme\n  api_token: clear-secret-1\n  api_token: clear-secret-1 }',
      '\n      api_token: clear-secret-1\n     subdomain: acme',
    ]) {
      const printed = print(desk(config))
      expect(printed).toContain('deskweave.yaml:')
      expect(printed).not.toMatch(/clear-secret-1|token-1234567|abc\b/)
    }
  })

  it('does not let a file steer the terminal', () => {
    expect(print('"\u001b[31mred\\u001b[0m": 1\n')).not.toContain('\u001b')
  })
})
