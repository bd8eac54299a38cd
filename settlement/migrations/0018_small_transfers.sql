-- Transfers that are too little for a payment of their own are taken in with another.
alter table cash_arrival add column joined_minor bigint not null default 0
check (joined_minor >= 0);
-- The movement with which it was taken in.
alter table cash_arrival add column joined_to text collate "C";
alter table cash_arrival add check (state in ('NOTED', 'APPLYING', 'BOOKED', 'SMALL', 'JOINED'));
create index cash_arrival_small on cash_arrival (arrived_at_us) where state = 'SMALL';
