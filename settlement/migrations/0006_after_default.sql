-- What settlement knows of a sale once a lot of it is sold, where the goods go, and what becomes of
-- lots that were not paid. Amounts are minor units, times microseconds since 1970.

-- The terms under which bids were taken, and by which its days are counted: as they were agreed.
create table settlement_sale (
    sale_id text collate "C" primary key,
    liquidator_id text collate "C" not null,
    currency text collate "C" not null check (currency ~ '^[A-Z]{3}$'),
    terms jsonb not null,
    title text not null,
    zone text not null,
    country text not null,
    recorded_at_us bigint not null
);

-- Where an award's goods are sent, as it was quoted; without a row the buyer collects them.
create table award_freight (
    award_id text collate "C" primary key references award,
    -- Null: the quote was forgotten, and the goods go to the buyer's own address.
    quote_id text collate "C",
    destination jsonb not null,
    amount_minor bigint not null check (amount_minor >= 0)
);

-- A lot whose award is void, until it is awarded to another bidder or offered again.
create table unsold_again (
    -- The award that is void.
    award_id text collate "C" primary key references award,
    sale_id text collate "C" not null,
    lot_id text collate "C" not null,
    liquidator_id text collate "C" not null,
    state text not null check (
        state in ('LOOKING', 'ASKED', 'OFFERED', 'AWARDED', 'RELISTING', 'RELISTED', 'STOPPED')
    ),
    -- What the seller chose before anybody was found: to ask nobody, and offer it again.
    began_at_us bigint not null,
    -- The award of the runner-up, or the draft in which the lot is offered again.
    award_to text collate "C",
    draft_id text collate "C",
    ended_at_us bigint,
    changed_at_us bigint not null,
    version bigint not null default 1
);

create index unsold_again_lot on unsold_again (sale_id, lot_id);
create index unsold_again_of on unsold_again (liquidator_id, began_at_us desc);

-- What its seller is asked: may the lot go to this bidder at this price? One question at a time.
create table seller_consent (
    award_id text collate "C" not null references unsold_again,
    bidder_id text collate "C" not null,
    price_minor bigint not null check (price_minor > 0),
    reserve text not null,
    asked_at_us bigint not null,
    -- No answer until then is a no.
    until_us bigint not null,
    consents boolean,
    answered_at_us bigint,
    -- A person; null: the time ran out.
    answered_by text,
    primary key (award_id, bidder_id)
);

create unique index seller_consent_one on seller_consent (award_id) where consents is null;

-- A lot offered to a runner-up. One at a time is open for an award, which the index insists on.
create table runner_up_offer (
    offer_id text collate "C" primary key,
    award_id text collate "C" not null references unsold_again,
    -- The first is 1.
    turn integer not null check (turn >= 1),
    bidder_id text collate "C" not null,
    price_minor bigint not null check (price_minor > 0),
    currency text collate "C" not null,
    made_at_us bigint not null,
    until_us bigint not null,
    accepted boolean,
    answered_at_us bigint,
    -- A person; null: the time ran out.
    answered_by text,
    unique (award_id, turn),
    unique (award_id, bidder_id)
);

create unique index runner_up_offer_one on runner_up_offer (award_id) where accepted is null;
create index runner_up_offer_of on runner_up_offer (bidder_id, made_at_us desc);

-- Who may not bid, and until when, because it did not pay.
create table suspension (
    invoice_id text collate "C" primary key references invoice,
    organisation_id text collate "C" not null,
    from_us bigint not null,
    until_us bigint not null,
    -- Whether the approval was suspended for it, which is then given back.
    suspended boolean not null default false,
    ended_at_us bigint
);

create index suspension_of on suspension (organisation_id, until_us);

-- What an award was cancelled for.
create table award_cancellation (
    award_id text collate "C" primary key references award,
    -- SELLER pays a fee; HOUSE, or a recall, does not.
    by_seller boolean not null,
    reason text not null,
    fee_minor bigint not null check (fee_minor >= 0),
    refund_minor bigint not null check (refund_minor >= 0),
    cancelled_at_us bigint not null,
    cancelled_by text not null
);
