-- A buyer's credit that is paid back: asked for by one of staff and agreed to by another. From then on
-- its money lies apart (buyer_credit:credit-payout~N), so that no invoice spends it.
create table credit_payout (
    number bigint generated always as identity primary key,
    buyer_id text collate "C" not null,
    currency text collate "C" not null check (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint not null check (amount_minor > 0),
    why text not null check (why <> ''),
    state text not null check (state in ('ASKED', 'REFUSED', 'SENDING', 'SENT')),
    asked_at_us bigint not null,
    asked_by text not null,
    decided_at_us bigint,
    decided_by text,
    check (state not in ('SENDING', 'SENT') or decided_by <> asked_by)
);

create index credit_payout_open on credit_payout (asked_at_us) where state in ('ASKED', 'SENDING');

-- To where it goes: to charges by which the buyer had paid, the rest from the house's bank.
create table credit_payout_part (
    number bigint not null references credit_payout,
    part integer not null check (part >= 1),
    charge_id text collate "C" references payment_charge,
    amount_minor bigint not null check (amount_minor > 0),
    -- RETURNED: its bank sent it back, and it is the buyer's credit again.
    state text not null check (state in ('ASKED', 'SENT', 'RETURNED')),
    refund_id text collate "C" unique,
    -- Of what the house's bank sent: its own reference. Of a charge that takes nothing back: why.
    note text not null default '',
    changed_at_us bigint not null,
    primary key (number, part)
);

create index credit_payout_part_of_charge on credit_payout_part (charge_id)
where charge_id is not null;
