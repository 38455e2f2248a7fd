import { defineConnector } from '#hub/connector/contract.ts'
import { check } from './check.ts'
import { apiUrl, config } from './config.ts'
import { filesOf, readFile } from './files.ts'
import { authorizeUrl, complete, missing, refresh } from './install.ts'
import { isWanted, run } from './line.ts'
import manifest from './manifest.json' with { type: 'json' }
import { direct, whoIs } from './people.ts'
import { find, post, update } from './post.ts'
import { handshake, items, normalise, signedHandshake, verify } from './receive.ts'
import { reply } from './reply.ts'
import { show } from './show.ts'
import { create, findMessage, message, revise, updateCase } from './write.ts'

/** Slack takes larger ones; they are in memory while they leave. */
const takesFiles = { maxBytes: 25 * 1024 * 1024 } as const

export const slack = defineConnector({
  manifest: { ...manifest, limits: manifest.limits.map(({ each, ...limit }) => (each ? { ...limit, each } : limit)) },
  config,
  // Which host gets tokens; each workspace has its own.
  api: (settings) => ({ baseUrl: apiUrl(settings), headers: {} }),
  check,
  can: {
    receive: { takesForms: true, verify, handshake, signedHandshake, items, normalise, line: { isWanted, run } },
    install: { missing, authorizeUrl, complete, refresh },
    readFile,
    writeCase: {
      fields: [],
      create,
      update: updateCase,
      message,
      isConversation: true,
      takesFiles,
      revise: { takes: ['public'], run: revise },
      // The first two are always refused, so nothing of them can be lost.
      effects: { create: 'at_least_once', update: 'at_least_once', message: 'probed', revise: 'at_least_once' },
      find: findMessage,
    },
    chat: {
      settings: (settings) => settings,
      takesFiles,
      reply,
      show,
      whoIs,
      filesOf,
      direct,
      post,
      update,
      find,
      // Putting the same card in the same place again changes nothing.
      effects: { post: 'probed', update: 'keyed' },
    },
  },
})
