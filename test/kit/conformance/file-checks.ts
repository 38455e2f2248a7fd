/** Files, both ways: what is declared arrives, what cannot travel is named, and nothing larger than asked for is read. */
import assert from 'node:assert/strict'
import { z } from 'zod'
import { ConnectorError } from '#hub/connector/errors.ts'
import type { SandboxAnswer } from '#hub/connector/sandbox.ts'
import type { Check, Subject } from './check.ts'
import type { OutboundFixture } from './fixtures.ts'
import type { Run } from './outbound-checks.ts'
import { wireTexts } from './wire-texts.ts'

type Perform = (
  subject: Subject,
  fixture: OutboundFixture,
  answers: readonly SandboxAnswer[],
  args?: readonly unknown[],
) => Promise<Run>

const Files = z.object({
  files: z.array(z.object({ name: z.string(), content: z.object({ text: z.string() }) })).min(1),
})
const Attachments = z.object({
  attachments: z.array(z.object({ name: z.string(), url: z.string().exactOptional() })).min(1),
})

/** In fixtures a file's content is `{ "text": "…" }`, and an argument that is absent `null`. */
const Written = z.object({ text: z.string() }).transform(({ text }) => Buffer.from(text))
const WithFiles = z.looseObject({ files: z.array(z.looseObject({ content: Written })) })

export function fromFixture(arg: unknown): unknown {
  return WithFiles.safeParse(arg).data ?? arg ?? undefined
}

export function withText(result: unknown): unknown {
  return result instanceof Uint8Array ? { text: Buffer.from(result).toString() } : result
}

export function fileChecks(
  subject: Subject,
  perform: Perform,
  recorded: (fixture: OutboundFixture) => SandboxAnswer[],
): Check[] {
  const { writeCase, readFile } = subject.connector.can
  const messages = subject.outbound.filter(({ call }) => call === 'writeCase.message')
  const sent = async (fixture: OutboundFixture) => wireTexts((await perform(subject, fixture, recorded(fixture))).calls)
  const carried: Check = {
    name: 'call writeCase.message: files travel, with their names and contents',
    async run() {
      const shown = messages.flatMap((fixture) => {
        const given = Files.safeParse(fixture.args[1])
        return given.success ? [{ fixture, files: given.data.files }] : []
      })
      assert.ok(shown.length > 0, 'takesFiles is declared: show a message with "files" in fixtures/outbound')
      for (const { fixture, files } of shown) {
        const texts = (await sent(fixture)).join('\n')
        for (const { name, content } of files) {
          assert.ok(texts.includes(name), `outbound ${fixture.name}: the name "${name}" is not sent`)
          assert.ok(texts.includes(content.text), `outbound ${fixture.name}: the content of "${name}" is not sent`)
        }
      }
    },
  }
  const named: Check = {
    name: 'call writeCase.message: files that cannot travel are named, with their links',
    async run() {
      const shown = messages.flatMap((fixture) => {
        const given = Attachments.safeParse(fixture.args[1])
        return given.success ? [{ fixture, files: given.data.attachments }] : []
      })
      assert.ok(shown.length > 0, 'takesFiles is not declared: show a message with "attachments" in fixtures/outbound')
      for (const { fixture, files } of shown) {
        const texts = (await sent(fixture)).join('\n')
        for (const { name, url = '' } of files) {
          assert.ok(texts.includes(name) && texts.includes(url), `outbound ${fixture.name}: "${name}" is lost`)
        }
      }
    },
  }
  const capped: Check = {
    name: 'call readFile: what is larger than asked for is rejected, whatever the vendor says of its size',
    async run() {
      for (const fixture of subject.outbound.filter(({ call }) => call === 'readFile')) {
        const [file] = fixture.args
        const run = await perform(subject, fixture, recorded(fixture), [file, 1])
        assert.ok(run.error instanceof ConnectorError, `outbound ${fixture.name}: read beyond 1 byte`)
        assert.equal(run.error.code, 'rejected', `outbound ${fixture.name}`)
      }
    },
  }
  const messagesAreHttp = writeCase !== undefined && subject.sockets === undefined
  return [
    ...(messagesAreHttp ? [writeCase.takesFiles ? carried : named] : []),
    ...(readFile && subject.sockets === undefined ? [capped] : []),
  ]
}
