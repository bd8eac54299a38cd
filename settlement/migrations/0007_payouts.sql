-- Who is paid after a release, how, and what was sent: payees and their accounts, what is owed to
-- each of an award, transfers at Stripe, bank files by two people, our own payouts to the bank.
-- Times are microseconds since 1970, amounts minor units.

-- The figures of paying out that are policy. ``closed_after_days``: business days after which
-- nothing that was sent is expected to come back.
create table payout_policy (
    currency text collate "C" not null check (currency ~ '^[A-Z]{3}$'),
    valid_from_us bigint not null check (valid_from_us >= 0),
    closed_after_days integer not null check (closed_after_days between 0 and 365),
    primary key (currency, valid_from_us)
);

insert into payout_policy values ('USD', 0, 5);

-- A liquidator or a consignor, by the id of its accounts in the ledger. Held by whoever nets or
-- sends what is owed to it.
create table payee (
    payee_id text collate "C" primary key,
    kind text not null check (kind in ('LIQUIDATOR', 'CONSIGNOR')),
    -- Null: nobody has said yet how it is paid.
    way text check (way in ('CONNECT', 'BANK')),
    -- When the place to which its money goes was last changed: from then on it is frozen for a time.
    changed_at_us bigint,
    made_at_us bigint not null,
    version bigint not null default 1,
    check ((way is null) = (changed_at_us is null))
);

create table payee_connected (
    payee_id text collate "C" primary key references payee,
    country text not null check (country ~ '^[A-Z]{2}$'),
    email text not null,
    -- Null: Stripe has not answered yet, or said no (``note``).
    account_id text collate "C" unique,
    details_submitted boolean not null default false,
    takes_transfers boolean not null default false,
    payouts_enabled boolean not null default false,
    due text[] not null default '{}',
    disabled_reason text not null default '',
    tries integer not null default 1,
    note text not null default '',
    asked_at_us bigint not null,
    asked_by text not null,
    read_at_us bigint
);

create table payee_bank_account (
    bank_account_id bigint generated always as identity primary key,
    payee_id text collate "C" not null references payee,
    holder text not null,
    is_company boolean not null,
    country text not null check (country ~ '^[A-Z]{2}$'),
    -- ABA: routing is a routing number; IBAN: it is the BIC.
    scheme text not null check (scheme in ('ABA', 'IBAN')),
    routing text not null,
    account_type text not null check (account_type in ('CHECKING', 'SAVINGS')),
    last4 text not null check (length(last4) = 4),
    state text not null check (state in ('WAITING', 'ACTIVE', 'REPLACED', 'REFUSED')),
    set_at_us bigint not null,
    set_by text not null,
    by_staff boolean not null,
    decided_at_us bigint,
    decided_by text,
    -- What one of our staff entered counts when another has looked at it.
    constraint payee_bank_account_two_people
    check (
        not by_staff or state <> 'ACTIVE' or (decided_by is not null and decided_by <> set_by)
    )
);

create unique index payee_bank_account_active on payee_bank_account (payee_id) where state = 'ACTIVE';
create unique index payee_bank_account_waiting on payee_bank_account (payee_id)
where state = 'WAITING';

-- The numbers alone, so that rights can be given to them apart: softclose_payouts reads them.
create table payee_account_number (
    bank_account_id bigint primary key references payee_bank_account,
    number text not null check (length(number) between 4 and 34)
);

revoke all on payee_account_number from public;

