-- The resellers' side. Times are microseconds since the epoch, UTC; amounts are minor units.

-- First what followers keep of the log; all of it can be made again from there. A maximum is in
-- none of these tables: where a bidder's own is asked for, its event is read.

create table sale_board (
    sale_id text collate "C" primary key,
    liquidator_id text not null,
    currency text not null,
    -- As the public part of the log has them.
    terms jsonb not null,
    scheduled_at_us bigint not null,
    -- The first opening of any of its lots; null before the first lot.
    opens_at_us bigint,
    -- What any of its lots asks for, each once, in order.
    restrictions text[] not null default '{}',
    -- What its lots come to in the catalogue, where they are published before they are scheduled.
    lots integer not null default 0,
    units bigint not null default 0,
    msrp_minor bigint not null default 0,
    categories text[] not null default '{}',
    paused_from_us bigint,
    paused_reason text,
    closed_at_us bigint,
    sold integer,
    passed integer,
    withdrawn integer
);

create index sale_board_opening on sale_board (opens_at_us, sale_id);

-- What is agreed on a lot when it is scheduled, beside its row of `lot_board`.
create table lot_rules (
    sale_id text collate "C" not null,
    lot_id text collate "C" not null,
    lot_group text not null,
    restrictions text[] not null,
    scheduled_at_us bigint not null,
    scheduled_closes_at_us bigint not null,
    latest_end_us bigint,
    manifest_sha256 bytea,
    primary key (sale_id, lot_id)
);

create index lot_rules_scheduled on lot_rules (scheduled_at_us, sale_id, lot_id);

-- Where the public events of each lot are in the log; lot '' has those of the sale as a whole.
create table lot_event (
    sale_id text collate "C" not null,
    lot_id text collate "C" not null,
    sequence bigint not null,
    position bigint not null,
    primary key (sale_id, lot_id, sequence)
);

-- A reseller's place in a sale as the engine has it.
create table admission (
    bidder_id text collate "C" not null,
    sale_id text collate "C" not null,
    paddle integer not null,
    terms_version integer not null,
    restrictions text[] not null,
    deposit_minor bigint not null,
    limit_minor bigint,
    tax_bps integer not null,
    certificate boolean not null,
    registered_at_us bigint not null,
    primary key (bidder_id, sale_id)
);

create index admission_paddle on admission (sale_id, paddle);

-- Which lots a reseller has bid on, and where in the log the bid is that stands for it.
create table bidder_lot (
    bidder_id text collate "C" not null,
    sale_id text collate "C" not null,
    lot_id text collate "C" not null,
    position bigint not null,
    bid_at_us bigint not null,
    -- Staff have voided its bids on this lot, and it has made none since.
    voided boolean not null default false,
    -- What the seller asks for on a bid below the reserve, while it waits for the answer.
    counter_minor bigint,
    primary key (bidder_id, sale_id, lot_id)
);

create index bidder_lot_lot on bidder_lot (sale_id, lot_id);

-- Which lots each person of a team has bid on: they are watched without being asked for.
create table person_lot (
    person_id text collate "C" not null,
    sale_id text collate "C" not null,
    lot_id text collate "C" not null,
    bid_at_us bigint not null,
    primary key (person_id, sale_id, lot_id)
);

-- What was won; the tax is that of the close.
create table won_lot (
    bidder_id text collate "C" not null,
    sale_id text collate "C" not null,
    lot_id text collate "C" not null,
    quantity integer not null,
    hammer_price_minor bigint not null,
    tax_bps integer not null,
    sold_at_us bigint not null,
    paid_at_us bigint,
    primary key (bidder_id, sale_id, lot_id)
);

create index won_lot_sold on won_lot (bidder_id, sold_at_us, sale_id, lot_id);

-- The board is followed together with the tables above, so it begins anew with them.
delete from log_cursor where name = 'board';
truncate lot_board;

-- From here on what people did and asked for; it is nowhere else.

