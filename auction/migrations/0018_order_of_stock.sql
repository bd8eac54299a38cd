-- The stock is listed in the order in which its lots were made: those of a file as the file has them.
alter table lot_draft add column made bigint generated always as identity;
drop index lot_draft_of_liquidator;
create index lot_draft_of_liquidator on lot_draft (liquidator_id, made);
