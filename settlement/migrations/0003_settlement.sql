-- What was won and is to be paid: an award for each lot, an invoice for a buyer's awards of a sale
-- from one place, the operations that settlement still has to do, and what has happened so far.
-- States are those of settlement/lives.py; times are microseconds since 1970, amounts minor units.

create table invoice (
    invoice_id text collate "C" primary key,
    -- As it is printed. Numbers rise in the order of issue; a gap means nothing.
    number bigint generated always as identity unique,
    sale_id text collate "C" not null,
    buyer_id text collate "C" not null,
    liquidator_id text collate "C" not null,
    currency text collate "C" not null check (currency ~ '^[A-Z]{3}$'),
    -- Never changed: what of it need not be paid is credited.
    body jsonb not null,
    total_minor bigint not null check (total_minor >= 0),
    -- By which its days are counted.
    zone text not null,
    country text not null,
    policy_version integer not null,
    issued_at_us bigint not null,
    due_at_us bigint not null,
    payment text not null,
    -- What came in for it and what was credited of it, all told; what went back is taken off.
    paid_minor bigint not null default 0 check (paid_minor >= 0),
    credited_minor bigint not null default 0 check (credited_minor between 0 and total_minor),
    -- Tries to pay it; each has objects of its own at the payment provider.
    tries integer not null default 0,
    paid_at_us bigint,
    changed_at_us bigint not null,
    version bigint not null default 1
);

create index invoice_of_buyer on invoice (buyer_id, issued_at_us desc);
create index invoice_of_sale on invoice (sale_id);
create index invoice_of_liquidator on invoice (liquidator_id, issued_at_us desc);
create index invoice_open on invoice (due_at_us) where payment not in ('PAID', 'DEFAULTED', 'REFUNDED');

create table award (
    award_id text collate "C" primary key,
    sale_id text collate "C" not null,
    lot_id text collate "C" not null,
    -- 1; the runner-up's after a default is 2, and so on.
    generation integer not null check (generation >= 1),
    buyer_id text collate "C" not null,
    liquidator_id text collate "C" not null,
    consignor_id text collate "C",
    invoice_id text collate "C" references invoice,
    currency text collate "C" not null check (currency ~ '^[A-Z]{3}$'),
    hammer_minor bigint not null check (hammer_minor >= 0),
    -- How it is invoiced, and what the goods are as they were published: facts, never changed.
    body jsonb not null,
    goods jsonb not null,
    state text not null,
    awarded_at_us bigint not null,
    funded_at_us bigint,
    handed_over_at_us bigint,
    accepted_at_us bigint,
    released_at_us bigint,
    paid_out_at_us bigint,
    ended_at_us bigint,
    changed_at_us bigint not null,
    version bigint not null default 1,
    unique (sale_id, lot_id, generation)
);

create index award_of_invoice on award (invoice_id);
create index award_of_buyer on award (buyer_id, awarded_at_us desc);
create index award_of_liquidator on award (liquidator_id, awarded_at_us desc);
create index award_of_consignor on award (consignor_id, awarded_at_us desc)
where consignor_id is not null;
create index award_in_state on award (state, changed_at_us)
where state not in ('CLOSED', 'CANCELLED', 'VOID');

-- The truth of what is still to be done. Written with the state that wants it, before anything is
-- sent; its idempotency key is a function of what it is about, so that a crash forgets nothing.
create table settlement_op (
    op_id bigint generated always as identity primary key,
    operation text collate "C" not null,
    subject text collate "C" not null,
    generation integer not null check (generation >= 1),
    idempotency_key text collate "C" not null unique check (length(idempotency_key) <= 255),
    arguments jsonb not null,
    state text not null check (state in ('WAITING', 'DONE', 'HELD', 'DROPPED')),
    -- When it is done, or tried again; while somebody is at it, the end of the lease.
    due_at_us bigint not null,
    attempts integer not null default 0,
    claims bigint not null default 0,
    first_sent_at_us bigint,
    made_at_us bigint not null,
    ended_at_us bigint,
    -- Why it waits again, is held for a person, or was dropped.
    note text not null default '',
    unique (operation, subject, generation)
);

create index settlement_op_due on settlement_op (due_at_us, op_id) where state = 'WAITING';
create index settlement_op_held on settlement_op (due_at_us) where state = 'HELD';
create index settlement_op_subject on settlement_op (subject);

-- What happened to an invoice or an award, for people: the time line.
create table story_line (
    story_id bigint generated always as identity primary key,
    invoice_id text collate "C",
    award_id text collate "C",
    kind text not null,
    at_us bigint not null,
    -- A person, or "softclose".
    actor text not null,
    facts jsonb not null,
    check (invoice_id is not null or award_id is not null)
);

create index story_line_invoice on story_line (invoice_id, at_us, story_id) where invoice_id is not null;
create index story_line_award on story_line (award_id, at_us, story_id) where award_id is not null;
