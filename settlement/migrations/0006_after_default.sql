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

-- What a buyer that did not pay an invoice loses. Of the relist fees ``paid_minor`` was taken from
-- its credit; the rest is owed, and a person sees to it.
create table buyer_default (
    invoice_id text collate "C" not null references invoice,
    -- Of an invoice: lots may become void at several times.
    turn integer not null check (turn >= 1),
    buyer_id text collate "C" not null,
    currency text collate "C" not null,
    deposit_minor bigint not null check (deposit_minor >= 0),
    relist_fees_minor bigint not null check (relist_fees_minor >= 0),
    paid_minor bigint not null check (paid_minor between 0 and relist_fees_minor),
    defaulted_at_us bigint not null,
    suspended_until_us bigint not null,
    -- What the buyer is told, by which its suspension is known again.
    reason text not null,
    primary key (invoice_id, turn)
);

create index buyer_default_of on buyer_default (buyer_id, suspended_until_us);

-- A lot whose award is void, until it is awarded to another bidder or offered again. States:
-- settlement/after_default/words.py.
create table unsold_again (
    -- The award that is void.
    award_id text collate "C" primary key references award,
    sale_id text collate "C" not null,
    lot_id text collate "C" not null,
    liquidator_id text collate "C" not null,
    currency text collate "C" not null,
    state text not null,
    began_at_us bigint not null,
    ended_at_us bigint,
    -- The award of the runner-up, or the draft in which the lot is offered again.
    award_to text collate "C",
    draft_id text collate "C",
    changed_at_us bigint not null,
    version bigint not null default 1
);

create index unsold_again_lot on unsold_again (sale_id, lot_id);
create index unsold_again_of on unsold_again (liquidator_id, began_at_us desc);

-- What its seller is asked: may the lot go to this bidder at this price? One question at a time,
-- which the index insists on.
create table seller_consent (
    award_id text collate "C" not null references unsold_again,
    -- The first is 1.
    turn integer not null check (turn >= 1),
    bidder_id text collate "C" not null,
    paddle integer not null,
    price_minor bigint not null check (price_minor > 0),
    -- Whether the bidder's maximum meets the reserve.
    reserve text not null,
    asked_at_us bigint not null,
    -- No answer by then is a no.
    until_us bigint not null,
    consents boolean,
    answered_at_us bigint,
    -- A person; null: the time ran out.
    answered_by text,
    primary key (award_id, turn),
    unique (award_id, bidder_id)
);

create unique index seller_consent_one on seller_consent (award_id) where consents is null;

-- A lot offered to a runner-up. One at a time is open for an award, which the index insists on.
create table runner_up_offer (
    award_id text collate "C" not null references unsold_again,
    turn integer not null check (turn >= 1),
    bidder_id text collate "C" not null,
    price_minor bigint not null check (price_minor > 0),
    made_at_us bigint not null,
    -- No answer by then is a no.
    until_us bigint not null,
    accepted boolean,
    answered_at_us bigint,
    answered_by text,
    primary key (award_id, turn),
    unique (award_id, bidder_id)
);

create unique index runner_up_offer_one on runner_up_offer (award_id) where accepted is null;
create index runner_up_offer_of on runner_up_offer (bidder_id, made_at_us desc);

-- What an award was cancelled for.
create table award_cancellation (
    award_id text collate "C" primary key references award,
    -- A seller pays a fee; the house, for a recall, does not.
    by_seller boolean not null,
    reason text not null,
    fee_minor bigint not null check (fee_minor >= 0),
    refund_minor bigint not null check (refund_minor >= 0),
    cancelled_at_us bigint not null,
    cancelled_by text not null
);
