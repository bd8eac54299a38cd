-- What each lot brought, for its seller, and what similar goods have brought, for whoever prices the
-- next lot. Times are microseconds since the epoch, UTC; amounts are minor units; rates are in
-- hundredths of a per cent (bps).

-- First what the follower "board" keeps of the log; all of it can be made again from there and from
-- the catalogue, which is frozen. A maximum is in none of it.

create table sale_result (
    sale_id text collate "C" primary key,
    liquidator_id text collate "C" not null,
    currency text not null,
    void_rule text not null,
    cancelled_at_us bigint,
    closed_at_us bigint
);

-- A lot that has an outcome has ended; the rows of others count what happens until they do.
create table lot_result (
    sale_id text collate "C" not null,
    lot_id text collate "C" not null,
    liquidator_id text collate "C" not null,
    -- Whose goods they are; null: the liquidator's. For its liquidator only, as the reserve is.
    consignor_id text collate "C",
    currency text not null,
    kind text not null,
    title text not null,
    scheduled_at_us bigint not null,
    opens_at_us bigint not null,
    opening_minor bigint not null,
    reserve_minor bigint,
    -- Who has bids that stand, and how many: two arrays of one length.
    paddles integer[] not null,
    paddle_bids integer[] not null,
    extensions integer not null,
    -- The highest price reached.
    price_minor bigint,
    outcome text check (outcome in ('SOLD', 'PASSED', 'WITHDRAWN')),
    -- Why it passed, or was withdrawn.
    reason text,
    hammer_minor bigint check ((hammer_minor is not null) = (outcome is not distinct from 'SOLD')),
    winner_ids text[] not null,
    winner_paddles integer[] not null,
    closed_at_us bigint check ((closed_at_us is not null) = (outcome is not null)),
    funded_at_us bigint,
    -- As the catalogue has them; null: the lot was sold without one.
    place integer,
    category text,
    condition text,
    source text,
    units integer,
    msrp_minor bigint,
    -- Null: not sold, or its MSRP says nothing.
    recovery_bps bigint,
    primary key (sale_id, lot_id)
);

-- What is compared: lots that were offered until their end, with an MSRP.
create index lot_result_comparable
on lot_result (currency, lower(category), condition, kind, closed_at_us)
where outcome in ('SOLD', 'PASSED') and msrp_minor > 0;
create index lot_result_lately on lot_result (currency, closed_at_us)
where outcome in ('SOLD', 'PASSED') and msrp_minor > 0;

-- From here on figures of the house. By which rule prices are suggested, from when on.
create table guidance_policy (
    from_us bigint primary key,
    -- How far back results count.
    months integer not null check (months between 1 and 120),
    -- With fewer sold lots there is no rate.
    least_sales integer not null check (least_sales >= 2),
    -- Other liquidators' results are shown only together: so many lots, of so many liquidators.
    least_others integer not null check (least_others >= 3),
    least_other_liquidators integer not null check (least_other_liquidators >= 2),
    -- The opening bid as a share of the reserve, which is at the low quartile.
    opening_share_bps integer not null check (opening_share_bps between 1 and 10000)
);

insert into guidance_policy values (0, 12, 5, 10, 2, 4000);

-- What is said when the house has sold too little: figures that somebody has published, each with
-- who and where. What nobody has published is not here, and is answered with "no guidance".
create table guidance_default (
    condition_group text not null,
    -- Null: of any category.
    category text,
    low_bps integer not null check (low_bps >= 0),
    high_bps integer not null check (high_bps >= low_bps),
    -- Of what the rates are shares, in the publisher's words.
    basis text not null check (basis <> ''),
    source text not null check (source <> ''),
    address text not null check (address <> ''),
    read_on date not null,
    unique nulls not distinct (condition_group, category)
);

-- The one rate that a large seller's own page states. It takes in excess and returned goods, and
-- neither expired, nor defective, nor damaged ones: nothing is said of salvage.
insert into guidance_default
select condition_group, null, 500, 1000,
    'of the average selling price, which is at most the MSRP as a rule',
    'Amazon Seller Central, "FBA Liquidations": gross recovery from wholesale liquidators',
    'https://sellercentral.amazon.com/gp/help/external/help.html?itemID=YVCG5Q3BEJ6MLMF',
    date '2026-11-22'
from unnest(array['UNUSED', 'USED', 'UNINSPECTED']) as condition_group;
