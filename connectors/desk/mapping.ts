/** The event format, to and from the words of the hub. Pure. */
import type { CaseChange, CaseDraft, Notice, OutAuthor, OutMessage } from '#hub/connector/contract.ts'
import type {
  Attachment,
  CaseFacts,
  CompanyFacts,
  MessageFacts,
  Observation,
  PersonFacts,
  RatingFacts,
} from '#hub/connector/facts.ts'
import type { WireCase, WireEvent, WireMessage, WirePerson } from './wire.ts'

export function toObservation(event: WireEvent): Observation {
  const head = { occurredAt: event.occurred_at, byHub: event.by_hub }
  switch (event.type) {
    case 'case':
      return { ...head, type: 'case', case: toCase(event.case) }
    case 'person':
      return { ...head, type: 'person', person: toPerson(event.person) }
    case 'message':
      return {
        ...head,
        type: 'message',
        caseId: event.message.case_id,
        message: toMessage(event.message, event.occurred_at),
      }
    case 'rating': {
      const { case_id: caseId, ...rating } = event.rating
      return { ...head, type: 'rating', caseId, rating }
    }
  }
}

function toCase({ requester, created_at, updated_at, ...same }: WireCase): CaseFacts {
  return {
    ...same,
    ...(requester ? { requester: toPerson(requester) } : {}),
    ...(created_at === undefined ? {} : { createdAt: created_at }),
    ...(updated_at === undefined ? {} : { updatedAt: updated_at }),
  }
}

function toPerson({ updated_at, ...same }: WirePerson): PersonFacts {
  return { ...same, ...(updated_at === undefined ? {} : { updatedAt: updated_at }) }
}

function toMessage(message: WireMessage, occurredAt: string): MessageFacts {
  const { case_id: _, sent_at, attachments, ...same } = message
  return {
    ...same,
    sentAt: sent_at ?? occurredAt,
    ...(attachments ? { attachments: attachments.map(toAttachment) } : {}),
  }
}

function toAttachment({
  content_type,
  size_bytes,
  ...same
}: NonNullable<WireMessage['attachments']>[number]): Attachment {
  return {
    ...same,
    ...(content_type === undefined ? {} : { contentType: content_type }),
    ...(size_bytes === undefined ? {} : { sizeBytes: size_bytes }),
  }
}

// What the hub asks of the desk. An absent field stays out of the JSON.

export function fromDraft({ requester, ...same }: CaseDraft): object {
  return { ...same, requester: fromPerson(requester) }
}

export function fromChange(change: CaseChange): object {
  const { addTags, removeTags, assigneeEmail, ifVersion, ...same } = change
  return { ...same, add_tags: addTags, remove_tags: removeTags, assignee_email: assigneeEmail, if_version: ifVersion }
}

export function fromMessage({ attachments, author, ...same }: OutMessage): object {
  return { ...same, author: author && fromAuthor(author), attachments: attachments?.map(fromAttachment) }
}

function fromAuthor({ name, email, accountId }: OutAuthor): object {
  return { name, email, id: accountId }
}

function fromAttachment({ name, url, contentType, sizeBytes }: Attachment): object {
  return { name, url, content_type: contentType, size_bytes: sizeBytes }
}

export function fromPerson({ updatedAt, company, ...same }: PersonFacts): object {
  return { ...same, company: company && fromCompany(company), updated_at: updatedAt }
}

function fromCompany({ id, name, domain, traits }: CompanyFacts): object {
  return { id, name, domain, traits }
}

export function fromRating({ scale, score, comment }: RatingFacts): object {
  return { scale, score, comment }
}

export function fromNotice({ to, text, url }: Notice): object {
  return { to, text, url }
}
