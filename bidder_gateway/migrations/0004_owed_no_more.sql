-- Lots that were won and need not be paid any more: the sale was taken back, or is void because it was
-- not paid. The engine has no event for it; of a reseller's whole limit they take nothing.
create table owed_no_more (
    bidder_id text collate "C" not null,
    sale_id text collate "C" not null,
    lot_id text collate "C" not null,
    since_us bigint not null,
    primary key (bidder_id, sale_id, lot_id)
);
