-- The ledger: double entry, append-only. A transfer has both sides and one positive amount, so
-- nothing out of balance can be written; what was written is never changed.

create table ledger_account (
    account_id bigint generated always as identity primary key,
    name text collate "C" not null check (length(name) between 1 and 200),
    currency text collate "C" not null check (currency ~ '^[A-Z]{3}$'),
    -- The part of the name before the colon.
    kind text collate "C" not null check (kind = split_part(name, ':', 1)),
    unique (name, currency)
);

-- The kinds of the chart, and on which side each grows. A kind that may not be overdrawn never has
-- a balance below zero.
create table ledger_kind (
    kind text collate "C" primary key,
    debit_side boolean not null,
    may_overdraw boolean not null
);

insert into ledger_kind (kind, debit_side, may_overdraw) values
    ('stripe_balance', true, true),
    ('bank', true, false),
    ('seller_receivable', true, false),
    ('disputes_pending', true, false),
    ('held', false, false),
    ('seller_payable', false, false),
    ('consignor_payable', false, false),
    ('deferred_fees', false, false),
    ('freight_payable', false, false),
    ('buyer_credit', false, false),
    ('sales_tax', false, true),
    ('premium_income', false, true),
    ('commission_income', false, true),
    ('forfeits', false, true),
    ('storage_income', false, true),
    ('cancellation_fees', false, true),
    ('freight_income', false, true),
    ('stripe_fees', true, true),
    ('dispute_fees', true, true),
    ('bad_debt', true, true),
    ('rounding', true, true);

alter table ledger_account add foreign key (kind) references ledger_kind;

-- Made with its account and moved by transfers alone, both by triggers.
create table ledger_balance (
    account_id bigint primary key references ledger_account,
    debits_minor bigint not null default 0 check (debits_minor >= 0),
    credits_minor bigint not null default 0 check (credits_minor >= 0)
)
-- Every entry moves stripe_balance: room in the page keeps those updates out of the index.
with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

create table ledger_transaction (
    transaction_id bigint generated always as identity primary key,
    -- The idempotency key, and the digest of everything that was booked under it.
    key text collate "C" not null unique check (length(key) between 1 and 255),
    sha256 bytea not null check (length(sha256) = 32),
    purpose text collate "C" not null,
    currency text collate "C" not null check (currency ~ '^[A-Z]{3}$'),
    effective_at_us bigint not null check (effective_at_us > 0),
    -- The first day of the month of the books (UTC) in which it takes effect.
    month date not null generated always as (
        date_trunc('month', timestamp '1970-01-01' + effective_at_us * interval '1 microsecond')::date
    ) stored,
    recorded_at_us bigint not null
        default (extract(epoch from clock_timestamp()) * 1000000)::bigint,
    -- Transfers join it in the database transaction that makes it, never later.
    recorded_in xid8 not null default pg_current_xact_id(),
    postings integer not null check (postings > 0),
    -- Taken back at most once.
    reverses text collate "C" unique references ledger_transaction (key),
    sale_id text collate "C",
    invoice_id text collate "C",
    liquidator_id text collate "C",
    consignor_id text collate "C",
    buyer_id text collate "C",
    stripe_ids text[] not null default '{}',
    note text not null default ''
);

create index ledger_transaction_time on ledger_transaction (effective_at_us, transaction_id);
create index ledger_transaction_sale on ledger_transaction (sale_id) where sale_id is not null;
create index ledger_transaction_invoice
on ledger_transaction (invoice_id) where invoice_id is not null;
create index ledger_transaction_stripe on ledger_transaction using gin (stripe_ids);

create table ledger_transfer (
    transfer_id bigint generated always as identity primary key,
    transaction_id bigint not null references ledger_transaction,
    place integer not null check (place >= 0),
    debit_account_id bigint not null references ledger_account,
    credit_account_id bigint not null references ledger_account,
    -- At most 2^53, which every client holds exactly.
    amount_minor bigint not null check (amount_minor between 1 and 9007199254740992),
    award_id text collate "C",
    unique (transaction_id, place),
    check (debit_account_id <> credit_account_id)
);

