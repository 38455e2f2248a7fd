-- "Is there an earlier one of the same order key?" asks for `state || ''`, which fits this index alone: hardly anything is
-- pending as a rule, so the planner took any index whose condition is `state = 'pending'` for as good, and when much was pending
-- read all of it for each row.
drop index outbox_order;
create index outbox_order on outbox (workspace_id, order_key, seq) where state || '' = 'pending';
-- Nor does this one fit a question that names no case.
drop index outbox_case;
create index outbox_case on outbox (workspace_id, case_id) where case_id is not null;
