-- The text of a preview that is being changed: it cannot be sent any more, and can still be read by who changes it.
alter table drafts add column is_withdrawn boolean not null default false;
