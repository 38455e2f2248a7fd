import { type Context, defineConnector } from '#hub/connector/contract.ts'
import { since } from './changes.ts'
import { check } from './check.ts'
import { config, type MailConfig } from './config.ts'
import manifest from './manifest.json' with { type: 'json' }
import { readFile } from './read-file.ts'
import { takesFiles } from './send.ts'
import { run } from './watch.ts'
import { create, find, message, update } from './write.ts'

export const mail = defineConnector({
  manifest,
  config,
  check,
  hostsOf: ({ imap, smtp }: MailConfig) => [`${imap.host}:${imap.port}`, `${smtp.host}:${smtp.port}`],
  can: {
    changes: { since },
    readFile: (ctx: Context<MailConfig>, file, maxBytes) => readFile(ctx, file, maxBytes),
    watch: { run: (ctx, onNews) => run(ctx, onNews) },
    writeCase: {
      fields: [],
      needsThread: true,
      isConversation: true,
      takesFiles,
      create,
      update,
      message,
      effects: { create: 'probed', update: 'probed', message: 'probed' },
      find,
    },
  },
})
