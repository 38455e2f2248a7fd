/** Mails for the tests of the reading half: fixtures from `fixtures/`, and small ones put together from lines. */
import { readdirSync, readFileSync } from 'node:fs'
import { config as schema } from './config.ts'
import { type MailOrigin, readMail } from './parse.ts'

export const config = schema.parse({
  address: 'support@example.com',
  name: 'Acme Support',
  password: 'made-up',
  imap: { host: 'imap.example.com' },
  smtp: { host: 'smtp.example.com' },
  signing_secret: 'example-signing-secret-000001',
  trusted_authserv_ids: ['mx.example.com'],
  agents: ['leo@agents.example', '@staff.example'],
})

export const receivedAt = '2026-11-21T10:20:05.000Z'

export const read = (raw: Buffer | string, origin: Partial<MailOrigin> = {}, signal?: AbortSignal) =>
  readMail(Buffer.from(raw), { config, folder: 'inbox', receivedAt, key: 'INBOX/1/1', ...origin }, signal)

export type Read = Awaited<ReturnType<typeof read>>

export function observationsOf(result: Read) {
  if ('unreadable' in result) throw new Error(`set aside: ${result.unreadable}`)
  return result
}

export function threadedOf(result: Read) {
  const [observation, second] = observationsOf(result)
  if (observation?.type !== 'threaded' || second) throw new Error(`expected one message, got ${JSON.stringify(result)}`)
  return observation
}

export function reasonOf(result: Read): string {
  if (!('unreadable' in result)) throw new Error(`expected a reason, got ${JSON.stringify(result)}`)
  return result.unreadable
}

const folderOf = (name: string) => new URL(`./fixtures/${name}/`, import.meta.url)

export function fixtures(folder: string): readonly { readonly name: string; readonly raw: string }[] {
  const names = readdirSync(folderOf(folder)).filter((name) => name.endsWith('.eml'))
  return names.toSorted().map((name) => ({ name: name.slice(0, -4), raw: onWire(new URL(name, folderOf(folder))) }))
}

/** Kept with the line ends of the repository, read with those of mail. */
function onWire(file: URL): string {
  return readFileSync(file, 'utf8').replace(/\r?\n/g, '\r\n')
}

export const hop =
  'Received: from out.customer.example (out.customer.example [203.0.113.9]) by mx.example.com (Postfix); Sat, 21 Nov 2026 10:20:03 +0000'

/** A mail of these lines; what a line says replaces the default of that name. */
export function mail(lines: readonly string[] = [], body = 'Hello.', top: readonly string[] = [hop]): string {
  const defaults = [
    'From: Ana Garcia <ana@customer.example>',
    'To: Acme Support <support@example.com>',
    'Subject: Invoice 2217',
    'Date: Sat, 21 Nov 2026 10:20:00 +0000',
    'Message-ID: <m1@customer.example>',
  ]
  const nameOf = (line: string) => line.slice(0, line.indexOf(':')).toLowerCase()
  const given = new Set(lines.map(nameOf))
  const kept = defaults.filter((line) => !given.has(nameOf(line)))
  return [...top, ...kept, ...lines, '', body].join('\r\n')
}
