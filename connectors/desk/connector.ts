/** Any help desk that can call a signed URL and, if it wants to be told things, take signed calls. */
import { randomUUID } from 'node:crypto'
import { defineConnector } from '#hub/connector/contract.ts'
import { tell } from './answers.ts'
import { config } from './config.ts'
import { fileHosts, readFile } from './files.ts'
import manifest from './manifest.json' with { type: 'json' }
import { fromChange, fromDraft, fromMessage, fromNotice, fromPerson, fromRating } from './mapping.ts'
import { items, normalise, verify } from './receive.ts'

export const desk = defineConnector({
  manifest,
  config,
  hostsOf: fileHosts,
  async check(ctx) {
    const { answers_url } = ctx.config
    if (answers_url === undefined) return { account: 'receives only' }
    await tell(ctx, `ping_${randomUUID()}`, { type: 'ping' })
    return { account: new URL(answers_url).host }
  },
  can: {
    receive: { verify, items, normalise },
    readFile,
    writeCase: {
      fields: ['status', 'priority', 'subject', 'tags', 'assignee', 'team', 'custom'],
      effects: { create: 'keyed', update: 'keyed', message: 'keyed', revise: 'keyed' },
      create: (ctx, draft, key) => tell(ctx, key, { type: 'case.create', case: fromDraft(draft) }),
      update: (ctx, id, change, key) =>
        tell(ctx, key, { type: 'case.update', case_id: id, change: fromChange(change) }),
      message: (ctx, id, message, key) =>
        tell(ctx, key, { type: 'case.message', case_id: id, message: fromMessage(message) }),
      revise: {
        takes: ['public', 'internal'],
        run: (ctx, caseId, id, text, key) =>
          text === undefined
            ? tell(ctx, key, { type: 'message.deleted', case_id: caseId, message: { id } })
            : tell(ctx, key, { type: 'message.updated', case_id: caseId, message: { id, text } }),
      },
    },
    writePerson: {
      effects: { upsert: 'keyed' },
      upsert: (ctx, person, key) => tell(ctx, key, { type: 'person.upsert', person: fromPerson(person) }),
    },
    writeRating: {
      effects: { record: 'keyed' },
      record: (ctx, caseId, rating, key) =>
        tell(ctx, key, { type: 'rating.record', case_id: caseId, rating: fromRating(rating) }),
    },
    notify: {
      effects: { send: 'keyed' },
      send: (ctx, notice, key) => tell(ctx, key, { type: 'notify', notice: fromNotice(notice) }),
    },
  },
})
