-- Groups of buyers that a liquidator keeps, for sales that only they may enter. Who was admitted to a
-- sale is in the log; this is where the seller takes them from.

create table buyer_group (
    liquidator_id text collate "C" not null,
    name text not null check (length(name) between 1 and 60),
    changed_at_us bigint not null,
    primary key (liquidator_id, name)
);

create table buyer_group_member (
    liquidator_id text collate "C" not null,
    name text not null,
    bidder_id text collate "C" not null,
    primary key (liquidator_id, name, bidder_id),
    foreign key (liquidator_id, name) references buyer_group on delete cascade
);
