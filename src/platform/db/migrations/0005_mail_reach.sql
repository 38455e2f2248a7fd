-- Mail that came back for a while: a mailbox that is full, a server that is away. Several of them are as good as "gone".
create table soft_bounces (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  -- As suppressions hold it.
  address text not null,
  -- What came back: servers report about one message again and again.
  message text not null,
  bounced_at timestamptz not null,
  primary key (workspace_id, address, message)
);

-- Whom an agent wrote to beside the requester: they take part in the case of that connection.
create table case_guests (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  connection_id text not null,
  -- The connection's id of the case.
  external_id text not null,
  address text not null,
  -- The connection's id of the message that brought them in.
  message_id text not null,
  primary key (workspace_id, connection_id, external_id, address)
);

do $$
declare t text;
begin
  foreach t in array array['soft_bounces', 'case_guests'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy workspace on %I using (workspace_id = current_setting(''deskweave.workspace_id''))', t);
  end loop;
end $$;
