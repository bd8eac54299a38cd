-- What a buyer owes for lots that it did not pay is a charge like those of the dock: its credit pays
-- it, its card or staff at a counter do, and until then the buyer stays suspended. Two people may
-- give it up.

alter table buyer_charge drop constraint buyer_charge_kind_check;
alter table buyer_charge add constraint buyer_charge_kind_check
check (kind in ('STORAGE', 'MISSED_APPOINTMENT', 'RELIST_FEE'));

create index buyer_charge_relist_open on buyer_charge (made_at_us, charge_id)
where state = 'OPEN' and kind = 'RELIST_FEE';

-- Somebody wants to give up what is open of a fee: another person agrees, or says no.
create table charge_write_off (
    charge_id text collate "C" not null references buyer_charge,
    number integer not null check (number >= 1),
    state text not null check (state in ('ASKED', 'AGREED', 'REFUSED')),
    why text not null check (why <> ''),
    asked_at_us bigint not null,
    asked_by text not null,
    decided_at_us bigint,
    decided_by text,
    primary key (charge_id, number),
    check ((state = 'ASKED') = (decided_by is null)),
    check (state <> 'AGREED' or decided_by <> asked_by)
);

create unique index charge_write_off_asked on charge_write_off (charge_id) where state = 'ASKED';

-- Of defaults before this, what their buyers' credit did not pay.
insert into buyer_charge (charge_id, kind, buyer_id, liquidator_id, award_id, currency,
    amount_minor, paid_minor, state, facts, made_at_us)
select 'relist~' || d.invoice_id || '~' || d.turn, 'RELIST_FEE', d.buyer_id, a.liquidator_id,
    a.award_id, d.currency, d.relist_fees_minor, d.paid_minor, 'OPEN',
    jsonb_build_object('invoice_id', d.invoice_id, 'turn', d.turn), d.defaulted_at_us
from buyer_default d
cross join lateral (
    select award_id, liquidator_id from award
    where award.invoice_id = d.invoice_id and state = 'VOID' order by award_id limit 1
) a
where d.relist_fees_minor > d.paid_minor;
