-- Disputes of any money, whatever the invoice is then, and as often as money moves.

-- While above zero, nothing of the invoice is let go, whatever its payment is.
alter table invoice add column open_disputes integer not null default 0 check (open_disputes >= 0);

-- When a payer's bank took all of its money for good: what of the goods is still here stays here.
alter table award add column lost_at_us bigint;

-- Of which money: an invoice's, a deposit's (by its subject), a buyer's credit, or nobody's yet.
alter table payment_dispute drop constraint payment_dispute_charge_id_fkey;
alter table payment_dispute add column buyer_id text collate "C";
alter table payment_dispute add column deposit text collate "C";
-- What the bank took, what it gave back, and what of the difference somebody bears by now; and the
-- rows of the provider's books by which it moved: each is booked once.
alter table payment_dispute add column taken_minor bigint not null default 0;
alter table payment_dispute add column given_minor bigint not null default 0;
alter table payment_dispute add column borne_minor bigint not null default 0;
alter table payment_dispute add column booked text[] not null default '{}';

update payment_dispute d set buyer_id = c.buyer_id
from payment_charge c where c.charge_id = d.charge_id;
update payment_dispute set
    taken_minor = case when state in ('OPEN', 'WON', 'LOST') then amount_minor else 0 end,
    given_minor = case when state = 'WON' then amount_minor else 0 end,
    borne_minor = case when state = 'LOST' then amount_minor else 0 end,
    booked = coalesce((
        select array_agg(distinct stripe_id) from ledger_transaction, unnest(stripe_ids) as stripe_id
        where purpose in ('chargeback', 'dispute_won') and dispute_id = any(stripe_ids)
            and stripe_id like 'txn\_%'
    ), '{}');
update invoice set open_disputes = n from (
    select invoice_id, count(*) as n from payment_dispute where state = 'OPEN' group by invoice_id
) as disputed where invoice.invoice_id = disputed.invoice_id;

-- Of whose credit something is kept until it is decided.
create index payment_dispute_of_buyer on payment_dispute (buyer_id) where invoice_id is null;
-- What a person has to say: who bears it.
create index payment_dispute_unsettled on payment_dispute (dispute_id)
where taken_minor <> given_minor + borne_minor;

-- A bank may give back more than it took, or what was given up: until it is known whose that is, it
-- is pending with the other sign.
alter table ledger_kind disable trigger ledger_kind_append_only;
update ledger_kind set may_overdraw = true where kind = 'disputes_pending';
alter table ledger_kind enable trigger ledger_kind_append_only;
