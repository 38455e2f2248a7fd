import { defineConnector } from '#hub/connector/contract.ts'
import { since } from './changes.ts'
import { config } from './config.ts'
import manifest from './manifest.json' with { type: 'json' }
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
    writeCase: {
      fields: ['status', 'priority', 'subject', 'tags', 'assignee', 'team', 'custom'],
      create,
      update,
      message,
      effects: { create: 'probed', update: 'probed', message: 'probed' },
      find,
    },
    writePerson: { upsert, effects: { upsert: 'keyed' } },
    // Keyed by its own look: the rating's tag and the audit tell whether this key was written.
    writeRating: { record: recordRating, changes: ratingChanges, effects: { record: 'keyed' } },
  },
})
