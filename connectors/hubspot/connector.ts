import { defineConnector } from '#hub/connector/contract.ts'
import { listAgents } from './account.ts'
import { since } from './changes.ts'
import { check } from './check.ts'
import { config } from './config.ts'
import { takesFiles } from './files.ts'
import manifest from './manifest.json' with { type: 'json' }
import { customNames } from './mapping.ts'
import { message } from './message.ts'
import { upsert } from './person.ts'
import { ratingChanges, recordPersonRating, recordRating } from './rating.ts'
import { getCases, getPeople } from './read.ts'
import { items, normalise, verify } from './receive.ts'
import { revise } from './revise.ts'
import { create, find, update } from './write.ts'

export const hubspot = defineConnector({
  manifest,
  config,
  check,
  can: {
    receive: { verify, items, normalise },
    changes: { since },
    readCases: { get: getCases },
    readPeople: { get: getPeople },
    readAgents: { list: listAgents },
    writeCase: {
      fields: ['status', 'priority', 'subject', 'tags', 'assignee', 'custom'],
      // A property that the account does not have would take the whole change with it.
      takesCustom: (config, name) => customNames(config).includes(name),
      create,
      update,
      message,
      takesFiles,
      revise: { takes: ['internal'], run: revise },
      // Where `find` cannot tell (a public reply, no key_property) it says so, and the hub marks the repetition.
      // Revising sets a text or deletes: repeating it changes nothing more.
      effects: { create: 'probed', update: 'probed', message: 'probed', revise: 'at_least_once' },
      find,
    },
    writePerson: { upsert, effects: { upsert: 'keyed' } },
    // Keyed by its own look: the note's last line tells whether this key was written.
    writeRating: { record: recordRating, changes: ratingChanges, effects: { record: 'keyed' } },
    // Setting the same score again is the same.
    writePersonRating: { record: recordPersonRating, effects: { record: 'keyed' } },
  },
})