-- A reseller's wish to bid in a sale. It is handed to the engine until the engine has answered to
-- its latest revision: revision > settled means that something is still to be told.
create table registration (
    organisation_id text collate "C" not null,
    sale_id text collate "C" not null,
    registered_at_us bigint not null,
    registered_by text collate "C" not null,
    -- What is accepted now; how it came to be is in `acceptance`.
    terms_version integer not null,
    restrictions text[] not null,
    -- Budgets as they were asked for, until the engine has them; from then on only their digest,
    -- since they are as secret as maxima. The ceilings of people come from their memberships.
    budgets jsonb,
    budgets_by text collate "C",
    budgets_sha256 bytea check (length(budgets_sha256) = 32),
    -- This sale's part of the reseller's whole limit; null: what is left of it.
    share_minor bigint check (share_minor >= 0),
    -- What the sale may take of the whole, as far as we know: raised before the engine is told of
    -- more, lowered after it was told of less.
    held_minor bigint not null default 0 check (held_minor >= 0),
    revision bigint not null default 1,
    settled bigint not null default 0,
    -- Who is telling the engine, and until when nobody else does.
    claim text,
    claimed_until_us bigint not null default 0,
    tries integer not null default 0,
    next_try_at_us bigint not null,
    -- The engine's latest answers; null before the first.
    code text,
    message text,
    minimum_minor bigint,
    limit_minor bigint,
    ceilings jsonb,
    budgets_code text,
    budgets_message text,
    answered_at_us bigint,
    primary key (organisation_id, sale_id)
);

create index registration_due on registration (next_try_at_us) where revision > settled;
create index registration_sale on registration (sale_id);

-- The very rules and words that were accepted, under their digest.
create table accepted_terms (
    sha256 bytea primary key check (length(sha256) = 32),
    rules jsonb not null,
    terms_in_words text not null,
    payment_terms text not null,
    pickup_terms text not null
);

-- What was accepted, by whom, from where, when: only ever added to.
create table acceptance (
    acceptance_id bigint generated always as identity primary key,
    organisation_id text collate "C" not null,
    sale_id text collate "C" not null,
    terms_version integer not null,
    terms_sha256 bytea not null references accepted_terms,
    restrictions text[] not null,
    person_id text collate "C" not null,
    at_us bigint not null,
    address text not null
);

create index acceptance_registration on acceptance (organisation_id, sale_id, acceptance_id);

-- Deposits as staff recorded them: a mistake is corrected by an entry against it.
create table deposit_entry (
    entry_id text collate "C" primary key,
    organisation_id text collate "C" not null,
    sale_id text collate "C" not null,
    amount_minor bigint not null check (amount_minor <> 0),
    currency text not null,
    -- How it was paid, such as a bank's reference; of a correction, why.
    reason text not null,
    corrects text collate "C" unique references deposit_entry,
    recorded_by text collate "C" not null,
    at_us bigint not null,
    address text not null,
    check ((corrects is null) = (amount_minor > 0))
);

create index deposit_entry_of on deposit_entry (organisation_id, sale_id, at_us, entry_id);

create function is_only_added_to() returns trigger language plpgsql as $$
begin
    raise exception '% is only added to', tg_table_name using errcode = 'restrict_violation';
end
$$;

create trigger acceptance_is_only_added_to
before update or delete or truncate on acceptance
for each statement execute function is_only_added_to();

create trigger accepted_terms_is_only_added_to
before update or delete or truncate on accepted_terms
for each statement execute function is_only_added_to();

create trigger deposit_entry_is_only_added_to
before update or delete or truncate on deposit_entry
for each statement execute function is_only_added_to();

-- A limit that staff set for one reseller in one sale, in place of deposit x factor.
create table sale_limit (
    organisation_id text collate "C" not null,
    sale_id text collate "C" not null,
    limit_minor bigint not null check (limit_minor >= 0),
    reason text not null,
    set_by text collate "C" not null,
    set_at_us bigint not null,
    primary key (organisation_id, sale_id)
);

-- What a person said about a lot; who said nothing watches what they have bid on (`person_lot`).
create table watched_lot (
    person_id text collate "C" not null,
    sale_id text collate "C" not null,
    lot_id text collate "C" not null,
    watched boolean not null,
    at_us bigint not null,
    primary key (person_id, sale_id, lot_id)
);

create index watched_lot_lot on watched_lot (sale_id, lot_id) where watched;
create index person_lot_lot on person_lot (sale_id, lot_id);

create table saved_search (
    search_id text collate "C" primary key,
    person_id text collate "C" not null,
    name text not null,
    query jsonb not null,
    alert boolean not null,
    created_at_us bigint not null,
    -- Lots that were scheduled up to then have been told of.
    alerted_until_us bigint not null
);

