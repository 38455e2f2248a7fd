/** The environment, read once: every variable, what it expects, what holds when it is absent. */
import { resolve } from 'node:path'
import { z } from 'zod'
import { type LogLevel, logLevels } from './log.ts'

const roles = ['web', 'worker'] as const
type HubRole = (typeof roles)[number]

export interface Env {
  /** Absent: the embedded PostgreSQL in `dataDir`. */
  readonly databaseUrl?: string
  readonly dataDir: string
  /** 0: any free port. */
  readonly port: number
  /** Public address without a slash at its end. */
  readonly baseUrl: string
  /** Keys that seal secrets: the first seals, all open. Absent: a key kept in the data folder. */
  readonly secretKeys?: readonly string[]
  readonly adminToken?: string
  /** `host:port` each. */
  readonly extraHosts: readonly string[]
  readonly roles: readonly HubRole[]
  readonly logLevel: LogLevel
  /** Path of the configuration file; it need not exist when `isConfigNamed` is false. */
  readonly configFile: string
  readonly isConfigNamed: boolean
}

interface Variable {
  readonly about: string
  /** Completes "expected …". */
  readonly expects: string
  /** In words, for the reference. */
  readonly otherwise: string
  /** Its value is never shown. */
  readonly secret?: boolean
  readonly schema: z.ZodType<unknown, string>
}

const list = <T>(item: z.ZodType<T, string>) =>
  z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean),
    )
    .pipe(z.array(item).min(1))

const variables = {
  DATABASE_URL: {
    about: 'The PostgreSQL (15 or newer) to keep everything in.',
    expects: 'a URL such as postgresql://user:password@host:5432/database',
    otherwise: 'an embedded PostgreSQL in `DESKWEAVE_DATA`',
    secret: true,
    schema: z.url({ protocol: /^postgres(ql)?$/ }),
  },
  DESKWEAVE_DATA: {
    about: 'The folder of the embedded database and of the generated key.',
    expects: 'a folder',
    otherwise: '`./data`',
    schema: z.string(),
  },
  PORT: {
    about: 'Where the hub listens; 0 takes any free port.',
    expects: 'a number from 0 to 65535',
    otherwise: '`3000`',
    schema: z
      .string()
      .regex(/^\d{1,5}$/)
      .transform(Number)
      .pipe(z.number().max(65_535)),
  },
  DESKWEAVE_BASE_URL: {
    about: 'The address under which vendors and customers reach the hub: in webhook URLs and survey links.',
    expects: 'a URL such as https://hub.example.com',
    otherwise: '`http://localhost:PORT`',
    schema: z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, '')),
  },
  DESKWEAVE_SECRET_KEY: {
    about:
      'Seals credentials at rest and signs survey links. Several keys with commas between them: the first seals, all open.',
    expects: '32 bytes in base64 or hex, or a passphrase of at least 32 characters',
    otherwise: 'generated into `DESKWEAVE_DATA/secret.key`',
    secret: true,
    schema: list(z.string().min(32)),
  },
  DESKWEAVE_ADMIN_TOKEN: {
    about: 'The first API token; it may do everything.',
    expects: 'at least 16 characters',
    otherwise: 'made at the first start and kept in `admin.token` in `DESKWEAVE_DATA`',
    secret: true,
    schema: z.string().min(16),
  },
  DESKWEAVE_EXTRA_HOSTS: {
    about: "Hosts beyond a connector's own that the hub may call: sandboxes, self-hosted desks.",
    expects: 'a list of host:port with commas between them, such as desk.internal:8443',
    otherwise: 'none',
    schema: list(z.string().regex(/^([\w.-]+|\[[\da-fA-F:.]+\]):\d{1,5}$/)),
  },
  DESKWEAVE_ROLE: {
    about: 'What this process does: `web` takes requests, `worker` works.',
    expects: 'web, worker or web,worker',
    otherwise: '`web,worker`',
    schema: list(z.enum(roles)),
  },
  LOG_LEVEL: {
    about: 'How much is logged.',
    expects: 'debug, info, warn, error or silent',
    otherwise: '`info`',
    schema: z.enum(logLevels),
  },
  DESKWEAVE_CONFIG: {
    about: 'The configuration file.',
    expects: 'the path of a file',
    otherwise: '`./deskweave.yaml`, if there is one',
    schema: z.string(),
  },
} satisfies Record<string, Variable>

type Name = keyof typeof variables

/** @throws Error that lists every variable that is not as expected. */
export function readEnv(source: Readonly<Record<string, string | undefined>> = process.env): Env {
  const problems: string[] = []
  function read<N extends Name>(name: N): z.output<(typeof variables)[N]['schema']> | undefined {
    const text = source[name]?.trim()
    if (!text) return undefined
    const variable: Variable = variables[name]
    const result = variables[name].schema.safeParse(text)
    // The table keeps name and schema together; TypeScript does not follow that through the lookup.
    if (result.success) return result.data as z.output<(typeof variables)[N]['schema']>
    problems.push(`${name}${variable.secret ? '' : ` is "${text}"`}: expected ${variable.expects}`)
    return undefined
  }
  const databaseUrl = read('DATABASE_URL')
  const secretKeys = read('DESKWEAVE_SECRET_KEY')
  const adminToken = read('DESKWEAVE_ADMIN_TOKEN')
  const configFile = read('DESKWEAVE_CONFIG')
  const port = read('PORT') ?? 3000
  const env: Env = {
    ...(databaseUrl ? { databaseUrl } : {}),
    ...(secretKeys ? { secretKeys } : {}),
    ...(adminToken ? { adminToken } : {}),
    dataDir: resolve(read('DESKWEAVE_DATA') ?? 'data'),
    port,
    baseUrl: read('DESKWEAVE_BASE_URL') ?? `http://localhost:${port}`,
    extraHosts: read('DESKWEAVE_EXTRA_HOSTS') ?? [],
    roles: read('DESKWEAVE_ROLE') ?? roles,
    logLevel: read('LOG_LEVEL') ?? 'info',
    configFile: resolve(configFile ?? 'deskweave.yaml'),
    isConfigNamed: configFile !== undefined,
  }
  if (problems.length > 0) throw new Error(`the environment is not right.\n  ${problems.join('\n  ')}`)
  return env
}

/** One row of the configuration reference for each variable. */
export function envReference(): readonly (Omit<Variable, 'schema'> & { readonly name: string })[] {
  return Object.entries(variables).map(([name, { schema: _, ...rest }]) => ({ name, ...rest }))
}
