-- The log: one row an event, numbered without gaps in each shard by the shard's only writer.

create table log_shard (
    shard smallint primary key,
    position bigint not null default 0 check (position >= 0),
    epoch bigint not null default 0 check (epoch >= 0),
    -- One run of one process: who took the shard under this epoch.
    owner text,
    -- Engine time of the owner's last durable append or heartbeat, microseconds, UTC.
    beat_at_us bigint
)
-- Updated by every append: room in the page keeps those updates out of the index.
with (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

insert into log_shard (shard) select generate_series(0, 63);

create table log_event (
    shard smallint not null,
    position bigint not null,
    -- The epoch of the owner that wrote it: it never falls along the positions.
    epoch bigint not null,
    sale_id text collate "C" not null,
    body bytea not null,
    primary key (shard, position)
);

-- A sale's own history, for resuming a client and for loading a sale that was put away.
create index log_event_sale on log_event (sale_id, position);

create function log_event_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'log_event is append-only' using errcode = 'restrict_violation';
end
$$;

create trigger log_event_append_only
before update or delete or truncate on log_event
for each statement execute function log_event_is_append_only();

-- The latest state of each shard, so that recovery folds a short tail.
create table log_snapshot (
    shard smallint primary key,
    position bigint not null,
    state bytea not null
);

-- The bids accepted between one snapshot and the next; a snapshot's state is without them.
create table log_snapshot_accepted (
    shard smallint not null,
    position bigint not null,
    accepted bytea not null,
    primary key (shard, position)
);

-- How far each reader has come.
create table log_cursor (
    name text not null,
    shard smallint not null,
    position bigint not null,
    primary key (name, shard)
);