-- What is owed to a payee of an award since its release. Its id is the award's; the consignor's
-- part ends in ~c.
create table payable (
    payable_id text collate "C" primary key,
    award_id text collate "C" not null references award,
    invoice_id text collate "C" not null references invoice,
    sale_id text collate "C" not null,
    payee_id text collate "C" not null references payee,
    kind text not null check (kind in ('LIQUIDATOR', 'CONSIGNOR')),
    currency text collate "C" not null check (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint not null check (amount_minor > 0),
    -- Kept back for what the payee owed; the rest is sent.
    netted_minor bigint not null default 0,
    nettings integer not null default 0,
    -- What was sent and did not come back.
    sent_minor bigint not null default 0,
    due_at_us bigint not null,
    state text not null check (state in ('OWED', 'SENDING', 'IN_FILE', 'SENT', 'NETTED')),
    -- Tries to send it, and decisions about it; each has operations of its own.
    sends integer not null default 0,
    decisions integer not null default 1,
    note text not null default '',
    made_at_us bigint not null,
    sent_at_us bigint,
    -- Who let it go although its invoice was refunded: the house bears that, or the seller paid.
    let_go_at_us bigint,
    let_go_by text,
    changed_at_us bigint not null,
    check (netted_minor >= 0 and sent_minor >= 0 and netted_minor + sent_minor <= amount_minor),
    check ((state in ('SENT', 'NETTED')) = (netted_minor + sent_minor = amount_minor))
);

create index payable_of_payee on payable (payee_id, made_at_us desc);
create index payable_of_award on payable (award_id);
create index payable_owed on payable (due_at_us) where state = 'OWED';

-- A transfer to a connected account, written before it is sent; an amount that Stripe does not take
-- at once is several.
create table payout_transfer (
    payable_id text collate "C" not null references payable,
    generation integer not null check (generation >= 1),
    account_id text collate "C" not null,
    -- Whose money it is before it is available; null: it goes from what is available.
    charge_id text collate "C",
    amount_minor bigint not null check (amount_minor > 0),
    state text not null check (state in ('WAITING', 'SENT', 'REFUSED')),
    transfer_id text collate "C" unique,
    transaction_id text collate "C",
    reversed_minor bigint not null default 0,
    note text not null default '',
    made_at_us bigint not null,
    sent_at_us bigint,
    primary key (payable_id, generation),
    check ((state = 'SENT') = (transfer_id is not null)),
    check (reversed_minor between 0 and amount_minor)
);

-- A part of a transfer that is taken back from a seller that owes it.
create table payout_reversal (
    payable_id text collate "C" not null,
    generation integer not null check (generation >= 1),
    transfer_generation integer not null,
    amount_minor bigint not null check (amount_minor > 0),
    reason text not null,
    state text not null check (state in ('WAITING', 'DONE', 'REFUSED')),
    reversal_id text collate "C" unique,
    transaction_id text collate "C",
    note text not null default '',
    made_at_us bigint not null,
    ended_at_us bigint,
    primary key (payable_id, generation),
    foreign key (payable_id, transfer_generation) references payout_transfer
);

-- What a consignor's goods cost it beyond what they brought: its seller's, from what comes later.
create table consignor_charge (
    -- The award's, or that of the first award of a lot that was not sold.
    charge_id text collate "C" primary key,
    consignor_id text collate "C" not null,
    liquidator_id text collate "C" not null,
    currency text collate "C" not null,
    amount_minor bigint not null check (amount_minor > 0),
    charged_minor bigint not null default 0 check (charged_minor between 0 and amount_minor),
    parts integer not null default 0,
    made_at_us bigint not null
);

create index consignor_charge_open on consignor_charge (consignor_id, made_at_us)
where charged_minor < amount_minor;

-- What a seller owes and will not pay: the house bears it when two people say so.
create table write_off (
    write_off_id bigint generated always as identity primary key,
    liquidator_id text collate "C" not null,
    currency text collate "C" not null check (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint not null check (amount_minor > 0),
    why text not null check (length(why) between 1 and 500),
    state text not null check (state in ('ASKED', 'DONE', 'REFUSED')),
    asked_at_us bigint not null,
    asked_by text not null,
    decided_at_us bigint,
    decided_by text,
    constraint write_off_two_people
    check (state <> 'DONE' or (decided_by is not null and decided_by <> asked_by))
);

create index write_off_asked on write_off (asked_at_us) where state = 'ASKED';

-- As whom the house sends a file to its bank: what the bank has told it.
create table house_bank (
    currency text collate "C" primary key check (currency ~ '^[A-Z]{3}$'),
    bank_name text not null,
    -- Of an ACH file: the bank's routing number, our number there, and our company's name and id.
    destination text not null,
    origin text not null,
    company_name text not null,
    company_id text not null,
    changed_at_us bigint not null,
    changed_by text not null,
    version bigint not null default 1
);

create table payout_batch (
    batch_id bigint generated always as identity primary key,
    currency text collate "C" not null check (currency ~ '^[A-Z]{3}$'),
    state text not null check (state in ('MADE', 'RELEASED', 'CANCELLED')),
    items integer not null check (items > 0),
    total_minor bigint not null check (total_minor > 0),
    made_at_us bigint not null,
    made_by text not null,
    released_at_us bigint,
    released_by text,
    -- On which the bank is to credit the payees.
    pays_on date,
    ach_sha256 text,
    wires_sha256 text,
    cancelled_at_us bigint,
    cancelled_by text,
    constraint payout_batch_two_people check (released_by is null or released_by <> made_by),
    check ((state = 'RELEASED') = (released_by is not null)),
    check (
        case when state = 'RELEASED'
            then pays_on is not null and coalesce(ach_sha256, wires_sha256) is not null
            else pays_on is null and ach_sha256 is null and wires_sha256 is null
        end
    )
);

-- The files as the bank gets them. Account numbers are in them, so rights are given apart here too.
create table payout_file (
    batch_id bigint not null references payout_batch,
    method text not null check (method in ('ACH', 'WIRE')),
    content bytea not null,
    sha256 text not null check (sha256 = encode(sha256(content), 'hex')),
    primary key (batch_id, method)
);

revoke all on payout_file from public;

create table payout_batch_item (
    batch_id bigint not null references payout_batch,
    place integer not null check (place >= 1),
    payee_id text collate "C" not null references payee,
    bank_account_id bigint not null references payee_bank_account,
    method text not null check (method in ('ACH', 'WIRE')),
    amount_minor bigint not null check (amount_minor > 0),
    trace text not null default '',
    state text not null check (state in ('MADE', 'SENT', 'RETURNED', 'CANCELLED')),
    return_code text not null default '',
    return_note text not null default '',
    returned_at_us bigint,
    returned_by text,
    primary key (batch_id, place),
    unique (batch_id, payee_id)
);

create unique index payout_batch_item_trace on payout_batch_item (trace) where trace <> '';

create table payout_batch_payable (
    batch_id bigint not null,
    place integer not null,
    payable_id text collate "C" not null references payable,
    amount_minor bigint not null check (amount_minor > 0),
    send integer not null,
    primary key (batch_id, payable_id),
    foreign key (batch_id, place) references payout_batch_item
);

create index payout_batch_payable_of on payout_batch_payable (payable_id);

-- What was released is as the bank has it, for ever.
create function payout_file_stays() returns trigger language plpgsql as $$
begin
    raise exception 'a payout file that was released is never changed'
        using errcode = 'restrict_violation';
end
$$;

create trigger payout_file_stays before update or delete on payout_file
for each row execute function payout_file_stays();

create function payout_batch_stays() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or old.state <> 'MADE' then
        raise exception 'a payout file that was released or cancelled is never changed'
            using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;

create trigger payout_batch_stays before update or delete on payout_batch
for each row execute function payout_batch_stays();

-- Of what was sent, only that it came back.
create function payout_batch_item_stays() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or (old.state <> 'MADE' and (
        old.state <> 'SENT' or new.state <> 'RETURNED'
        or (old.payee_id, old.bank_account_id, old.method, old.amount_minor, old.trace)
            is distinct from (new.payee_id, new.bank_account_id, new.method, new.amount_minor, new.trace)
    )) then
        raise exception 'what was sent to the bank is never changed'
            using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;

create trigger payout_batch_item_stays before update or delete on payout_batch_item
for each row execute function payout_batch_item_stays();

create function payout_batch_payable_stays() returns trigger language plpgsql as $$
begin
    raise exception 'what a payout file pays is never changed' using errcode = 'restrict_violation';
end
$$;

create trigger payout_batch_payable_stays before update or delete on payout_batch_payable
for each row execute function payout_batch_payable_stays();

-- Our own money, from Stripe to the bank. Booked when it is asked for, so that nothing else can
-- spend it; what Stripe refuses, or the bank sends back, is booked back.
create table platform_payout (
    payout_no bigint generated always as identity primary key,
    currency text collate "C" not null check (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint not null check (amount_minor > 0),
    covers_minor bigint not null check (covers_minor between 0 and amount_minor),
    -- The file that it covers.
    batch_id bigint references payout_batch,
    state text not null check (state in ('ASKED', 'SENT', 'PAID', 'REFUSED', 'RETURNED')),
    payout_id text collate "C" unique,
    transaction_id text collate "C",
    returned_transaction_id text collate "C",
    arrives_at_us bigint,
    note text not null default '',
    asked_at_us bigint not null,
    asked_by text not null,
    changed_at_us bigint not null
);

create index platform_payout_open on platform_payout (currency) where state in ('ASKED', 'SENT');
create unique index platform_payout_batch on platform_payout (batch_id)
where batch_id is not null and state in ('ASKED', 'SENT', 'PAID');

-- Tax that was credited since a certificate came late: a credit note for each time.
create table tax_credit (
    invoice_id text collate "C" not null references invoice,
    number integer not null check (number >= 1),
    currency text collate "C" not null,
    amount_minor bigint not null check (amount_minor > 0),
    -- The parts of the invoice's lines, as they are booked.
    lines jsonb not null,
    -- The certificates that were relied on.
    certificates text[] not null,
    made_at_us bigint not null,
    made_by text not null,
    primary key (invoice_id, number)
);

-- Who pays out may read account numbers, and nobody else needs to. Roles belong to the whole server,
-- so another database's migration may have made it; where roles may not be made, an operator does.
do $$
begin
    create role softclose_payouts nologin;
exception
    when duplicate_object or unique_violation then null;
    when insufficient_privilege then
        raise notice 'the role softclose_payouts was not made: no right to';
end
$$;

do $$
begin
    if exists (select from pg_roles where rolname = 'softclose_payouts') then
        grant usage on schema public to softclose_payouts;
        grant select, insert on payee_account_number, payout_file to softclose_payouts;
    end if;
end
$$;
