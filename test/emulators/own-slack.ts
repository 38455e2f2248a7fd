/** Our own stand-in on the same stage. */
import { startSandbox } from '../../connectors/slack/sandbox.ts'
import type { SlackMessage } from '../../connectors/slack/sandbox-world.ts'
import type { SlackStage } from './slack-stage.ts'

export async function startOwnSlack(): Promise<SlackStage> {
  const sandbox = await startSandbox()
  const { leo } = sandbox.users
  const { cases } = sandbox.channels
  const known = (ts: string): SlackMessage => {
    const found = sandbox.world.message(cases.id, ts)
    if (!found) throw new Error(`no message ${ts}`)
    return found
  }
  let hook = { url: '', secret: '' }
  return {
    url: sandbox.url,
    hosts: [sandbox.url],
    config: sandbox.config,
    channel: cases.id,
    connect(to) {
      hook = to
      sandbox.connect(to)
    },
    messages: async () => cases.messages.filter(({ isDeleted, onlyFor }) => !isDeleted && onlyFor === undefined),
    async answer({ ts }, text, isRepeated = false) {
      await sandbox.say(leo, { channel: cases, thread: known(ts) }, text, {}, { duplicate: isRepeated })
    },
    press: (message, act, chosen) => sandbox.press(leo, known(message.ts), act, chosen),
    async forge(message, act) {
      sandbox.connect({ ...hook, secret: `${hook.secret}f` })
      const answered = sandbox.press(leo, known(message.ts), act)
      sandbox.connect(hook)
      return await answered
    },
    dialog() {
      const title: unknown = sandbox.world.dialogOf(leo.id)?.view['title']
      return typeof title === 'object' && title !== null ? String(Reflect.get(title, 'text')) : undefined
    },
    submit: (fields) => sandbox.submit(leo, fields),
    command: (text) => sandbox.command(leo, cases, text),
    shown: () => cases.messages.filter(({ onlyFor }) => onlyFor === leo.id).map((one) => JSON.stringify(one)),
    close: () => sandbox.close(),
  }
}
