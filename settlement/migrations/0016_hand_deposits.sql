-- A deposit that staff had recorded by hand, of a buyer that did not pay: staff say once what becomes
-- of it, as only they know where its money lies.
create table hand_deposit (
    sale_id text collate "C" not null,
    buyer_id text collate "C" not null,
    -- The first that was not paid.
    invoice_id text collate "C" not null references invoice,
    currency text collate "C" not null,
    amount_minor bigint not null check (amount_minor > 0),
    fate text check (fate in ('KEPT_AT_BANK', 'KEPT_OF_CREDIT', 'NOT_KEPT')),
    why text not null default '',
    asked_at_us bigint not null,
    decided_at_us bigint,
    decided_by text,
    primary key (sale_id, buyer_id),
    check ((fate is null) = (decided_by is null))
);

create index hand_deposit_waiting on hand_deposit (asked_at_us) where fate is null;
