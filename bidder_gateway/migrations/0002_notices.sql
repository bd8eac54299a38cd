-- Notices. Times are microseconds since the epoch, UTC; amounts are minor units.

-- First what the follower "notices" keeps of the log. No maximum and no reserve is in it. A sale
-- that has closed is taken out.

create table notice_sale (
    sale_id text collate "C" primary key,
    currency text not null,
    paused boolean not null default false
);

create table notice_lot (
    sale_id text collate "C" not null,
    lot_id text collate "C" not null,
    title text not null,
    status text not null,
    opens_at_us bigint not null,
    closes_at_us bigint not null,
    price_minor bigint,
    next_minimum_minor bigint not null,
    leader text collate "C",
    primary key (sale_id, lot_id)
);

create index notice_lot_end on notice_lot (closes_at_us) where status = 'LIVE';

-- Whose bids stand on a lot, and which people of the team made them.
create table notice_bidder (
    sale_id text collate "C" not null,
    lot_id text collate "C" not null,
    bidder_id text collate "C" not null,
    paddle integer not null,
    people text[] not null,
    primary key (sale_id, lot_id, bidder_id)
);

-- Which end of a lot was told of, so many minutes before it.
create table notice_closing (
    sale_id text collate "C" not null,
    lot_id text collate "C" not null,
    lead_minutes integer not null,
    told_end_us bigint not null,
    primary key (sale_id, lot_id, lead_minutes)
);

-- How far sources beside the log were read, and what was last known from them.
create table notice_source (
    name text primary key,
    at_us bigint not null
);

create table notice_approval (
    organisation_id text collate "C" primary key,
    state text not null
);

-- What each person chose; without a row the default of the kind is in force.
create table notice_choice (
    person_id text collate "C" not null,
    kind text not null,
    way text not null check (way in ('PAGE', 'PUSH', 'MAIL', 'SMS')),
    wanted boolean not null,
    primary key (person_id, kind, way)
);

create table notice_setting (
    person_id text collate "C" primary key,
    -- Minutes of the person's day; both null: no quiet hours.
    quiet_from integer check (quiet_from between 0 and 1439),
    quiet_until integer check (quiet_until between 0 and 1439),
    urgent_in_quiet boolean not null default false,
    closing_soon_minutes integer not null default 15,
    -- Only a number that its owner has confirmed is sent to.
    phone text,
    check ((quiet_from is null) = (quiet_until is null))
);

-- A number that was given, until the code that was sent to it comes back.
create table notice_phone_check (
    person_id text collate "C" primary key,
    phone text not null,
    code_sha256 bytea not null check (length(code_sha256) = 32),
    tries integer not null default 0,
    sent integer not null default 1,
    began_at_us bigint not null,
    expires_at_us bigint not null
);

-- The id is made of the event, the kind and the person: the same notice is never made twice.
create table notice (
    notice_id text collate "C" primary key,
    person_id text collate "C" not null,
    -- On whose side: the reseller that bid; null for whoever only watches.
    bidder_id text collate "C",
    kind text not null,
    sale_id text collate "C",
    lot_id text collate "C",
    -- A newer unread one of the same topic takes its place; null: it stands by itself.
    topic text,
    at_us bigint not null,
    made_at_us bigint not null,
    facts jsonb not null,
    listed boolean not null,
    read_at_us bigint
);

create index notice_list on notice (person_id, at_us desc, notice_id desc) where listed;
create index notice_unread on notice (person_id) where listed and read_at_us is null;
create index notice_topic on notice (topic, person_id) where topic is not null;
create index notice_made on notice (made_at_us);

-- A device of a person that takes pushes.
create table push_subscription (
    subscription_id text collate "C" primary key,
    person_id text collate "C" not null,
    endpoint text not null,
    endpoint_sha256 bytea not null unique check (length(endpoint_sha256) = 32),
    p256dh bytea not null check (length(p256dh) = 65),
    auth bytea not null check (length(auth) = 16),
    agent text not null,
    created_at_us bigint not null,
    -- Of the last push that the device's service took.
    sent_at_us bigint,
    -- A service that hangs or fails is left alone for a while, so that it holds up nobody else.
    failures integer not null default 0,
    resting_until_us bigint not null default 0
);

create index push_subscription_person on push_subscription (person_id, created_at_us);

-- One notice on one way to one address: waiting, or what became of it. `device` is a
-- push_subscription, or empty.
create table notice_delivery (
    notice_id text collate "C" not null references notice on delete cascade,
    way text not null check (way in ('PUSH', 'MAIL', 'SMS')),
    device text collate "C" not null,
    person_id text collate "C" not null,
    bundle text collate "C" not null,
    state text not null default 'WAITING' check (state in ('WAITING', 'SENT', 'DROPPED', 'FAILED')),
    -- Why it was dropped or failed.
    reason text not null default '',
    settled_at_us bigint,
    primary key (notice_id, way, device)
);

create index notice_delivery_waiting on notice_delivery (person_id, way, device, bundle)
where state = 'WAITING';

-- What goes out together: all waiting deliveries of a bundle to one address. It is due when
-- something waits in it. `not_before_us` is the lease of who sends it now, or the pause after a
-- try that failed; `tries` also tells whose lease it is.
create table notice_envelope (
    person_id text collate "C" not null,
    way text not null,
    device text collate "C" not null,
    bundle text collate "C" not null,
    urgent boolean not null,
    gap_us bigint not null,
    due_at_us bigint,
    not_before_us bigint not null default 0,
    tries integer not null default 0,
    sent_at_us bigint not null default 0,
    primary key (person_id, way, device, bundle)
);

create index notice_envelope_due on notice_envelope (way, urgent, due_at_us)
where due_at_us is not null;

-- The key that pushes are signed with, unless the settings name one. Subscriptions are bound to it.
create table notice_key (
    name text primary key,
    secret bytea not null
);
