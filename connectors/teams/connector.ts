import { defineConnector } from '#hub/connector/contract.ts'
import { post, show, update as updateCard } from './chat.ts'
import { config, endpointsOf, isEmulator, type TeamsConfig } from './config.ts'
import { direct, whoIs } from './conversations.ts'
import { filesOf, readFile } from './files.ts'
import manifest from './manifest.json' with { type: 'json' }
import { page } from './page.ts'
import { items, normalise, verify } from './receive.ts'
import { readReference } from './reference.ts'
import { reply } from './reply.ts'
import { takesFiles } from './share-files.ts'
import { tokenOf } from './token.ts'
import { create, message, revise, update } from './write.ts'

export const teams = defineConnector({
  manifest: { ...manifest, limits: manifest.limits.map(({ each, ...limit }) => (each ? { ...limit, each } : limit)) },
  config,
  // Calls go to the address that Teams names with each conversation; this one says whose credentials the bot's token are.
  api: (given: TeamsConfig) => ({ baseUrl: endpointsOf(given).service, headers: {} }),
  async check(ctx) {
    // Microsoft's playground knows no credentials and gives no token.
    if (!isEmulator(endpointsOf(ctx.config).service, ctx.config)) await tokenOf(ctx, 'bot')
    return { account: `Azure Bot ${ctx.config.app_id}` }
  },
  can: {
    receive: { verify, items, normalise },
    chat: {
      settings: ({ channels, language, reactions, surveys }: TeamsConfig) => ({
        channels,
        language,
        reactions,
        surveys,
      }),
      takesFiles,
      reply,
      show,
      whoIs,
      filesOf,
      direct,
      groupOf: (reference) => readReference(reference)?.team,
      post,
      update: updateCard,
      // Nothing that a bot wrote can be read back. An update repeated changes nothing more.
      effects: { post: 'at_least_once', update: 'keyed' },
      page,
    },
    writeCase: {
      fields: [],
      isConversation: true,
      takesFiles,
      create,
      update,
      message,
      revise: { takes: ['public'], run: revise },
      effects: { create: 'at_least_once', update: 'at_least_once', message: 'at_least_once', revise: 'keyed' },
    },
    readFile,
  },
})
