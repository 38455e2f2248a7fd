-- How many files of the message stand in the channel: those that come after it are shown when they come.
alter table chat_messages add column files integer not null default 0;
