-- Stripe's own books beside ours: its balance transactions, our entries that move its balance, what
-- matches what, and what does not; wires that nobody knows; days and months that are reported.
-- The words are those of settlement/reconciliation/words.py.

-- As Stripe says it, and never changed: net is what its balance moved by.
create table stripe_transaction (
    transaction_id text collate "C" primary key,
    kind text collate "C" not null,
    category text collate "C" not null,
    amount_minor bigint not null,
    fee_minor bigint not null,
    net_minor bigint not null check (net_minor = amount_minor - fee_minor),
    currency text collate "C" not null check (currency ~ '^[A-Z]{3}$'),
    source_id text collate "C",
    description text not null,
    made_at_us bigint not null,
    available_at_us bigint not null,
    taken_at_us bigint not null,
    -- When it matched; null: it waits for its entry.
    settled_at_us bigint
);

create index stripe_transaction_time on stripe_transaction (currency, made_at_us)
include (category, net_minor);
create index stripe_transaction_source on stripe_transaction (source_id) where source_id is not null;
create index stripe_transaction_open on stripe_transaction (made_at_us, transaction_id)
where settled_at_us is null;

-- The sums that are always in sight, kept by a trigger.
create table stripe_total (
    currency text collate "C" primary key,
    net_minor numeric not null,
    transactions bigint not null
);

create function stripe_transactions_made() returns trigger language plpgsql as $$
begin
    insert into stripe_total as total (currency, net_minor, transactions)
    select currency, sum(net_minor), count(*) from made group by currency order by currency
    on conflict (currency) do update
    set net_minor = total.net_minor + excluded.net_minor,
        transactions = total.transactions + excluded.transactions;
    return null;
end
$$;

create trigger stripe_transactions_made after insert on stripe_transaction
referencing new table as made
for each statement execute function stripe_transactions_made();

create function stripe_facts_stay() returns trigger language plpgsql as $$
begin
    if tg_op <> 'UPDATE' or (to_jsonb(old) - '{settled_at_us,corrects}'::text[])
        <> (to_jsonb(new) - '{settled_at_us,corrects}'::text[])
    then
        raise exception '%: facts are not changed', tg_table_name
            using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;

create trigger stripe_transaction_stays before update or delete on stripe_transaction
for each row execute function stripe_facts_stay();

-- How far Stripe's list was read. A pass reads all from ``from_us`` on, the newest first, page by
-- page; ``after`` is where its next page begins.
create table stripe_intake (
    one boolean primary key default true check (one),
    -- When the last whole pass began: what Stripe had by then is here. Null: there was none.
    taken_until_us bigint,
    -- When the last pass over a whole week began.
    deep_at_us bigint not null default 0,
    pass_from_us bigint,
    pass_began_us bigint,
    pass_after text collate "C",
    -- Where the next look at what is open begins: transactions by time and id, and entries.
    looked_us bigint not null default 0,
    looked_id text collate "C" not null default '',
    looked_entry_us bigint not null default 0,
    looked_entry bigint not null default 0,
    check ((pass_from_us is null) = (pass_began_us is null)),
    check (pass_after is null or pass_from_us is not null)
);

insert into stripe_intake default values;

-- The entries that move Stripe's balance, by how much, and how much of it is fees. Made with them.
create table stripe_entry (
    entry_id bigint primary key references ledger_transaction,
    key text collate "C" not null unique,
    purpose text collate "C" not null,
    currency text collate "C" not null,
    at_us bigint not null,
    -- What it adds to the balance without fees, and the fees that it takes.
    amount_minor bigint not null,
    fee_minor bigint not null,
    -- The entry that it takes back or mends.
    corrects text collate "C",
    settled_at_us bigint,
    check (amount_minor <> 0 or fee_minor <> 0)
);

create index stripe_entry_open on stripe_entry (at_us, entry_id) where settled_at_us is null;
create index stripe_entry_time on stripe_entry (currency, at_us)
include (purpose, amount_minor, fee_minor);
create index stripe_entry_corrects on stripe_entry (corrects) where corrects is not null;

-- What they name at Stripe. The ledger's own index of it keeps what is new in a list that every look
-- reads; the matcher looks hundreds of times.
create table stripe_entry_name (
    name text collate "C" not null,
    entry_id bigint not null references stripe_entry,
    primary key (name, entry_id)
);

-- A cached plan that was made while the tables were small would read them whole when they are not:
-- each transaction is looked up by its key.
create function stripe_entries_made() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    ours bigint[] := array(select account_id from ledger_account where name = 'stripe_balance');
    fees bigint[] := array(
        select account_id from ledger_account where name in ('stripe_fees', 'dispute_fees')
    );
