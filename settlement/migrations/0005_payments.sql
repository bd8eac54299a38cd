-- How invoices are paid: tries and what became of them, money that came in, went back or is
-- disputed. Amounts are minor units, times microseconds since 1970; states are those of
-- settlement/payments/words.py.

-- A try to pay an invoice: one object at the payment provider, known by its number from before it
-- is made.
create table payment_try (
    invoice_id text collate "C" not null references invoice,
    number integer not null check (number >= 1),
    way text not null,
    state text not null,
    customer_id text collate "C" not null,
    method_id text collate "C",
    amount_minor bigint not null check (amount_minor > 0),
    currency text collate "C" not null,
    payment_id text collate "C" unique,
    -- As it was read last; null: not yet.
    status text,
    promised_at_us bigint,
    capture_before_us bigint,
    failure_code text,
    decline_code text,
    failure_message text,
    made_at_us bigint not null,
    changed_at_us bigint not null,
    primary key (invoice_id, number)
);

create index payment_try_open on payment_try (changed_at_us)
where state not in ('CAPTURED', 'CANCELLED');

-- Money of a bank transfer, as it arrived. A large one is taken in several parts.
create table cash_arrival (
    movement_id text collate "C" not null,
    part integer not null check (part >= 1),
    customer_id text collate "C" not null,
    buyer_id text collate "C" not null,
    amount_minor bigint not null check (amount_minor > 0),
    currency text collate "C" not null,
    reference text,
    sender text,
    arrived_at_us bigint not null,
    payment_id text collate "C" unique,
    state text not null,
    primary key (movement_id, part)
);

create index cash_arrival_of_buyer on cash_arrival (buyer_id, arrived_at_us desc);

-- Money that is ours at the provider, for what it came: refunds and disputes are of these.
create table payment_charge (
    charge_id text collate "C" primary key,
    payment_id text collate "C" not null unique,
    transaction_id text collate "C" not null,
    -- Null: a transfer that was for no invoice, and is the buyer's credit.
    invoice_id text collate "C" references invoice,
    buyer_id text collate "C" not null,
    customer_id text collate "C" not null,
    way text not null,
    currency text collate "C" not null,
    amount_minor bigint not null check (amount_minor > 0),
    fee_minor bigint not null,
    made_at_us bigint not null
);

create index payment_charge_of_invoice on payment_charge (invoice_id);
create index payment_charge_of_buyer on payment_charge (buyer_id, made_at_us desc);

-- A part of an invoice that need not be paid, or goes back; of which of its awards, and of what.
create table award_credit (
    award_id text collate "C" not null references award,
    number integer not null check (number >= 1),
    invoice_id text collate "C" not null references invoice,
    reason text not null,
    hammer_minor bigint not null check (hammer_minor >= 0),
    premium_minor bigint not null check (premium_minor >= 0),
    tax_minor bigint not null check (tax_minor >= 0),
    freight_minor bigint not null check (freight_minor >= 0),
    made_at_us bigint not null,
    primary key (award_id, number)
);

create index award_credit_of_invoice on award_credit (invoice_id);

-- The buyer's credit that is kept for an invoice until it fills a lot.
create table payment_earmark (
    invoice_id text collate "C" primary key references invoice,
    buyer_id text collate "C" not null,
    currency text collate "C" not null,
    amount_minor bigint not null check (amount_minor > 0)
);

create index payment_earmark_of_buyer on payment_earmark (buyer_id, currency);

-- Which lots the next part payment is for, as the buyer or staff said it.
create table payment_named (
    invoice_id text collate "C" primary key references invoice,
    award_ids text[] not null,
    said_at_us bigint not null,
    said_by text not null
);

-- Where a sale's terms ask the seller before money is taken: a row; none: it is taken at once.
create table seller_confirmation (
    invoice_id text collate "C" primary key references invoice,
    asked_at_us bigint not null,
    confirmed_at_us bigint,
    confirmed_by text
);

-- Where a buyer sends money to: an account of its own at the provider.
create table bank_details (
    buyer_id text collate "C" not null,
    currency text collate "C" not null,
    customer_id text collate "C" not null,
    addresses jsonb not null,
    made_at_us bigint not null,
    primary key (buyer_id, currency)
);

create index bank_details_of_customer on bank_details (customer_id);

-- Money that goes back: each part to one charge, or to the buyer's credit (no charge).
create table money_back (
    back_key text collate "C" not null,
    part integer not null check (part >= 1),
    invoice_id text collate "C" not null references invoice,
    award_id text collate "C" references award,
    charge_id text collate "C" references payment_charge,
    reason text not null,
    amount_minor bigint not null check (amount_minor > 0),
    currency text collate "C" not null,
    -- What of the award it is; null: of the buyer's credit.
    back jsonb,
    after_release boolean not null default false,
    commission_minor bigint not null default 0,
    -- The claim that it is for.
    claim_id text collate "C",
    state text not null,
    refund_id text collate "C" unique,
    transaction_id text collate "C",
    failure text not null default '',
    made_at_us bigint not null,
    changed_at_us bigint not null,
    primary key (back_key, part)
);

create index money_back_of_charge on money_back (charge_id);
create index money_back_of_invoice on money_back (invoice_id);

create table payment_dispute (
    dispute_id text collate "C" primary key,
    charge_id text collate "C" not null references payment_charge,
    invoice_id text collate "C" references invoice,
    amount_minor bigint not null check (amount_minor > 0),
    currency text collate "C" not null,
    fee_minor bigint not null default 0,
    reason text not null,
    status text not null,
    state text not null,
    -- Whose fault it is, as staff said before it was decided.
    fault text not null default 'HOUSE',
    fault_by text,
    answer_by_us bigint,
    answers integer not null default 0,
    opened_at_us bigint not null,
    ended_at_us bigint,
    version bigint not null default 1
);

create index payment_dispute_open on payment_dispute (answer_by_us) where ended_at_us is null;
create index payment_dispute_of_invoice on payment_dispute (invoice_id);
