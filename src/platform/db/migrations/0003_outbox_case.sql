-- Without `seq`: PostgreSQL 18 took the index for a way to find rows by `seq`, and read it from end to end at each settling.
drop index outbox_case;
create index outbox_case on outbox (workspace_id, case_id);