begin
    insert into stripe_entry
        (entry_id, key, purpose, currency, at_us, amount_minor, fee_minor, corrects)
    select t.transaction_id, t.key, t.purpose, t.currency, t.effective_at_us,
        moved.amount_minor, moved.fee_minor, t.reverses
    from (
        select transaction_id,
            coalesce(sum(signed_minor) filter (where not is_fee), 0)::bigint as amount_minor,
            coalesce(-sum(signed_minor) filter (where is_fee), 0)::bigint as fee_minor
        from (
            select transaction_id, amount_minor as signed_minor,
                credit_account_id = any(fees) as is_fee
            from made where debit_account_id = any(ours)
            union all
            select transaction_id, -amount_minor, debit_account_id = any(fees)
            from made where credit_account_id = any(ours)
        ) as sides
        group by transaction_id
    ) as moved
    join ledger_transaction t using (transaction_id)
    where moved.amount_minor <> 0 or moved.fee_minor <> 0;

    insert into stripe_entry_name (name, entry_id)
    select distinct unnest(t.stripe_ids), e.entry_id
    from (select distinct transaction_id from made) as m
    join stripe_entry e on e.entry_id = m.transaction_id
    join ledger_transaction t using (transaction_id);
    return null;
end
$$;

create trigger stripe_entries_made after insert on ledger_transfer
referencing new table as made
for each statement execute function stripe_entries_made();

-- Those that were booked before there was reconciliation.
insert into stripe_entry
    (entry_id, key, purpose, currency, at_us, amount_minor, fee_minor, corrects)
select t.transaction_id, t.key, t.purpose, t.currency, t.effective_at_us,
    moved.amount_minor, moved.fee_minor, t.reverses
from (
    select transaction_id,
        coalesce(sum(signed_minor) filter (where not is_fee), 0)::bigint as amount_minor,
        coalesce(-sum(signed_minor) filter (where is_fee), 0)::bigint as fee_minor
    from (
        select f.transaction_id,
            case when d.kind = 'stripe_balance' then f.amount_minor else -f.amount_minor end
                as signed_minor,
            case when d.kind = 'stripe_balance' then c.kind else d.kind end
                in ('stripe_fees', 'dispute_fees') as is_fee
        from ledger_transfer f
        join ledger_account d on d.account_id = f.debit_account_id
        join ledger_account c on c.account_id = f.credit_account_id
        where d.kind = 'stripe_balance' or c.kind = 'stripe_balance'
    ) as sides
    group by transaction_id
) as moved
join ledger_transaction t using (transaction_id)
where moved.amount_minor <> 0 or moved.fee_minor <> 0;

insert into stripe_entry_name (name, entry_id)
select distinct unnest(t.stripe_ids), e.entry_id
from stripe_entry e join ledger_transaction t on t.transaction_id = e.entry_id;

create trigger stripe_entry_stays before update or delete on stripe_entry
for each row execute function stripe_facts_stay();

-- Which entries one of Stripe's transactions is. Mostly one, and one for its fee.
create table stripe_match (
    transaction_id text collate "C" not null references stripe_transaction,
    entry_id bigint not null references stripe_entry,
    primary key (transaction_id, entry_id)
);

create index stripe_match_entry on stripe_match (entry_id);

-- What does not match. It is resolved when the books agree, and by nothing else.
create table reconciliation_exception (
    exception_id bigint generated always as identity primary key,
    -- Stripe's transaction, or where there is none the key of the entry.
    subject text collate "C" not null,
    kind text not null check (kind in
        ('MISSING_IN_LEDGER', 'MISSING_AT_STRIPE', 'AMOUNT', 'FEE', 'CURRENCY', 'STALE')),
    currency text collate "C" not null,
    transaction_ids text[] not null,
    entry_keys text[] not null,
    stripe_minor bigint not null,
    booked_minor bigint not null,
    -- When it happened, from which it ages, and when it was found.
    since_us bigint not null,
    found_at_us bigint not null,
    owner_id text collate "C",
    note text not null default '',
    resolution text,
    resolved_at_us bigint,
    -- Rises with each change of the facts, not of the owner: a proposal is about one of them.
    facts integer not null default 1,
    version bigint not null default 1,
    check ((resolution is null) = (resolved_at_us is null))
);

create unique index reconciliation_exception_open on reconciliation_exception (subject)
where resolved_at_us is null;
create index reconciliation_exception_age on reconciliation_exception (since_us, exception_id)
where resolved_at_us is null;
-- Of a day: what was open at its end.
create index reconciliation_exception_ended
on reconciliation_exception (currency, resolved_at_us, since_us);

create table reconciliation_act (
    exception_id bigint not null references reconciliation_exception,
    number integer not null check (number >= 1),
    at_us bigint not null,
    actor text not null,
    act text not null,
    words text not null,
    primary key (exception_id, number)
);

