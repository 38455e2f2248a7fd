import { defineConnector } from '#hub/connector/contract.ts'
import { check } from './check.ts'
import { apiUrl, config } from './config.ts'
import manifest from './manifest.json' with { type: 'json' }
import { direct, whoIs } from './people.ts'
import { find, post, update } from './post.ts'
import { handshake, items, normalise, signedHandshake, verify } from './receive.ts'
import { reply } from './reply.ts'
import { show } from './show.ts'

export const slack = defineConnector({
  manifest,
  config,
  // Which host gets tokens; each workspace has its own.
  api: (settings) => ({ baseUrl: apiUrl(settings), headers: {} }),
  check,
  can: {
    receive: { takesForms: true, verify, handshake, signedHandshake, items, normalise },
    chat: {
      settings: (settings) => settings,
      reply,
      show,
      whoIs,
      direct,
      post,
      update,
      find,
      // Putting the same card in the same place again changes nothing.
      effects: { post: 'probed', update: 'keyed' },
    },
  },
})
