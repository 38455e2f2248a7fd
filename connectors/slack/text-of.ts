/** Slack's mrkdwn as people wrote it → plain text: mentions stay readable, links are addresses. Pure. */

/** https://docs.slack.dev/messaging/formatting-message-text#mentioning-users */
export function textOf(mrkdwn: string): string {
  return decode(mrkdwn.replace(/<([^<>]*)>/g, (_whole, inside: string) => spoken(inside))).trim()
}

function spoken(inside: string): string {
  const bar = inside.indexOf('|')
  const target = bar < 0 ? inside : inside.slice(0, bar)
  const label = bar < 0 ? '' : inside.slice(bar + 1)
  switch (target.charAt(0)) {
    case '@':
      return `@${label || target.slice(1)}`
    case '#':
      return `#${label || target.slice(1)}`
    case '!':
      return special(target.slice(1), label)
    default:
      return linked(target, label)
  }
}

/** `<!here>`, `<!subteam^S1|@team>`, `<!date^…|fallback>`. */
function special(target: string, label: string): string {
  if (target.startsWith('date^')) return label || target
  return label ? `@${label.replace(/^@/, '')}` : `@${target.split('^').at(-1)}`
}

function linked(target: string, label: string): string {
  const address = target.replace(/^mailto:|^tel:/, '')
  return label === '' || address.includes(label) || label.includes(address) ? address : `${label} (${address})`
}

const entities: Readonly<Record<string, string>> = { '&lt;': '<', '&gt;': '>', '&amp;': '&' }

function decode(text: string): string {
  return text.replace(/&(?:lt|gt|amp);/g, (entity) => entities[entity] ?? entity)
}

/** Without the mention of the app that makes it a question to the app. */
export function withoutMention(mrkdwn: string, user: string | undefined): string {
  return user === undefined || !/^[A-Z0-9]+$/.test(user)
    ? mrkdwn
    : mrkdwn.replaceAll(new RegExp(`<@${user}(?:\\|[^<>]*)?>:?`, 'g'), ' ')
}
