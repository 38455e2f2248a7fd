import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { connectors } from '#connectors'
import { askMissing } from '#hub/cli/connect.ts'
import { createPrompt } from '#hub/cli/prompt.ts'
import { settingsOf, toConfig } from '#hub/cli/settings.ts'

function terminal(answers: readonly string[]) {
  const input = new PassThrough()
  const output = new PassThrough()
  let shown = ''
  const left = [...answers]
  output.on('data', (chunk: Buffer) => {
    shown += chunk.toString()
    // A person answers when asked.
    if (shown.endsWith(': ')) setImmediate(() => input.write(`${left.shift() ?? ''}\r`))
  })
  return { prompt: createPrompt(input, output), input, shown: () => shown }
}

it('asks for what is missing, and does not show a secret that is typed', async () => {
  const zendesk = await connectors.zendesk()
  const { prompt, shown } = terminal(['acme', 'deskweave', 'hunter2-hunter2', '', '', '', '', '', '', '', '', ''])
  const config = await askMissing(zendesk, {}, prompt)
  prompt.close()
  expect(config).toEqual({ subdomain: 'acme', client_id: 'deskweave', client_secret: 'hunter2-hunter2' })
  expect(shown()).toContain('subdomain')
  expect(shown()).toContain('not shown')
  expect(shown()).not.toContain('hunter2')
})

it('leaves the question on the screen while it is answered', async () => {
  const { prompt, shown } = terminal(['acme', 'hunter2'])
  await prompt.ask('subdomain: ')
  await prompt.ask('token: ', { isSecret: true })
  prompt.close()
  const escapeKey = String.fromCharCode(27)
  // What is drawn after the line was erased is what a person sees.
  const [, ...drawn] = shown().split(`${escapeKey}[0J`)
  expect(drawn.every((line) => line.startsWith('subdomain: '))).toBe(true)
  expect(drawn.at(-1)).toContain('token: ')
})

it('asks for what must be there inside a setting, unless it is given', async () => {
  const mail = await connectors.mail()
  const { prompt, shown } = terminal(['support@acme.example', 'hunter2', 'smtp.acme.example', 's'.repeat(24)])
  const config = await askMissing(mail, toConfig(mail, [['imap.host', 'imap.acme.example']]), prompt)
  prompt.close()
  expect(config).toMatchObject({ imap: { host: 'imap.acme.example' }, smtp: { host: 'smtp.acme.example' } })
  expect(shown()).not.toContain('imap')
  expect(mail.config.safeParse(config).success).toBe(true)
})

it('gives up with words when the answers do not do', async () => {
  const { prompt } = terminal(['Acme!', 'Acme!'])
  await expect(askMissing(await connectors.zendesk(), { access_token: 'x' }, prompt)).rejects.toThrow(/subdomain: /)
  prompt.close()
})

it('stops on Ctrl-C without saving', async () => {
  const { prompt, input } = terminal([])
  const asked = prompt.ask('token ', { isSecret: true })
  input.write('\u0003')
  await expect(asked).rejects.toThrow('stopped; nothing was saved')
})

it('knows which settings are secret and which must be there', async () => {
  const settings = settingsOf(await connectors.zendesk())
  expect(settings.filter(({ isSecret }) => isSecret).map(({ name }) => name)).toEqual([
    'client_secret',
    'access_token',
    'api_token',
    'webhook_secret',
  ])
  expect(settings.filter(({ isRequired }) => isRequired).map(({ name }) => name)).toEqual(['subdomain'])
})

it('turns texts into what the settings want', async () => {
  const desk = await connectors.desk()
  expect(
    toConfig(desk, [
      ['auth.mode', 'standard_webhooks'],
      ['auth.accept_svix_headers', 'true'],
    ]),
  ).toEqual({
    auth: { mode: 'standard_webhooks', accept_svix_headers: true },
  })
  expect(() => toConfig(desk, [['auth.accept_svix_headers', 'maybe']])).toThrow('"maybe" is no boolean')
  expect(() => toConfig(desk, [['__proto__.polluted', 'x']])).toThrow('expected a name')
  expect(Object.prototype).not.toHaveProperty('polluted')
})
