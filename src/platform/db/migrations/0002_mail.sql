-- Addresses that our messages do not reach for good: nothing is sent there by itself again.
create table suppressions (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  -- As identities hold it: trimmed, lower-case.
  address text not null,
  reason text not null,
  connection_id text not null,
  case_id text,
  suppressed_at timestamptz not null,
  primary key (workspace_id, address)
);

-- What one process at a time does: watching a mailbox, reading what changed in it. The database's clock counts.
create table leases (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  name text not null,
  owner text not null,
  lease_until timestamptz not null,
  primary key (workspace_id, name)
);

do $$
declare t text;
begin
  foreach t in array array['suppressions', 'leases'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy workspace on %I using (workspace_id = current_setting(''deskweave.workspace_id''))', t);
  end loop;
end $$;
