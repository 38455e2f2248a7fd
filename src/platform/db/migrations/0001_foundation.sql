-- Every table belongs to a workspace. A connection of the hub carries its workspace in the setting
-- deskweave.workspace_id: it fills the column on insert, and row-level security hides every other workspace's rows, so
-- that no query can forget it.

create table workspaces (
  workspace_id text primary key default current_setting('deskweave.workspace_id'),
  name text not null,
  created_at timestamptz not null default now()
);

create table settings (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  key text not null,
  value jsonb not null,
  updated_at timestamptz not null default now(),
  primary key (workspace_id, key)
);

create table connections (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  id text not null,
  connector text not null,
  name text not null,
  -- The connector's settings without its secrets; those are in `sealed` (AES-256-GCM), with the webhook secrets.
  config jsonb not null,
  sealed bytea not null,
  status text not null check (status in ('connected', 'degraded', 'needs_attention', 'paused')),
  status_reason text,
  account text,
  change_cursor text,
  last_inbound_at timestamptz,
  last_reconciled_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  unique (workspace_id, name)
);

-- The inbox: what arrived, and the list of work.
create table inbox (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  seq bigint generated always as identity,
  connection_id text not null,
  dedupe_key text not null,
  source text not null check (source in ('webhook', 'reconcile')),
  body bytea not null,
  state text not null check (state in ('pending', 'done', 'ignored', 'quarantined', 'dead')),
  reason text,
  attempts int not null default 0,
  -- How often it came again.
  duplicates int not null default 0,
  -- Reconciliation only: it told something that no webhook had told (the lost-event meter).
  repaired boolean not null default false,
  received_at timestamptz not null default now(),
  processed_at timestamptz,
  due_at timestamptz not null default now(),
  lease_until timestamptz,
  fence bigint,
  primary key (workspace_id, seq),
  unique (workspace_id, connection_id, dedupe_key)
) with (fillfactor = 80);
create index inbox_open on inbox (workspace_id, state, seq) where state <> 'done';

create table companies (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  id text not null,
  name text,
  domain text,
  traits jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id)
);
create unique index companies_domain on companies (workspace_id, domain) where domain is not null;

create table company_records (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  connection_id text not null,
  external_id text not null,
  company_id text not null,
  facts jsonb not null,
  observed_at timestamptz not null,
  primary key (workspace_id, connection_id, external_id)
);
create index company_records_company on company_records (workspace_id, company_id);

-- A profile is a leaf with its own records, identities and cases. Merged profiles share a root; what belongs to a leaf
-- stays with it, so that an unmerge gives back exactly what was there.
create table profiles (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  id text not null,
  root_id text not null,
  name text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id)
);
create index profiles_root on profiles (workspace_id, root_id);

-- One vendor's record of a person, untouched by merges. facts: { field: { value, at } }, newest per field.
create table person_records (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  connection_id text not null,
  external_id text not null,
  profile_id text not null,
  company_id text,
  verified boolean not null,
  facts jsonb not null,
  observed_at timestamptz not null,
  primary key (workspace_id, connection_id, external_id)
);
create index person_records_profile on person_records (workspace_id, profile_id);
create index person_records_company on person_records (workspace_id, company_id) where company_id is not null;

create table identities (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  kind text not null,
  value text not null,
  -- The connection for vendor ids; empty for kinds that mean the same everywhere (e-mail, phone).
  scope text not null default '',
  profile_id text not null,
  verified boolean not null,
  connection_id text not null,
  external_id text not null,
  first_seen_at timestamptz not null,
  primary key (workspace_id, kind, value, scope)
);
create index identities_profile on identities (workspace_id, profile_id);

create table merges (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  id text not null,
  kept_id text not null,
  merged_id text not null,
  cause jsonb not null,
  actor text not null,
  merged_at timestamptz not null,
  undone_at timestamptz,
  undone_by text,
  primary key (workspace_id, id)
);
create index merges_kept on merges (workspace_id, kept_id);
create index merges_merged on merges (workspace_id, merged_id);

create table merge_suggestions (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  id text not null,
  profile_a text not null,
  profile_b text not null,
  reason text not null,
  evidence jsonb not null,
  state text not null default 'open' check (state in ('open', 'accepted', 'dismissed')),
  created_at timestamptz not null,
  primary key (workspace_id, id),
  unique (workspace_id, profile_a, profile_b)
);

create table cases (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  id text not null,
  subject text,
  status text not null,
  priority text,
  channel text,
  tags text[] not null default '{}',
  requester_id text,
  -- The case a rule opened this one for, in another tool.
  parent_id text,
  assignee jsonb,
  team text,
  custom jsonb not null default '{}',
  -- { field: { at, source } }: when and from where each value came.
  provenance jsonb not null default '{}',
  created_at timestamptz not null,
  updated_at timestamptz not null,
  solved_at timestamptz,
  primary key (workspace_id, id)
);
create index cases_requester on cases (workspace_id, requester_id);
create index cases_updated on cases (workspace_id, updated_at desc, id);

-- A case's counterpart in a vendor. base: { field: { value, at } }, the last known remote state.
create table case_links (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  connection_id text not null,
  external_id text not null,
  case_id text not null,
  base jsonb not null,
  version text,
  url text,
  deleted_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (workspace_id, connection_id, external_id)
);
create index case_links_case on case_links (workspace_id, case_id);

create table messages (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  id text not null,
  case_id text not null,
  connection_id text not null,
  external_id text,
  visibility text not null check (visibility in ('public', 'internal')),
  author jsonb not null,
  text text not null,
  html text,
  attachments jsonb not null default '[]',
  sent_at timestamptz not null,
  content_hash text not null,
  -- When its vendor last told of it: older news does not undo an edit.
  told_at timestamptz not null default '1970-01-01Z',
  -- The delivery that wrote it, for messages that left from the hub.
  delivery_key text,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id)
);
create unique index messages_external on messages (workspace_id, connection_id, external_id) where external_id is not null;
create index messages_case on messages (workspace_id, case_id, sent_at);

