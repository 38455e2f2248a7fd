-- Whose case it is, for an agent's queue. A column of its own: row-level security lets an index on an expression like this
-- one go unused, because the functions in it are not leakproof.
alter table cases add column assignee_email text generated always as (lower(assignee ->> 'email')) stored;
create index cases_assignee on cases (workspace_id, assignee_email, solved_at) where assignee_email is not null;

-- The newest solved cases, among which similar ones are looked for.
create index cases_solved on cases (workspace_id, solved_at desc) where solved_at is not null;
