-- When a channel that is gone was tried last: it is tried again hours later. Null: the next new card tries.
alter table chat_channels add column tried_at timestamptz;