create index saved_search_person on saved_search (person_id, created_at_us, search_id);
create index saved_search_alert on saved_search (search_id) where alert;

-- Policy, as rows: the newest row counts.
create table payment_policy (
    from_us bigint primary key,
    -- Business days from the end of a lot until it is to be paid.
    days_to_pay integer not null check (days_to_pay between 0 and 60)
);

insert into payment_policy values (0, 2);

-- Days on which no money moves, by the country of the sale.
create table bank_holiday (
    country text not null,
    day date not null,
    name text not null,
    primary key (country, day)
);

-- The Federal Reserve's: one that falls on a Sunday is kept on the Monday after it.
insert into bank_holiday (country, day, name) values
    ('US', '2026-01-01', 'New Year''s Day'),
    ('US', '2026-01-19', 'Martin Luther King Jr. Day'),
    ('US', '2026-02-16', 'Presidents'' Day'),
    ('US', '2026-05-25', 'Memorial Day'),
    ('US', '2026-06-19', 'Juneteenth'),
    ('US', '2026-07-04', 'Independence Day'),
    ('US', '2026-09-07', 'Labor Day'),
    ('US', '2026-10-12', 'Columbus Day'),
    ('US', '2026-11-11', 'Veterans Day'),
    ('US', '2026-11-26', 'Thanksgiving Day'),
    ('US', '2026-12-25', 'Christmas Day'),
    ('US', '2027-01-01', 'New Year''s Day'),
    ('US', '2027-01-18', 'Martin Luther King Jr. Day'),
    ('US', '2027-02-15', 'Presidents'' Day'),
    ('US', '2027-05-31', 'Memorial Day'),
    ('US', '2027-06-19', 'Juneteenth'),
    ('US', '2027-07-05', 'Independence Day'),
    ('US', '2027-09-06', 'Labor Day'),
    ('US', '2027-10-11', 'Columbus Day'),
    ('US', '2027-11-11', 'Veterans Day'),
    ('US', '2027-11-25', 'Thanksgiving Day'),
    ('US', '2027-12-25', 'Christmas Day'),
    ('US', '2028-01-01', 'New Year''s Day'),
    ('US', '2028-01-17', 'Martin Luther King Jr. Day'),
    ('US', '2028-02-21', 'Presidents'' Day'),
    ('US', '2028-05-29', 'Memorial Day'),
    ('US', '2028-06-19', 'Juneteenth'),
    ('US', '2028-07-04', 'Independence Day'),
    ('US', '2028-09-04', 'Labor Day'),
    ('US', '2028-10-09', 'Columbus Day'),
    ('US', '2028-11-11', 'Veterans Day'),
    ('US', '2028-11-23', 'Thanksgiving Day'),
    ('US', '2028-12-25', 'Christmas Day'),
    ('US', '2029-01-01', 'New Year''s Day'),
    ('US', '2029-01-15', 'Martin Luther King Jr. Day'),
    ('US', '2029-02-19', 'Presidents'' Day'),
    ('US', '2029-05-28', 'Memorial Day'),
    ('US', '2029-06-19', 'Juneteenth'),
    ('US', '2029-07-04', 'Independence Day'),
    ('US', '2029-09-03', 'Labor Day'),
    ('US', '2029-10-08', 'Columbus Day'),
    ('US', '2029-11-12', 'Veterans Day'),
    ('US', '2029-11-22', 'Thanksgiving Day'),
    ('US', '2029-12-25', 'Christmas Day'),
    ('US', '2030-01-01', 'New Year''s Day'),
    ('US', '2030-01-21', 'Martin Luther King Jr. Day'),
    ('US', '2030-02-18', 'Presidents'' Day'),
    ('US', '2030-05-27', 'Memorial Day'),
    ('US', '2030-06-19', 'Juneteenth'),
    ('US', '2030-07-04', 'Independence Day'),
    ('US', '2030-09-02', 'Labor Day'),
    ('US', '2030-10-14', 'Columbus Day'),
    ('US', '2030-11-11', 'Veterans Day'),
    ('US', '2030-11-28', 'Thanksgiving Day'),
    ('US', '2030-12-25', 'Christmas Day');
