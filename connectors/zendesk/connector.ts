import { defineConnector } from '#hub/connector/contract.ts'
import { list } from './agents.ts'
import { since } from './changes.ts'
import { config } from './config.ts'
import { readFile, takesFiles } from './files.ts'
import manifest from './manifest.json' with { type: 'json' }
import { toTag } from './mapping.ts'
import { merge } from './merge.ts'
import { upsert } from './person.ts'
import { check, getCases, getPeople } from './read.ts'
import { items, normalise, verify } from './receive.ts'
import { create, find, message, ratingChanges, recordRating, update } from './write.ts'

export const zendesk = defineConnector({
  manifest,
  config,
  check,
  can: {
    receive: { verify, items, normalise },
    changes: { since },
    readCases: { get: getCases },
    readPeople: { get: getPeople },
    readAgents: { list },
    readFile,
    writeCase: {
      fields: ['status', 'priority', 'subject', 'tags', 'assignee', 'team', 'custom'],
      // They go by their ids.
      takesCustom: (_config, name) => /^\d+$/.test(name),
      normaliseTag: toTag,
      create,
      update,
      message,
      takesFiles,
      merge,
      effects: { create: 'probed', update: 'probed', message: 'probed', merge: 'probed' },
      find,
    },
    writePerson: { upsert, effects: { upsert: 'keyed' } },
    // Keyed by its own look: the rating's tag and the audit tell whether this key was written.
    writeRating: { record: recordRating, changes: ratingChanges, effects: { record: 'keyed' } },
  },
})
