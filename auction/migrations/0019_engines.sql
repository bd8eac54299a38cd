-- Several engines on one log: who is here, until when it may be counted on, and which of them
-- shall own which shard.

create table log_engine (
    -- One run of one process, as `log_shard.owner` has it.
    name text primary key,
    -- It keeps all shards to itself: no other joins while it lives.
    alone boolean not null,
    -- One more with each sign of life. Whoever sees it stand still for as long as the lease, by a
    -- clock of its own that does not step, counts the engine out.
    beats bigint not null default 0,
    lease_us bigint not null check (lease_us > 0),
    joined_at timestamptz not null default clock_timestamp(),
    -- For people to look at.
    alive_at timestamptz not null default clock_timestamp(),
    -- It is to own nothing: it stops soon, or an operator wants it empty.
    draining boolean not null default false,
    -- Its lease was found to be over, or it has left. Its shards are anybody's.
    gone boolean not null default false
)
-- Updated by every beat.
with (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Apart from log_shard, whose rows every append moves.
create table log_plan (
    shard smallint primary key references log_shard,
    -- Which engine shall own it, which has read its state in advance, and where an operator put it.
    engine text,
    warm text,
    pin text
);

insert into log_plan (shard) select shard from log_shard;

-- Plans are made by whoever sees that one is needed; of two, the second is of an old view.
create table log_plan_version (
    single boolean primary key default true check (single),
    version bigint not null default 0
);

insert into log_plan_version default values;
