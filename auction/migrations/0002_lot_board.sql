-- What the public knows of each lot, kept by a follower of the log: for lists and searches.
-- It trails the log by moments; what a bid is judged by is the engine's own state.
create table lot_board (
    sale_id text collate "C" not null,
    lot_id text collate "C" not null,
    liquidator_id text collate "C" not null,
    currency text not null,
    kind text not null,
    title text not null,
    status text not null,
    opening_minor bigint not null,
    price_minor bigint,
    next_minimum_minor bigint not null,
    reserve text not null,
    bid_count integer not null,
    leader integer,
    extensions integer not null,
    opens_at_us bigint not null,
    closes_at_us bigint not null,
    primary key (sale_id, lot_id)
);

create index lot_board_end on lot_board (status, closes_at_us);
