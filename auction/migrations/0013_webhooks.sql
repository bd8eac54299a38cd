-- Webhooks: where a liquidator's own systems want to be told of its lots, and what was sent there.
-- Times are microseconds since the epoch, UTC.

create table webhook (
    webhook_id text collate "C" primary key,
    liquidator_id text collate "C" not null,
    url text not null,
    events text[] not null check (cardinality(events) >= 1),
    active boolean not null,
    -- Why we switched it off; empty: we did not.
    note text not null default '',
    -- As it is, since each delivery is signed with it. The one before it signs too until then.
    secret bytea not null,
    old_secret bytea,
    old_until_us bigint,
    -- Since when nothing was taken there; null: the latest delivery was, or there was none yet.
    failing_since_us bigint,
    -- The engine's time from which on it is told.
    since_us bigint not null,
    version integer not null,
    changed_at_us bigint not null,
    changed_by text not null,
    check ((old_secret is null) = (old_until_us is null))
);

create index webhook_of_liquidator on webhook (liquidator_id, webhook_id);

-- WAITING -> DELIVERED or FAILED; sent again by hand, it waits again.
create table webhook_delivery (
    -- A pure function of event and endpoint, so that an event that is read twice is written once.
    delivery_id text collate "C" primary key,
    webhook_id text collate "C" not null references webhook on delete cascade,
    type text not null,
    sale_id text collate "C",
    lot_id text collate "C",
    -- The very text that is sent and signed.
    payload text not null,
    state text not null check (state in ('WAITING', 'DELIVERED', 'FAILED')),
    made_at_us bigint not null,
    -- While it waits: when it is tried next; for one that is being sent, when its lease runs out.
    due_at_us bigint check ((due_at_us is not null) = (state = 'WAITING')),
    -- Since it was made or sent again by hand; by it the next pause is found.
    tries integer not null,
    -- Rises with each lease and never falls: who was asleep beyond its lease settles nothing.
    claims bigint not null
);

create index webhook_delivery_waiting on webhook_delivery (webhook_id, due_at_us)
where state = 'WAITING';
create index webhook_delivery_made on webhook_delivery (webhook_id, made_at_us, delivery_id);
create index webhook_delivery_age on webhook_delivery (made_at_us);

create table webhook_attempt (
    delivery_id text collate "C" not null references webhook_delivery on delete cascade,
    number bigint generated always as identity,
    at_us bigint not null,
    took_ms integer not null,
    -- Null: nobody answered, and the note says why.
    status integer,
    note text not null,
    -- The first bytes of the answer, made readable.
    answer text not null,
    primary key (delivery_id, number)
);

-- What the follower "webhooks" knows of sales that are under way; it is made from the log.
create table webhook_sale (
    sale_id text collate "C" primary key,
    liquidator_id text collate "C" not null,
    currency text not null
);

create table webhook_lot (
    sale_id text collate "C" not null,
    lot_id text collate "C" not null,
    title text not null,
    primary key (sale_id, lot_id)
);
