/** The Slack app's manifest, put together from what the app does: no scope, event or shortcut without a function that needs it. */
import { publicBase } from '#hub/connector/public-base.ts'

export interface SlackFunction {
  /** As an administrator reads it who has to approve the scopes. */
  readonly does: string
  readonly scopes: readonly string[]
  readonly events?: readonly string[]
  readonly shortcuts?: readonly SlackShortcut[]
  readonly commands?: readonly SlackCommand[]
}

interface SlackShortcut {
  readonly name: string
  readonly type: 'message' | 'global'
  readonly callback_id: string
  readonly description: string
}

interface SlackCommand {
  readonly command: string
  readonly description: string
  readonly usage_hint: string
}

/** Every request of Slack comes to one path, an administrator who installed the app comes back to the other. */
export const slackPaths = { requests: '/slack/events', redirect: '/oauth/slack/callback' } as const

export const slackFunctions: readonly SlackFunction[] = [
  { does: 'post case cards, keep them up to date, and answer in threads', scopes: ['chat:write'] },
  { does: 'show what an agent or a customer wrote under their name', scopes: ['chat:write.customize'] },
  {
    does: 'take a case from a message, reply in public and search, by shortcut or by command',
    scopes: ['commands'],
    shortcuts: [
      {
        name: 'Create a case',
        type: 'message',
        callback_id: 'create_case',
        description: 'Make a case of this message, with its files',
      },
      {
        name: 'Send as public reply',
        type: 'message',
        callback_id: 'public_reply',
        description: 'Show this message to the customer, after a preview',
      },
      { name: 'Find a case', type: 'global', callback_id: 'find_case', description: 'Search cases in all tools' },
    ],
    commands: [
      {
        command: '/deskweave',
        description: 'Find a case or a customer, or ask what the app can do',
        usage_hint: '[case, e-mail or words | help]',
      },
    ],
  },
  {
    does: 'recognise agents and customers by their e-mail address, and keep guests and bots out',
    scopes: ['users:read', 'users:read.email'],
    events: ['team_join', 'user_change'],
  },
  {
    does: "keep what is written in a case's thread, or in a customer's channel, with the case",
    scopes: ['channels:history', 'groups:history'],
    events: ['message.channels', 'message.groups'],
  },
  {
    does: 'offer channels to choose from, and notice when the app is invited to one, or one is archived, renamed, shared or lost',
    scopes: ['channels:read', 'groups:read'],
    events: [
      'channel_archive',
      'channel_left',
      'channel_rename',
      'channel_shared',
      'channel_unarchive',
      'channel_unshared',
      'group_archive',
      'group_left',
      'group_rename',
      'group_unarchive',
      'member_joined_channel',
    ],
  },
  {
    does: 'notify an agent in private, and ask customers in shared workspaces how it went',
    scopes: ['im:write', 'im:history'],
    events: ['message.im'],
  },
  { does: 'answer when somebody mentions the app', scopes: ['app_mentions:read'], events: ['app_mention'] },
  { does: 'carry files between a thread and the desk', scopes: ['files:read', 'files:write'] },
  {
    does: 'show the case behind a link to it',
    scopes: ['links:read', 'links:write'],
    events: ['link_shared'],
  },
  { does: 'act on the emoji that you chose for an action', scopes: ['reactions:read'], events: ['reaction_added'] },
  { does: "show an agent's own queue in the home tab", scopes: [], events: ['app_home_opened'] },
  {
    does: 'name the connected workspace, and notice when it takes the app away',
    scopes: ['team:read'],
    events: ['app_uninstalled', 'tokens_revoked'],
  },
]

export interface SlackManifestOptions {
  /** Where Slack and browsers reach the hub: https, without a path. */
  readonly baseUrl: string
  /** Of the app as people see it: up to 35 characters. */
  readonly name: string
  /** Slack is asked over a line that the hub opens, for a hub that Slack cannot reach. */
  readonly isSocketMode?: boolean
}

/** @throws Error naming what is wrong with an option. */
export function slackManifest({ baseUrl, name, isSocketMode = false }: SlackManifestOptions) {
  const base = publicBase(baseUrl)
  const displayName = checkedName(name)
  const requestUrl = `${base.origin}${slackPaths.requests}`
  const reached = isSocketMode ? {} : { request_url: requestUrl }
  const unique = (list: readonly string[]) => [...new Set(list)].sort()
  const commands = slackFunctions.flatMap(({ commands = [] }) => commands)
  return {
    _metadata: { major_version: 2, minor_version: 1 },
    display_information: {
      name: displayName,
      description: 'See and work on the cases of all your help desks without leaving Slack',
      long_description: [
        'Cases of every help desk, mailbox and CRM that your company has connected appear as cards in the channels you choose.',
        'A thread is the conversation of its case: what you write there is an internal note, and only a reply that you preview and confirm reaches the customer.',
        'Assign, prioritise, snooze, merge, escalate and resolve; find similar cases; see the whole customer. Your help desk stays the system of record.',
      ].join('\n\n'),
      background_color: '#1d3557',
    },
    features: {
      app_home: { home_tab_enabled: true, messages_tab_enabled: true, messages_tab_read_only_enabled: false },
      bot_user: { display_name: displayName, always_online: true },
      shortcuts: slackFunctions.flatMap(({ shortcuts = [] }) => shortcuts),
      slash_commands: commands.map((command) => ({
        ...command,
        ...(isSocketMode ? {} : { url: requestUrl }),
        should_escape: false,
      })),
      unfurl_domains: [base.hostname],
    },
    oauth_config: {
      redirect_urls: [`${base.origin}${slackPaths.redirect}`],
      scopes: { bot: unique(slackFunctions.flatMap(({ scopes }) => scopes)) },
    },
    settings: {
      event_subscriptions: { ...reached, bot_events: unique(slackFunctions.flatMap(({ events = [] }) => events)) },
      interactivity: {
        is_enabled: true,
        ...(isSocketMode ? {} : { request_url: requestUrl, message_menu_options_url: requestUrl }),
      },
      org_deploy_enabled: true,
      socket_mode_enabled: isSocketMode,
      // A token that is copied into the settings has no refresh token and would die after twelve hours, and rotation cannot be
      // switched off again. Whoever installs by a link alone may switch it on in the app.
      token_rotation_enabled: false,
    },
  }
}

/** What each scope is asked for, for those who approve it. Markdown. */
export function scopesExplained(): string {
  const rows = slackFunctions.flatMap(({ does, scopes, events = [] }) =>
    scopes.map((scope) => `| \`${scope}\` | ${does} | ${events.map((event) => `\`${event}\``).join(', ')} |`),
  )
  return ['| scope | the app uses it to | events it brings |', '|---|---|---|', ...rows, ''].join('\n')
}

function checkedName(name: string): string {
  const trimmed = name.trim()
  if (trimmed.length >= 1 && trimmed.length <= 35 && !/\p{Cc}/u.test(trimmed)) return trimmed
  throw new Error(`name "${name}": expected 1 to 35 characters on one line, as Slack shows it`)
}
