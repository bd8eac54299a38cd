-- What the payment provider told us, who the buyers are there, what they saved, and their deposits.
-- Times are microseconds since 1970, amounts minor units.

-- An event as it came: kept for ever, also one of a type that nobody reads.
create table stripe_event (
    event_id text collate "C" primary key check (length(event_id) between 1 and 255),
    type text not null,
    object_kind text not null,
    object_id text collate "C",
    -- Whose cash balance it is about; a connected account's, where it is one's.
    customer_id text collate "C",
    account_id text collate "C",
    made_at_us bigint not null,
    received_at_us bigint not null,
    -- The bytes whose signature was checked; null: the event was fetched, and never delivered.
    payload bytea,
    -- WAITING, TAKEN by those whom it is about, UNREAD: of a kind that nobody reads.
    outcome text not null default 'WAITING' check (outcome in ('WAITING', 'TAKEN', 'UNREAD')),
    ended_at_us bigint
);

create index stripe_event_object on stripe_event (object_id, made_at_us);
create index stripe_event_waiting on stripe_event (received_at_us) where outcome = 'WAITING';

-- Up to where the provider's own list of events was read, for those that were never delivered.
create table stripe_swept (
    one boolean primary key default true check (one),
    through_us bigint not null
);

-- A buyer at the provider. Written before it is made there, so that a crash makes no second one.
create table buyer_customer (
    buyer_id text collate "C" primary key,
    customer_id text collate "C" unique,
    email text not null,
    name text not null,
    began_at_us bigint not null,
    made_at_us bigint
);

-- Tries to save a card or a bank account; the buyer's browser, or its bank, may be waited for.
create table saving (
    buyer_id text collate "C" not null references buyer_customer,
    number integer not null check (number >= 1),
    kind text not null check (kind in ('card', 'us_bank_account')),
    setup_id text collate "C" unique,
    status text not null,
    began_at_us bigint not null,
    changed_at_us bigint not null,
    primary key (buyer_id, number)
);

-- What a buyer has saved: never a number, only what people recognise it by.
create table saved_method (
    method_id text collate "C" primary key,
    buyer_id text collate "C" not null references buyer_customer,
    kind text not null check (kind in ('card', 'us_bank_account')),
    brand text not null,
    last4 text not null,
    -- A card's last month, such as 2034-12.
    expires text,
    -- Of those that are not removed, one of a buyer's is asked first.
    is_default boolean not null,
    saved_at_us bigint not null,
    removed_at_us bigint,
    check (removed_at_us is null or not is_default)
);

create unique index saved_method_default on saved_method (buyer_id) where is_default;
create index saved_method_of on saved_method (buyer_id, saved_at_us) where removed_at_us is null;

-- A buyer's deposit for a sale, held on its card. States: settlement/deposit_life.py.
create table deposit (
    sale_id text collate "C" not null,
    buyer_id text collate "C" not null references buyer_customer,
    amount_minor bigint not null check (amount_minor > 0),
    currency text collate "C" not null check (currency ~ '^[A-Z]{3}$'),
    state text not null,
    method_id text collate "C" not null,
    -- Where the buyer comes back to from its bank's question.
    return_url text not null,
    -- Authorisations so far; each has a payment of its own at the provider, this is the newest's.
    tries integer not null check (tries >= 1),
    payment_id text collate "C",
    -- The authorisation that stands.
    held_try integer check (held_try between 1 and tries),
    held_payment_id text collate "C",
    charge_id text collate "C",
    capture_before_us bigint,
    -- While it is being taken: how much and why.
    taking_minor bigint not null default 0 check (taking_minor between 0 and amount_minor),
    taking_for text check (taking_for in ('CHARGE', 'FORFEIT')),
    -- What is to become of it once it is taken, if something was asked for meanwhile.
    wish text check (wish in ('RELEASE', 'FORFEIT')),
    wished_minor bigint not null default 0 check (wished_minor between 0 and amount_minor),
    -- What was taken, of that kept, and how often something of it was booked.
    taken_minor bigint not null default 0 check (taken_minor between 0 and amount_minor),
    forfeited_minor bigint not null default 0 check (forfeited_minor between 0 and amount_minor),
    moves integer not null default 0 check (moves >= 0),
    -- Whether registration counts with it, and which of its entries says so.
    counted integer check (counted between 1 and tries),
    -- Why the bank said no, in its code.
    declined text,
    asked_at_us bigint not null,
    changed_at_us bigint not null,
    version bigint not null default 1,
    primary key (sale_id, buyer_id),
    check ((held_try is null) = (held_payment_id is null))
);

create index deposit_of_buyer on deposit (buyer_id);
create index deposit_charge on deposit (charge_id) where charge_id is not null;
