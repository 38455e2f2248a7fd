-- Who works in a tool, as the tool told it last: only they can be given a case there.
create table desk_agents (
  workspace_id text not null default current_setting('deskweave.workspace_id'),
  connection_id text not null,
  -- AgentFacts, as many as the tool has.
  agents jsonb not null,
  read_at timestamptz not null,
  primary key (workspace_id, connection_id)
);

do $$
declare t text;
begin
  foreach t in array array['desk_agents'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy workspace on %I using (workspace_id = current_setting(''deskweave.workspace_id''))', t);
  end loop;
end $$;