-- What one person proposes and another books.
create table ledger_adjustment (
    adjustment_id bigint generated always as identity primary key,
    exception_id bigint references reconciliation_exception,
    -- The facts of the exception that it was proposed for.
    exception_facts integer,
    currency text collate "C" not null check (currency ~ '^[A-Z]{3}$'),
    debit text collate "C" not null,
    credit text collate "C" not null,
    amount_minor bigint not null check (amount_minor > 0),
    note text not null check (note <> ''),
    state text not null check (state in ('PROPOSED', 'APPROVED', 'REJECTED', 'WITHDRAWN')),
    proposed_by text collate "C" not null,
    proposed_at_us bigint not null,
    decided_by text collate "C",
    decided_at_us bigint,
    why text not null default '',
    entry_key text collate "C" unique references ledger_transaction (key),
    version bigint not null default 1,
    check ((exception_id is null) = (exception_facts is null)),
    check ((state = 'PROPOSED') = (decided_by is null)),
    check ((decided_by is null) = (decided_at_us is null)),
    check ((state = 'APPROVED') = (entry_key is not null)),
    constraint ledger_adjustment_takes_two
    check (case state when 'WITHDRAWN' then decided_by = proposed_by
        when 'PROPOSED' then true else decided_by <> proposed_by end)
);

create unique index ledger_adjustment_one_proposal on ledger_adjustment (exception_id)
where state = 'PROPOSED' and exception_id is not null;
create index ledger_adjustment_of_exception on ledger_adjustment (exception_id);
create index ledger_adjustment_open on ledger_adjustment (adjustment_id) where state = 'PROPOSED';

-- Whose proposal it is and what it books stay what they were.
create function ledger_adjustment_stays() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or old.state <> 'PROPOSED' or (old.currency, old.debit, old.credit,
        old.amount_minor, old.note, old.proposed_by, old.proposed_at_us)
        is distinct from (new.currency, new.debit, new.credit, new.amount_minor, new.note,
        new.proposed_by, new.proposed_at_us)
    then
        raise exception 'an adjustment is not changed' using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;

create trigger ledger_adjustment_stays before update or delete on ledger_adjustment
for each row execute function ledger_adjustment_stays();

create table bank_statement (
    statement_id bigint generated always as identity primary key,
    sha256 bytea not null unique check (length(sha256) = 32),
    name text not null,
    currency text collate "C" not null,
    lines integer not null,
    known integer not null,
    imported_at_us bigint not null,
    imported_by text not null
);

-- Money that came to the house's bank account and fits no invoice: booked as nobody's.
create table wire (
    wire_id bigint generated always as identity primary key,
    -- The bank's own id of it.
    bank_id text collate "C" not null unique,
    state text not null check (state in ('UNKNOWN', 'IDENTIFIED', 'RETURNED', 'KNOWN')),
    currency text collate "C" not null check (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint not null check (amount_minor > 0),
    received_on date not null,
    sender text not null,
    reference text not null,
    statement_id bigint references bank_statement,
    buyer_id text collate "C",
    invoice_id text collate "C" references invoice,
    -- The entry that it was booked by already, where it turned out to be known.
    known_as text collate "C" references ledger_transaction (key),
    entered_at_us bigint not null,
    entered_by text not null,
    owner_id text collate "C",
    note text not null default '',
    decided_at_us bigint,
    decided_by text,
    why text not null default '',
    version bigint not null default 1,
    check ((state = 'UNKNOWN') = (decided_at_us is null)),
    check ((decided_at_us is null) = (decided_by is null)),
    check (state <> 'IDENTIFIED' or buyer_id is not null),
    check ((state = 'KNOWN') = (known_as is not null))
);

create index wire_unknown on wire (entered_at_us, wire_id) where state = 'UNKNOWN';
create index wire_of_invoice on wire (invoice_id) where invoice_id is not null;
create index wire_time on wire (currency, entered_at_us);

-- End-of-day reports as they were made; the last of a day counts.
create table day_report (
    currency text collate "C" not null,
    day date not null,
    number integer not null check (number >= 1),
    zone text not null,
    body jsonb not null,
    sha256 bytea not null check (length(sha256) = 32),
    closed_at_us bigint not null,
    closed_by text not null,
    primary key (currency, day, number)
);

-- For the month: what was paid in it, what was owed at its end, and the accounts of a kind.
create index award_funded on award (currency, funded_at_us) where funded_at_us is not null;
create index award_ended_unpaid on award (currency, ended_at_us)
where funded_at_us is null and ended_at_us is not null;
create index award_unpaid on award (currency, awarded_at_us)
where funded_at_us is null and ended_at_us is null;
create index ledger_account_kind on ledger_account (currency, kind);
