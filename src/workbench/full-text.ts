/**
 * Cases by their words: subject and what was said in public, in English and Spanish stems.
 *
 * No full-text index: row-level security keeps PostgreSQL from using one, because `@@` is not leakproof, and keeping one
 * would slow down every message for a search that an agent asks for now and then. So the newest cases are read and ranked;
 * older ones are out of its sight.
 */
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '#hub/platform/db/database.ts'

/** Among how many of the newest. */
export const newest = 1_000
/** Of each case: the first public messages and their beginnings. */
const messages = 2
const characters = 300

/** Solved cases like this one, the most alike first. @returns ids; empty when there is no such case. */
export async function similarSolved(db: Db, caseId: string, limit: number): Promise<readonly string[]> {
  const source = sql`select coalesce((select coalesce(subject, '') || ' ' || ${saidIn(sql`cases.id`)} from cases where id = ${caseId}), '')`
  const among = sql`
    select id, subject from cases
    where solved_at is not null and status in ('solved', 'closed') and id <> ${caseId}
    order by solved_at desc limit ${newest}`
  return await ranked(db, sql`(${source})`, among, ' | ', limit)
}

/** Cases that have all these words, the most fitting first. */
export async function withWords(db: Db, text: string, limit: number): Promise<readonly string[]> {
  const among = sql`select id, subject from cases order by updated_at desc limit ${newest}`
  return await ranked(db, sql`${text}::text`, among, ' & ', limit)
}

/** Words that mean nothing in either language do not count; of a long text the first hundred do. */
async function ranked(
  db: Db,
  source: RawBuilder<unknown>,
  among: RawBuilder<unknown>,
  joiner: ' | ' | ' & ',
  limit: number,
): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    with word as (
      select lexeme, positions[1] as position from unnest(to_tsvector('simple', left(${source}, 4000)))
      where ts_lexize('english_stem', lexeme) <> '{}' and ts_lexize('spanish_stem', lexeme) <> '{}'
      order by position limit 100
    ), wanted as materialized (
      select string_agg('(' || (
        select string_agg(distinct quote_literal(stem), ' | ')
        from unnest(ts_lexize('english_stem', lexeme) || ts_lexize('spanish_stem', lexeme)) stem
      ) || ')', ${joiner})::tsquery as query from word
    ), candidate as materialized (${among}), worded as materialized (
      select candidate.id,
        setweight(to_tsvector('english', title) || to_tsvector('spanish', title), 'A') ||
        setweight(to_tsvector('english', said) || to_tsvector('spanish', said), 'D') as words
      from candidate, lateral (select coalesce(subject, '') as title, ${saidIn(sql`candidate.id`)} as said) texts
    )
    select id from worded, wanted where words @@ query
    order by ts_rank(words, query, 1) desc, id desc limit ${limit}
  `.execute(db)
  return rows.map(({ id }) => id)
}

function saidIn(caseId: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`(select coalesce(string_agg(left(text, ${characters}::int), ' '), '') from (
    select text from messages where case_id = ${caseId} and visibility = 'public' order by sent_at limit ${messages}) first)`
}
