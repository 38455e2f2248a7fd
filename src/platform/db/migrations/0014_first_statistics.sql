-- Until the server has counted a table, the planner believes that one row in two hundred belongs to a workspace, and takes any
-- index that begins with it for as good as the one that was made for the question: under load, a new hub read its busiest tables
-- from end to end again and again, until the server counted. So it counts at once: rows of the usual kind that do not stay.
insert into inbox (seq, connection_id, dedupe_key, source, body, state) overriding system value
select -n, 'counted', n, 'webhook', '', 'done' from generate_series(1, 100) n;
insert into outbox (seq, key, lane, order_key, case_id, action, cause, state) overriding system value
select -n, 'counted ' || n, 'counted', n, n, '{}', '{}', 'sent' from generate_series(1, 100) n;
insert into profiles (id, root_id, name) select 'counted ' || n, 'counted ' || n, n from generate_series(1, 100) n;
insert into person_records (connection_id, external_id, profile_id, verified, facts, observed_at)
select 'counted', n, 'counted ' || n, true, '{}', now() from generate_series(1, 100) n;
insert into identities (kind, value, profile_id, verified, connection_id, external_id, first_seen_at)
select 'counted', n, 'counted ' || n, true, 'counted', n, now() from generate_series(1, 100) n;
insert into cases (id, status, requester_id, created_at, updated_at)
select 'counted ' || n, 'open', 'counted ' || n, now(), now() from generate_series(1, 100) n;
insert into case_links (connection_id, external_id, case_id, base, created_at, updated_at)
select 'counted', n, 'counted ' || n, '[]', now(), now() from generate_series(1, 100) n;
insert into messages (id, case_id, connection_id, external_id, visibility, author, text, sent_at, content_hash)
select 'counted ' || n, 'counted ' || n, 'counted', n, 'internal', '{}', '', now(), n from generate_series(1, 100) n;
insert into events (seq, id, type, case_id, profile_id, actor, data, cause, occurred_at, recorded_at)
overriding system value
select -n, 'counted ' || n, 'counted', 'counted ' || n, 'counted ' || n, '{}', '{}', '{}', now(), now() from generate_series(1, 100) n;
insert into rule_runs (seq, rule_id, rule_version, event_id, case_id, result, detail, ran_at) overriding system value
select -n, 'counted', 1, n, 'counted ' || n, 'matched', '{}', now() from generate_series(1, 100) n;

analyze inbox, outbox, profiles, person_records, identities, cases, case_links, messages, events, rule_runs;

-- Nothing else: a superuser sees every workspace, and a rule may be called "counted".
delete from inbox where workspace_id = current_setting('deskweave.workspace_id') and connection_id = 'counted' and seq < 0;
delete from outbox where workspace_id = current_setting('deskweave.workspace_id') and lane = 'counted' and seq < 0;
delete from profiles where workspace_id = current_setting('deskweave.workspace_id') and id like 'counted %';
delete from person_records where workspace_id = current_setting('deskweave.workspace_id') and connection_id = 'counted';
delete from identities where workspace_id = current_setting('deskweave.workspace_id') and kind = 'counted';
delete from cases where workspace_id = current_setting('deskweave.workspace_id') and id like 'counted %';
delete from case_links where workspace_id = current_setting('deskweave.workspace_id') and connection_id = 'counted';
delete from messages where workspace_id = current_setting('deskweave.workspace_id') and connection_id = 'counted';
delete from events where workspace_id = current_setting('deskweave.workspace_id') and type = 'counted' and seq < 0;
delete from rule_runs where workspace_id = current_setting('deskweave.workspace_id') and rule_id = 'counted' and seq < 0;
