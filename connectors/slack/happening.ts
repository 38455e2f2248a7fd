/** An interaction as the hub speaks of it. Pure. */
import type { ChatHappening, ChatPlace, ChatWhat } from '#hub/connector/chat.ts'
import type { SlackConfig } from './config.ts'
import type { Handle } from './handle.ts'
import { packHandle } from './handle.ts'
import { spokenIn } from './phrases.ts'
import { textOf } from './text-of.ts'
import { seenFiles } from './told-files.ts'
import type { Interaction, SharedMessage } from './wire.ts'

type Done = Exclude<Interaction, { kind: 'nothing' }>

const shortcuts = new Set(['create_case', 'public_reply', 'find_case'] as const)
type Shortcut = typeof shortcuts extends Set<infer Name> ? Name : never

/** The workspace, or for the app of a whole organisation the organisation, whose token answers. */
export function installOf({ install }: Done): string | undefined {
  return install.teamId ?? install.enterpriseId
}

/** @returns undefined for what is of no interest. */
export function happeningOf(done: Done, config: SlackConfig): ChatHappening | undefined {
  const what = whatOf(done, config)
  if (!what) return undefined
  const handle = handleOf(done)
  const isAwaited = done.kind === 'submit' || done.kind === 'options'
  return {
    user: done.user.id,
    place: placeOf(done),
    ...(Object.keys(handle).length > 0 ? { handle: packHandle(handle) } : {}),
    ...(isAwaited ? { awaits: true } : {}),
    what,
  }
}

function whatOf(done: Done, config: SlackConfig): ChatWhat | undefined {
  switch (done.kind) {
    case 'act':
      return { kind: 'press', act: done.act }
    case 'submit':
      return { kind: 'submit', act: done.act }
    // The select's options are those of the card as it is now.
    case 'options':
      return { kind: 'press', act: done.act, isRefresh: true }
    case 'command':
      return { kind: 'asked', text: textOf(done.text) }
    case 'shortcut':
      return isShortcut(done.name) ? { kind: 'shortcut', name: done.name } : undefined
    case 'message_shortcut': {
      if (!isShortcut(done.name)) return undefined
      const { attachment } = spokenIn(config, done.place.channel)
      return { kind: 'shortcut', name: done.name, message: messageOf(done.message, attachment) }
    }
    case 'cancel':
      return undefined
  }
}

function isShortcut(name: string): name is Shortcut {
  return shortcuts.has(name as Shortcut)
}

function messageOf({ ts, text, userId, files }: SharedMessage, word: string) {
  // Slack waits for the dialog: nobody is asked first what a file is called.
  const heldBack = files.filter(({ isHeldBack, name, url }) => isHeldBack && name === undefined && url === undefined)
  const seen = seenFiles(
    heldBack.map(({ id }) => id),
    word,
  )
  return {
    id: ts,
    text: textOf(text),
    files: files.flatMap(({ id, name, mediaType, bytes, url }) =>
      // A file that was deleted has nothing but its id.
      name === undefined && url === undefined
        ? seen.filter((one) => one.id === id)
        : [
            {
              id,
              name: name ?? id,
              ...(mediaType === undefined ? {} : { contentType: mediaType }),
              ...(bytes === undefined || !Number.isSafeInteger(bytes) || bytes < 0 ? {} : { sizeBytes: bytes }),
              ...(url === undefined ? {} : { url }),
            },
          ],
    ),
    ...(userId === undefined ? {} : { authorId: userId }),
  }
}

/** Where there is no channel, it is between the person and the app: Slack takes the person's id for that. */
function placeOf(done: Done): ChatPlace {
  const reference = installOf(done)
  const own = 'place' in done ? done.place : undefined
  return {
    channel: own?.channel ?? done.user.id,
    ...(own?.threadTs && own.threadTs !== own.messageTs ? { thread: own.threadTs } : {}),
    ...(own?.messageTs ? { message: own.messageTs } : {}),
    ...(reference === undefined ? {} : { reference }),
  }
}

function handleOf(done: Done): Handle {
  const view = 'view' in done && !done.view?.isHome ? done.view : undefined
  return {
    ...(done.triggerId ? { trigger: done.triggerId } : {}),
    ...(done.responseUrl ? { response: done.responseUrl } : {}),
    ...(view ? { view: { id: view.id, ...(view.hash ? { hash: view.hash } : {}) } } : {}),
    ...('place' in done && done.place?.isEphemeral && !view ? { isEphemeral: true } : {}),
  }
}
