/**
 * The command line. Each command is a file of its own, loaded when it is called, so that `start` loads nothing else.
 * Exit codes: 0 done, 1 not done or something is wrong, 2 used in a way that does not exist.
 */
import { readFileSync } from 'node:fs'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { z } from 'zod'

const { version } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')))

const program = new Command('deskweave')
  .description('A hub between the help desks, CRMs, mailboxes and chat tools you already have.')
  .version(version)
  .exitOverride()
  .showHelpAfterError('(deskweave --help lists the commands)')

program
  .command('start')
  .description('run the hub')
  .action(async () => (await import('./start.ts')).start())

program
  .command('demo')
  .description("play a customer's day on a hub of its own, with sandboxes of all tools; about half a minute")
  .option('--keep', 'leave the hub running afterwards', false)
  .option('--json', 'print the summary as JSON and nothing else', false)
  .action(async (options: { keep: boolean; json: boolean }) => (await import('./demo.ts')).demo(options))

program
  .command('migrate')
  .description("bring the database to this version's shape; start does it too")
  .action(async () => (await import('./migrate.ts')).migrateDatabase())

program
  .command('connect')
  .description('connect an account; asks for what is missing')
  .argument('<connector>', 'such as desk; an unknown one lists those there are')
  .option('--name <name>', 'what you call it')
  .option('--set <key=value>', 'a setting, such as --set subdomain=acme; dots reach inside', collectSetting, [])
  .option('--json', 'print the answer as JSON', false)
  .action(async (connector: string, options: { name?: string; set: [string, string][]; json: boolean }) =>
    (await import('./connect.ts')).connect(connector, options),
  )

program
  .command('validate')
  .description('check the configuration file and the rules beside it')
  .argument('[file]', 'DESKWEAVE_CONFIG, or deskweave.yaml')
  .action(async (file?: string) => (await import('./validate.ts')).validate(file))

program
  .command('plan')
  .description('say what apply would do')
  .argument('[file]', 'DESKWEAVE_CONFIG, or deskweave.yaml')
  .action(async (file?: string) => (await import('./apply.ts')).plan(file))

program
  .command('apply')
  .description('make the hub as the configuration file says')
  .argument('[file]', 'DESKWEAVE_CONFIG, or deskweave.yaml')
  .action(async (file?: string) => (await import('./apply.ts')).apply(file))

const replay = program.command('replay').description('give what failed another turn')
replay
  .command('inbox')
  .description('work again what arrived; what was concluded before stays as it is')
  .argument('[ids...]', 'as GET /api/v1/inbox shows them', collectId, [])
  .option('--quarantined', 'all that could not be read')
  .option('--dead', 'all that failed too often')
  .action(async (ids: number[], options: { quarantined?: true; dead?: true }) =>
    (await import('./replay.ts')).replayInboxRows(ids, options),
  )
replay
  .command('deliveries')
  .description('try dead letters again, each under its own key')
  .argument('[ids...]', 'as GET /api/v1/deliveries shows them', collectId, [])
  .option('--dead', 'all dead letters')
  .action(async (ids: number[], options: { dead?: true }) =>
    (await import('./replay.ts')).replayDeliveries(ids, options),
  )

program
  .command('doctor')
  .description('check the machine, the database and every connection, and say what to do')
  .option('--json', 'print the checks as JSON', false)
  .action(async (options: { json: boolean }) => (await import('./doctor.ts')).doctor(options))

function collectSetting(text: string, before: [string, string][]): [string, string][] {
  const equals = text.indexOf('=')
  if (equals < 1) throw new InvalidArgumentError(`"${text}": expected key=value, such as subdomain=acme`)
  return [...before, [text.slice(0, equals), text.slice(equals + 1)]]
}

function collectId(text: string, before: number[]): number[] {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError(`"${text}": expected a number, such as 17`)
  return [...before, Number(text)]
}

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else {
    console.error(`deskweave: ${error instanceof Error ? error.message : String(error)}`)
    if (process.env['LOG_LEVEL'] === 'debug') console.error(error)
    process.exitCode = 1
  }
}
