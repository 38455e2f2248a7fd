/** The Teams app as an administrator uploads it: manifest, icons and translations in one archive. */

import { createHash } from 'node:crypto'
import { publicBase } from '#hub/connector/public-base.ts'
import { appDescription, homeTab, type Language, teamsFunctions, type Wording } from './app-functions.ts'
import { colourIcon, outlineIcon } from './app-icons.ts'
import { zip } from './zip.ts'

export interface TeamsAppOptions {
  /** Where Teams and browsers reach the hub: https, without a path. */
  readonly baseUrl: string
  /** Of the app as people see it: up to 30 characters. */
  readonly name: string
  /** The "Microsoft App ID" of the Azure Bot. */
  readonly botId: string
}

/** Raised with each change of what the manifest asks for: Teams offers an update only for a higher one. */
const version = '1.2.0'
const accent = '#1d3557'
const schema = 'https://developer.microsoft.com/en-us/json-schemas/teams/v1.29/MicrosoftTeams.schema.json'
const others = ['es'] as const satisfies readonly Language[]

/** @throws Error naming what is wrong with an option. */
export function teamsAppPackage(options: TeamsAppOptions): Buffer {
  const json = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`
  return zip({
    'manifest.json': json(teamsManifest(options)),
    'color.png': colourIcon(accent),
    'outline.png': outlineIcon(),
    ...Object.fromEntries(others.map((language) => [`${language}.json`, json(teamsTranslation(options, language))])),
  })
}

const needs = (what: string) => teamsFunctions.some((one) => one.needs === what)
const extension = teamsFunctions.flatMap((one) => one.extension ?? [])
const scopes = [...new Set(teamsFunctions.flatMap((one) => one.scopes ?? []))]
const permissions = [...new Set(teamsFunctions.flatMap((one) => one.permissions ?? []))]

/** Each scope has a list of its own, with the commands of the functions that work there. */
const commandLists = scopes.map((scope) => ({
  scopes: [scope],
  commands: teamsFunctions.filter((one) => one.scopes?.includes(scope)).flatMap((one) => one.commands ?? []),
}))

export function teamsManifest(options: TeamsAppOptions) {
  const base = publicBase(options.baseUrl)
  const name = checkedName(options.name)
  const botId = checkedId(options.botId)
  return {
    $schema: schema,
    manifestVersion: '1.29',
    version,
    id: appIdOf(base.host),
    // A company's own app: the three pages are the hub's own start page.
    developer: { name, websiteUrl: base.href, privacyUrl: base.href, termsOfUseUrl: base.href },
    localizationInfo: {
      defaultLanguageTag: 'en',
      additionalLanguages: others.map((language) => ({ languageTag: language, file: `${language}.json` })),
    },
    name: { short: name, full: fullName(name) },
    description: { short: appDescription.short.en, full: appDescription.full.en },
    icons: { color: 'color.png', outline: 'outline.png' },
    accentColor: accent,
    staticTabs: [
      {
        entityId: 'home',
        name: homeTab.en,
        contentUrl: `${base.origin}/home/teams`,
        websiteUrl: base.href,
        scopes: ['personal'],
      },
      { entityId: 'conversations', scopes: ['personal'] },
      { entityId: 'about', scopes: ['personal'] },
    ],
    bots: [
      {
        botId,
        scopes,
        isNotificationOnly: false,
        supportsFiles: needs('files'),
        commandLists: commandLists.map((list) => ({
          scopes: list.scopes,
          commands: list.commands.map(({ word, description }) => ({ title: word, description: description.en })),
        })),
      },
    ],
    composeExtensions: [
      {
        botId,
        commands: extension.map(({ id, type, context, title, description, parameter }) => ({
          id,
          type,
          context,
          title: title.en,
          description: description.en,
          ...(type === 'action' ? { fetchTask: true } : { initialRun: true }),
          ...(parameter
            ? {
                parameters: [
                  { name: parameter.name, title: parameter.title.en, description: parameter.description.en },
                ],
              }
            : {}),
        })),
        ...(needs('links') ? { messageHandlers: [{ type: 'link', value: { domains: [base.hostname] } }] } : {}),
      },
    ],
    // Says that shared and private channels are understood; since 1.25 no app for teams is taken without it, nor with the
    // older `supportedChannelTypes`, though the schema allows both.
    supportsChannelFeatures: 'tier1',
    permissions: ['identity', 'messageTeamMembers'],
    validDomains: [base.hostname],
    // Permissions of a team or a chat are granted to this id; the address says nothing there, but must not be missing.
    webApplicationInfo: { id: botId, resource: `api://${base.hostname}/${botId}` },
    authorization: {
      permissions: { resourceSpecific: permissions.map((permission) => ({ name: permission, type: 'Application' })) },
    },
  }
}

/** The manifest's texts in another language, by their paths in it. */
export function teamsTranslation({ name }: TeamsAppOptions, language: Language) {
  const say = (wording: Wording) => wording[language]
  const bot = commandLists.flatMap(({ commands }, list) =>
    commands.map(({ description }, position) => [
      `bots[0].commandLists[${list}].commands[${position}].description`,
      say(description),
    ]),
  )
  const search = extension.flatMap(({ title, description, parameter }, position) => {
    const path = `composeExtensions[0].commands[${position}]`
    return [
      [`${path}.title`, say(title)],
      [`${path}.description`, say(description)],
      ...(parameter
        ? [
            [`${path}.parameters[0].title`, say(parameter.title)],
            [`${path}.parameters[0].description`, say(parameter.description)],
          ]
        : []),
    ]
  })
  return {
    $schema: schema.replace('MicrosoftTeams.schema', 'MicrosoftTeams.Localization.schema'),
    'name.short': checkedName(name),
    'name.full': fullName(checkedName(name)),
    'description.short': say(appDescription.short),
    'description.full': say(appDescription.full),
    'staticTabs[0].name': say(homeTab),
    ...Object.fromEntries([...bot, ...search]),
  }
}

/** What each permission is asked for, for those who approve it. Markdown. */
export function teamsPermissionsExplained(): string {
  const rows = teamsFunctions.flatMap(({ does, permissions = [], scopes: places = [] }) => [
    ...permissions.map((permission) => `| \`${permission}\` | ${does} |`),
    ...places.map((place) => `| installed in: ${place} | ${does} |`),
  ])
  return ['| permission | the app uses it to |', '|---|---|', ...rows, ''].join('\n')
}

const fullName = (name: string) => `${name}: all help desks in Teams`

/** Made from the host: the package of the same hub is an update of the same app. */
function appIdOf(host: string): string {
  const bytes = createHash('sha256').update(`deskweave teams app ${host}`).digest().subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

function checkedName(name: string): string {
  const trimmed = name.trim()
  if (trimmed.length >= 1 && trimmed.length <= 30 && !/\p{Cc}/u.test(trimmed)) return trimmed
  throw new Error(`name "${name}": expected 1 to 30 characters on one line, as Teams shows it`)
}

function checkedId(botId: string): string {
  if (/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(botId)) return botId.toLowerCase()
  throw new Error(
    `bot id "${botId}": expected the Microsoft App ID of the Azure Bot, eight-four-four-four-twelve hex digits`,
  )
}
