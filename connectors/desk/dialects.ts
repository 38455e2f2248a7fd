/** Two ways the Legacy desk can tell its news: the hub's event format, and an odd one of its own with its JSONata mapping. */
import type { DeskCase, DeskNews } from './legacy-desk.ts'

export type Dialect = 'event_format' | 'odd'

export function writeNews(news: DeskNews, dialect: Dialect): unknown {
  return dialect === 'odd' ? odd(news) : inEventFormat(news)
}

function inEventFormat({ at, ...news }: DeskNews): object {
  const head = { type: news.type, occurred_at: at, by_hub: news.by_hub }
  switch (news.type) {
    case 'case':
      return { ...head, case: caseFields(news.case) }
    case 'message':
      return { ...head, message: news.message }
    case 'person':
      return { ...head, person: news.person }
    case 'rating':
      return { ...head, rating: { case_id: news.case_id, ...news.rating } }
  }
}

function caseFields({ messages: _, rating: __, ...fields }: DeskCase): object {
  return { ...fields, channel: 'web' }
}

const states = { new: 0, open: 10, pending: 20, on_hold: 25, solved: 80, closed: 99 } as const
const levels = { low: 4, normal: 3, high: 2, urgent: 1 } as const

function odd({ at, ...news }: DeskNews): object {
  const head = { EVT: news.type.toUpperCase(), TS: Date.parse(at), SRC: news.by_hub ? 'API' : 'UI' }
  if (news.type === 'rating')
    return { ...head, CASE_NO: news.case_id, STARS: news.rating.score, WORDS: news.rating.comment }
  if (news.type === 'person') {
    return {
      ...head,
      USER: {
        NO: news.person.id,
        NM: news.person.name,
        MAIL: news.person.emails.join(';'),
        TEL: news.person.phones.join(';'),
      },
    }
  }
  if (news.type === 'message') {
    const { id, case_id, visibility, author, text } = news.message
    return {
      ...head,
      CASE_NO: case_id,
      MSG: { NO: id, PRIV: visibility === 'internal' ? 'Y' : 'N', BY: `${author.kind}/${author.id}`, TXT: text },
    }
  }
  const { id, subject, status, priority, tags, requester, assignee, team, updated_at } = news.case
  const owner = assignee ? { NM: assignee.name, MAIL: assignee.email } : null
  const user = {
    NO: requester.id,
    NM: requester.name,
    MAIL: requester.emails.join(';'),
    TEL: requester.phones.join(';'),
  }
  const record = {
    NO: id,
    TTL: subject,
    ST: states[status],
    LVL: levels[priority],
    TAGS: tags.join(' '),
    GRP: team,
    UPD: Date.parse(updated_at),
  }
  return { ...head, CASE: record, USER: user, OWNER: owner }
}

/** What an admin would enter as `mapping` for the odd dialect. */
export const oddMapping = `(
  $states := {"0": "new", "10": "open", "20": "pending", "25": "on_hold", "80": "solved", "99": "closed"};
  $levels := ["urgent", "high", "normal", "low"];
  $person := function($u) { {"id": $u.NO, "name": $u.NM, "emails": [$split($u.MAIL, ";")[$ != ""]],
    "phones": [$split($u.TEL, ";")[$ != ""]]} };
  $head := {"occurred_at": $fromMillis(TS), "by_hub": SRC = "API"};
  EVT = "CASE" ? $merge([$head, {"type": "case", "case": {
      "id": CASE.NO, "subject": CASE.TTL, "status": $lookup($states, $string(CASE.ST)), "priority": $levels[$$.CASE.LVL - 1],
      "tags": [$split(CASE.TAGS, " ")[$ != ""]], "team": CASE.GRP, "updated_at": $fromMillis(CASE.UPD),
      "requester": $person(USER), "assignee": OWNER ? {"name": OWNER.NM, "email": OWNER.MAIL} : null }}])
  : EVT = "PERSON" ? $merge([$head, {"type": "person", "person": $person(USER)}])
  : EVT = "MESSAGE" ? $merge([$head, {"type": "message", "message": {
      "id": MSG.NO, "case_id": CASE_NO, "visibility": MSG.PRIV = "N" ? "public" : "internal", "text": MSG.TXT,
      "author": {"kind": $substringBefore(MSG.BY, "/"), "id": $substringAfter(MSG.BY, "/")} }}])
  : EVT = "RATING" ? $merge([$head, {"type": "rating", "rating": {
      "case_id": CASE_NO, "scale": "csat_5", "score": STARS, "comment": WORDS }}])
)`
