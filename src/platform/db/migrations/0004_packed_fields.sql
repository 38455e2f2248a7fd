-- The times and sources of a case's fields, packed: what fields share is written once (src/cases/packed.ts).
-- An owner who is bound by row-level security would see no row here.
alter table cases no force row level security;
alter table case_links no force row level security;
update cases set provenance = coalesce((
  select jsonb_agg(field.value || jsonb_build_object('fields', jsonb_build_array(field.key)))
  from jsonb_each(provenance) field), '[]');
update case_links set base = coalesce((
  select jsonb_agg((field.value - 'value') || jsonb_build_object('values', jsonb_build_object(field.key, field.value -> 'value')))
  from jsonb_each(base) field), '[]');
alter table cases alter column provenance set default '[]';
alter table cases force row level security;
alter table case_links force row level security;
