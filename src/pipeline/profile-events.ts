/** What a resolved person means as events. */
import { type DomainEvent, type EventType, eventId } from '#hub/cases/index.ts'
import type { ResolvedPerson } from '#hub/identity/index.ts'
import type { Cause } from '#hub/platform/db/schema.ts'

interface News {
  readonly connectionId: string
  readonly at: string
  readonly cause: Cause
}

export function profileEvents(person: ResolvedPerson, news: News): readonly DomainEvent[] {
  const events = person.created ? [event('profile.created', {})] : []
  if (!person.created && person.changed.length > 0) events.push(event('profile.updated', { changed: person.changed }))
  for (const merge of person.merged) events.push(event('profile.merged', { ...merge }))
  return events

  function event(type: EventType, data: Readonly<Record<string, unknown>>): DomainEvent {
    return {
      id: eventId(person.profileId, type, news.at, JSON.stringify(data), String(news.cause.inboxSeq ?? '')),
      type,
      profileId: person.profileId,
      connectionId: news.connectionId,
      actor: { kind: 'connection', connectionId: news.connectionId, record: person.profileId },
      data,
      cause: news.cause,
      occurredAt: new Date(news.at),
    }
  }
}
