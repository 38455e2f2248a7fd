-- What leaves from the hub is known by its delivery until its receipt is there, and shown in chat threads by it.
create index messages_delivery on messages (workspace_id, delivery_key) where delivery_key is not null;
