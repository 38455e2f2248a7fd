-- Who works on cases. A person's accounts in chat tools and desks are `agent_accounts`.
create table agents (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  id text not null,
  -- In lower case: what chat tools and desks know them by.
  email text not null,
  name text not null,
  role text not null check (role in ('admin', 'lead', 'agent', 'viewer')),
  language text check (language in ('en', 'es')),
  -- { time_zone, from, to }: told nothing between these hours but what is urgent.
  quiet_hours jsonb,
  active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  unique (workspace_id, email)
);

-- A vendor's account of an agent. `proof`: the vendor vouched for the address, or an administrator said so.
create table agent_accounts (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  connection_id text not null,
  external_id text not null,
  agent_id text not null,
  proof text not null check (proof in ('email', 'admin')),
  created_at timestamptz not null default now(),
  primary key (workspace_id, connection_id, external_id)
);
create index agent_accounts_agent on agent_accounts (workspace_id, agent_id);

-- People in chat tools as the vendor described them last.
create table chat_people (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  connection_id text not null,
  external_id text not null,
  facts jsonb not null,
  -- What the connector needs to reach them beside the id, and their private conversation with the app.
  reference text,
  direct_channel text,
  -- Without a seat: the address that they said is theirs, and when they were asked. An administrator decides.
  claimed_email text,
  asked_at timestamptz,
  read_at timestamptz not null,
  primary key (workspace_id, connection_id, external_id)
);

create table chat_channels (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  connection_id text not null,
  channel text not null,
  name text,
  reference text,
  state text not null check (state in ('open', 'gone')),
  updated_at timestamptz not null,
  primary key (workspace_id, connection_id, channel)
);

-- Cards that stand in channels. A newer card of the same key replaces the one that is there; its message is the root of the
-- case's thread.
create table chat_posts (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  connection_id text not null,
  channel text not null,
  -- As the card has it: `case:<id>`, `approval:<id>`, ...
  card_key text not null,
  message_id text not null,
  case_id text,
  -- Of what was drawn last: the same card is not sent again.
  digest text not null,
  posted_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (workspace_id, connection_id, channel, card_key)
);
create index chat_posts_case on chat_posts (workspace_id, case_id) where case_id is not null;
create unique index chat_posts_message on chat_posts (workspace_id, connection_id, channel, message_id);

-- Messages of a case that stand in a chat thread, in both directions.
create table chat_messages (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  connection_id text not null,
  channel text not null,
  message_id text not null,
  case_id text not null,
  -- The hub's message: a note that was written there, or one that was shown there.
  hub_message_id text not null,
  primary key (workspace_id, connection_id, channel, message_id)
);
create index chat_messages_hub on chat_messages (workspace_id, hub_message_id);

-- What an agent has typed and not yet sent: a reply between its preview and its confirmation, a message that is to become a
-- case. Taken once.
create table drafts (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  id text not null,
  agent_id text not null,
  case_id text,
  content jsonb not null,
  created_at timestamptz not null,
  primary key (workspace_id, id)
);
create index drafts_created on drafts (workspace_id, created_at);

-- Named lists of actions that an agent applies.
create table macros (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  id text not null,
  name text not null,
  definition jsonb not null,
  position int not null default 0,
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id)
);

create table approvals (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  id text not null,
  case_id text not null,
  question text not null,
  -- The rule's id, or the name of the person that asks.
  asked_by jsonb not null,
  connection_id text not null,
  -- The channel, or the agent's address.
  asked_of text not null,
  asked_at timestamptz not null,
  decision text check (decision in ('approved', 'rejected')),
  decided_by text,
  decided_at timestamptz,
  primary key (workspace_id, id)
);
create index approvals_case on approvals (workspace_id, case_id);

create table snoozes (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  case_id text not null,
  until timestamptz not null,
  by text not null,
  primary key (workspace_id, case_id)
);
create index snoozes_until on snoozes (workspace_id, until);

-- One app installed in several places of its vendor: each with tokens of its own, sealed.
create table installations (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  connection_id text not null,
  key text not null,
  name text,
  sealed bytea not null,
  installed_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, connection_id, key)
);

do $$
declare t text;
begin
  foreach t in array array['agents', 'agent_accounts', 'chat_people', 'chat_channels', 'chat_posts', 'chat_messages',
                           'drafts', 'macros', 'approvals', 'snoozes', 'installations'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy workspace on %I using (workspace_id = current_setting(''deskweave.workspace_id''))', t);
  end loop;
end $$;
