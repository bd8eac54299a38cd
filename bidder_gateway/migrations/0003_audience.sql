-- Sales that not everybody may see, and sales that were cancelled. Made of the log; what was logged
-- before has neither.

alter table sale_board add column audience text not null default 'PUBLIC'
    check (audience in ('PUBLIC', 'GROUP', 'INVITE'));
alter table sale_board alter column audience drop default;
alter table sale_board add column cancelled_at_us bigint;

-- Whom the seller lets into a sale that is not public. Who has registered there besides has a row of
-- `admission`.
create table admitted_bidder (
    sale_id text collate "C" not null,
    bidder_id text collate "C" not null,
    primary key (sale_id, bidder_id)
);

create index admitted_bidder_sales on admitted_bidder (bidder_id, sale_id);
create index sale_board_hidden on sale_board (sale_id) where audience <> 'PUBLIC';