create index ledger_transfer_debit on ledger_transfer (debit_account_id);
create index ledger_transfer_credit on ledger_transfer (credit_account_id);
create index ledger_transfer_award on ledger_transfer (award_id) where award_id is not null;

-- A month that is closed takes no more entries, nor does any before it; there is no way back.
create table ledger_closed_month (
    currency text collate "C" not null check (currency ~ '^[A-Z]{3}$'),
    month date not null check (month = date_trunc('month', month)::date),
    closed_at_us bigint not null,
    closed_by text collate "C" not null check (length(closed_by) between 1 and 64),
    primary key (currency, month)
);

-- Posting holds this lock shared, closing a month alone: no entry slips in while a month closes.
create function ledger_period_lock(of_currency text) returns bigint
language sql immutable as $$
    select ('x' || substr(md5('softclose ledger ' || of_currency), 1, 16))::bit(64)::bigint
$$;

create function ledger_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: it is corrected by a reversing entry', tg_table_name
        using errcode = 'restrict_violation';
end
$$;

create trigger ledger_account_append_only
before update or delete or truncate on ledger_account
for each statement execute function ledger_is_append_only();
create trigger ledger_kind_append_only
before update or delete or truncate on ledger_kind
for each statement execute function ledger_is_append_only();
create trigger ledger_transaction_append_only
before update or delete or truncate on ledger_transaction
for each statement execute function ledger_is_append_only();
create trigger ledger_transfer_append_only
before update or delete or truncate on ledger_transfer
for each statement execute function ledger_is_append_only();
create trigger ledger_closed_month_append_only
before update or delete or truncate on ledger_closed_month
for each statement execute function ledger_is_append_only();
create trigger ledger_balance_append_only
before delete or truncate on ledger_balance
for each statement execute function ledger_is_append_only();

-- A balance moves inside the transfers' trigger only, one level up.
create function ledger_balance_follows() returns trigger language plpgsql as $$
begin
    if pg_trigger_depth() < 2 then
        raise exception 'ledger_balance follows the transfers' using errcode = 'restrict_violation';
    end if;
    return null;
end
$$;

create trigger ledger_balance_follows
before insert or update on ledger_balance
for each statement execute function ledger_balance_follows();

create function ledger_account_made() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    insert into ledger_balance (account_id) select account_id from made order by account_id;
    return null;
end
$$;

create trigger ledger_account_made after insert on ledger_account
referencing new table as made
for each statement execute function ledger_account_made();

create function ledger_month_closing() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform pg_advisory_xact_lock(public.ledger_period_lock(new.currency));
    return new;
end
$$;

create trigger ledger_month_closing before insert on ledger_closed_month
for each row execute function ledger_month_closing();

