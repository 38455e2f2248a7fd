import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { loadConfigFile } from '#hub/config/files.ts'
import { formatProblems } from '#hub/config/problem.ts'
import { allFiles, readConfig } from '#hub/config/validate.ts'
import { known } from './examples.ts'

let folder = ''
const main = (text: string) =>
  writeFile(join(folder, 'deskweave.yaml'), text).then(() => join(folder, 'deskweave.yaml'))
const rule = (id: string) => `id: ${id}\nname: ${id}\non: case.created\nthen: [{ status: open }]\nmode: on\n`

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deskweave-config-'))
  await mkdir(join(folder, 'rules'))
  await writeFile(join(folder, 'rules', 'b.yaml'), rule('b'))
  await writeFile(
    join(folder, 'rules', 'a.yaml'),
    `- ${rule('a1').replaceAll('\n', '\n  ')}\n- ${rule('a2').replaceAll('\n', '\n  ')}\n`,
  )
  await writeFile(join(folder, 'rules', 'c.txt'), 'not yaml')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

it('reads inline rules first, then those of files by name, one rule or a list in each', async () => {
  const files = await loadConfigFile(
    await main(
      `rules_from: [rules/*.yaml, rules/a.yaml]\nrules:\n  - { id: inline, name: I, on: case.created, then: [{ status: open }], mode: on }\n`,
    ),
  )
  const result = readConfig(files, known)
  // The second pattern finds nothing that the first has not.
  expect('problems' in result && result.problems.map(({ message }) => message)).toEqual([
    'no file matches "rules/a.yaml"',
  ])
  const clean = readConfig(await loadConfigFile(await main('rules_from: [rules/*.yaml]\n')), known)
  expect('config' in clean && clean.config.rules?.map(({ id }) => id)).toEqual(['a1', 'a2', 'b'])
})

it('names the file of each problem, and of an id that is there twice', async () => {
  await writeFile(join(folder, 'rules', 'b.yaml'), rule('a2').replace('open', 'opn'))
  const files = await loadConfigFile(await main('rules_from: [rules/*.yaml]\n'))
  const result = readConfig(files, known)
  const printed = 'problems' in result ? formatProblems(result.problems, allFiles(files)) : ''
  expect(printed.replaceAll(folder, '').replaceAll('\\', '/')).toBe(
    [
      '/rules/b.yaml:1:5 id a rule "a2" is already in /rules/a.yaml; give each rule its own id',
      '  1 | id: a2',
      '    |     ^',
      '/rules/b.yaml:4:18 then[0].status "opn" is not a status; did you mean "open"?',
      '  4 | then: [{ status: opn }]',
      '    |                  ^',
    ].join('\n'),
  )
})

it('reads nothing outside the folder of the main file', async () => {
  await writeFile(join(folder, 'outside.yaml'), rule('outside'))
  await mkdir(join(folder, 'inner'), { recursive: true })
  const path = join(folder, 'inner', 'deskweave.yaml')
  await writeFile(path, `rules_from: ["../*.yaml", "${folder}/*.yaml"]\n`)
  const { included } = await loadConfigFile(path)
  expect(included.flatMap(({ files }) => files)).toEqual([])
})

it('says which file cannot be read, and why', async () => {
  await expect(loadConfigFile(join(folder, 'none.yaml'))).rejects.toThrow(
    'none.yaml: there is no such file; give the path',
  )
  await expect(loadConfigFile(folder)).rejects.toThrow('this is a folder')
})