-- Observations about a case that has not been seen yet; they wait for it.
create table parked_observations (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  seq bigint generated always as identity,
  connection_id text not null,
  case_external_id text not null,
  inbox_seq bigint not null,
  observation jsonb not null,
  parked_at timestamptz not null,
  primary key (workspace_id, seq)
);
create index parked_observations_case on parked_observations (workspace_id, connection_id, case_external_id);

create table events (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  seq bigint generated always as identity,
  id text not null,
  type text not null,
  case_id text,
  profile_id text,
  connection_id text,
  actor jsonb not null,
  data jsonb not null,
  cause jsonb not null,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null,
  primary key (workspace_id, seq)
);
create unique index events_id on events (workspace_id, id);
create index events_case on events (workspace_id, case_id, seq);
create index events_profile on events (workspace_id, profile_id, seq) where profile_id is not null;

create table rules (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  id text not null,
  version int not null,
  is_current boolean not null,
  mode text not null check (mode in ('draft', 'simulate', 'on', 'off')),
  -- Rules run in this order.
  position int not null default 0,
  name text not null,
  definition jsonb not null,
  source text not null,
  author text not null,
  created_at timestamptz not null,
  primary key (workspace_id, id, version)
);
create unique index rules_current on rules (workspace_id, id) where is_current;

create table rule_runs (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  seq bigint generated always as identity,
  rule_id text not null,
  rule_version int not null,
  event_id text not null,
  case_id text,
  result text not null check (result in ('matched', 'simulated', 'failed', 'cut')),
  detail jsonb not null,
  ran_at timestamptz not null,
  primary key (workspace_id, seq)
);
create index rule_runs_case on rule_runs (workspace_id, case_id, seq);
create index rule_runs_rule on rule_runs (workspace_id, rule_id, seq);

-- The outbox: effects we want at vendors, their receipts, and the list of work. lane: the connection, or the host of a
-- free webhook. order_key: what keeps its order (a case).
create table outbox (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  seq bigint generated always as identity,
  key text not null,
  lane text not null,
  order_key text not null,
  connection_id text,
  case_id text,
  action jsonb not null,
  cause jsonb not null,
  state text not null default 'pending' check (state in ('pending', 'sent', 'dead', 'cancelled')),
  -- An answer was lost and the vendor offers neither key nor look-up: it may have happened twice.
  possibly_sent boolean not null default false,
  outcome_unknown boolean not null default false,
  attempts int not null default 0,
  error jsonb,
  receipt jsonb,
  created_at timestamptz not null default now(),
  sent_at timestamptz,
  due_at timestamptz not null default now(),
  lease_until timestamptz,
  fence bigint,
  primary key (workspace_id, seq),
  unique (workspace_id, key)
) with (fillfactor = 80);
create index outbox_pending on outbox (workspace_id, lane, seq) where state = 'pending';
-- Is there an earlier one of the same order key?
create index outbox_order on outbox (workspace_id, order_key, seq) where state = 'pending';
create index outbox_dead on outbox (workspace_id, seq) where state = 'dead';
create index outbox_case on outbox (workspace_id, case_id, seq);

-- Who works a lane: one replica at a time.
create table lanes (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  lane text not null,
  owner text,
  fence bigint not null default 0,
  lease_until timestamptz,
  paused_reason text,
  primary key (workspace_id, lane)
);

create table surveys (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  id text not null,
  definition jsonb not null,
  enabled boolean not null,
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id)
);

-- Every decision about asking, also the ones not to: `reason` is the "why not" line.
create table invitations (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  id text not null,
  survey_id text not null,
  case_id text not null,
  -- The event that solved the case: one decision per survey and solution.
  event_id text not null,
  profile_id text,
  connection_id text,
  state text not null check (state in ('planned', 'sent', 'answered', 'expired', 'skipped', 'cancelled')),
  reason text,
  send_at timestamptz not null,
  sent_at timestamptz,
  expires_at timestamptz,
  locale text,
  created_at timestamptz not null,
  primary key (workspace_id, id),
  unique (workspace_id, survey_id, event_id)
);
create index invitations_case on invitations (workspace_id, case_id);
create index invitations_profile on invitations (workspace_id, profile_id, sent_at);
create index invitations_planned on invitations (workspace_id, send_at) where state = 'planned';

create table responses (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  id text not null,
  invitation_id text not null,
  survey_id text not null,
  case_id text not null,
  profile_id text,
  scale text not null,
  score int not null,
  comment text,
  answered_at timestamptz not null,
  primary key (workspace_id, id),
  unique (workspace_id, invitation_id)
);

create table api_idempotency (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  key text not null,
  request_hash text not null,
  status int not null,
  body jsonb not null,
  created_at timestamptz not null default now(),
  primary key (workspace_id, key)
);

create table audit (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  seq bigint generated always as identity,
  at timestamptz not null default now(),
  actor text not null,
  act text not null,
  target text,
  detail jsonb not null default '{}',
  primary key (workspace_id, seq)
);

create sequence fences;

do $$
declare t text;
begin
  for t in select c.table_name from information_schema.columns c
           join information_schema.tables b on b.table_schema = c.table_schema and b.table_name = c.table_name
           where c.table_schema = current_schema() and c.column_name = 'workspace_id' and b.table_type = 'BASE TABLE'
  loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy workspace on %I using (workspace_id = current_setting(''deskweave.workspace_id''))', t);
  end loop;
end $$;