-- Takes transfers into the balances: whole transactions only, of one currency, into open months,
-- and in the order in which they were handed over no transaction may leave an account overdrawn.
create function ledger_transfers_made() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    found text;
begin
    for found in
        select distinct t.currency
        from made m join ledger_transaction t using (transaction_id)
        order by t.currency
    loop
        perform pg_advisory_xact_lock_shared(ledger_period_lock(found));
    end loop;

    select t.key into found
    from (select transaction_id, count(*) as postings from made group by 1) as m
    join ledger_transaction t using (transaction_id)
    where t.postings <> m.postings or t.recorded_in <> pg_current_xact_id()
    limit 1;
    if found is not null then
        raise exception using
            errcode = 'SL001',
            message = format('%s: its transfers are written once, all of them', found);
    end if;

    select t.key into found
    from made m
    join ledger_transaction t using (transaction_id)
    join ledger_account d on d.account_id = m.debit_account_id
    join ledger_account c on c.account_id = m.credit_account_id
    where d.currency <> t.currency or c.currency <> t.currency
    limit 1;
    if found is not null then
        raise exception using
            errcode = 'SL002', message = format('%s: an entry has one currency', found);
    end if;

    select t.key into found
    from made m
    join ledger_transaction t using (transaction_id)
    where t.month <= (
        select max(closed.month) from ledger_closed_month closed where closed.currency = t.currency
    )
    limit 1;
    if found is not null then
        raise exception using
            errcode = 'SL003', message = format('%s: its month is closed', found);
    end if;

    -- One order for all, so that no two postings wait for each other.
    perform 1 from ledger_balance
    where account_id in (
        select debit_account_id from made union select credit_account_id from made
    )
    order by account_id for update;

    select format('%s: %s would be overdrawn', t.key, a.name) into found
    from (
        select
            account_id,
            transaction_id,
            place,
            b.debits_minor + sum(moved.debit_minor) over through as debits_minor,
            b.credits_minor + sum(moved.credit_minor) over through as credits_minor
        from (
            select
                account_id,
                transaction_id,
                min(transfer_id) as place,
                sum(debit_minor) as debit_minor,
                sum(credit_minor) as credit_minor
            from (
                select debit_account_id as account_id, transaction_id, transfer_id,
                    amount_minor as debit_minor, 0::bigint as credit_minor
                from made
                union all
                select credit_account_id, transaction_id, transfer_id, 0, amount_minor from made
            ) as sides
            group by account_id, transaction_id
        ) as moved
        join ledger_balance b using (account_id)
        window through as (partition by account_id order by place)
    ) as running
    join ledger_account a using (account_id)
    join ledger_kind k using (kind)
    join ledger_transaction t using (transaction_id)
    where not k.may_overdraw
    and case when k.debit_side
        then running.debits_minor < running.credits_minor
        else running.credits_minor < running.debits_minor
    end
    order by running.place
    limit 1;
    if found is not null then
        raise exception using errcode = 'SL004', message = found;
    end if;

    update ledger_balance b
    set debits_minor = b.debits_minor + moved.debits_minor,
        credits_minor = b.credits_minor + moved.credits_minor
    from (
        select
            account_id,
            sum(debit_minor)::bigint as debits_minor,
            sum(credit_minor)::bigint as credits_minor
        from (
            select debit_account_id as account_id, amount_minor as debit_minor, 0 as credit_minor
            from made
            union all
            select credit_account_id, 0, amount_minor from made
        ) as sides
        group by account_id
    ) as moved
    where b.account_id = moved.account_id;
    return null;
end
$$;

create trigger ledger_transfers_made after insert on ledger_transfer
referencing new table as made
for each statement execute function ledger_transfers_made();

-- At the commit: no transaction without its transfers.
create function ledger_transaction_is_whole() returns trigger language plpgsql as $$
begin
    if not exists (select from ledger_transfer where transaction_id = new.transaction_id) then
        raise exception using
            errcode = 'SL001', message = format('%s: it has no transfers', new.key);
    end if;
    return null;
end
$$;

create constraint trigger ledger_transaction_is_whole after insert on ledger_transaction
deferrable initially deferred
for each row execute function ledger_transaction_is_whole();

-- What a process that books needs, and no more. Roles belong to the whole server, so another
-- database's migration may have made it; where roles may not be made, an operator makes it.
do $$
begin
    create role softclose_ledger nologin;
exception
    when duplicate_object or unique_violation then null;
    when insufficient_privilege then
        raise notice 'the role softclose_ledger was not made: no right to';
end
$$;

do $$
begin
    if exists (select from pg_roles where rolname = 'softclose_ledger') then
        grant usage on schema public to softclose_ledger;
        grant select on ledger_kind, ledger_balance to softclose_ledger;
        grant select on ledger_account, ledger_transaction, ledger_transfer, ledger_closed_month
        to softclose_ledger;
        -- By column, so that nobody says when or as the how-manieth something was recorded.
        grant insert (name, currency, kind) on ledger_account to softclose_ledger;
        grant insert (key, sha256, purpose, currency, effective_at_us, postings, reverses, sale_id,
            invoice_id, liquidator_id, consignor_id, buyer_id, stripe_ids, note)
        on ledger_transaction to softclose_ledger;
        grant insert (transaction_id, place, debit_account_id, credit_account_id, amount_minor,
            award_id)
        on ledger_transfer to softclose_ledger;
        grant insert on ledger_closed_month to softclose_ledger;
    end if;
end
$$;

revoke all on function
    ledger_account_made(), ledger_transfers_made(), ledger_month_closing()
from public;
