-- Whose goods a liquidator sells besides its own, under which agreement, and by which version of it
-- each published lot is settled. Amounts are minor units, rates hundredths of a per cent (bps), times
-- microseconds since the epoch, UTC.

create table consignor (
    -- By this id the engine, the results and settlement know it. It is the desk's, so that a
    -- consignor needs no login, and one organisation may consign to several liquidators.
    consignor_id text collate "C" primary key,
    liquidator_id text collate "C" not null,
    name text not null,
    contact text not null,
    note text not null,
    -- Not offered for new lots any more.
    hidden boolean not null default false,
    -- Whose people see its goods; null: nobody has a login. Made: by this desk, which may invite
    -- the first person, and nobody else's organisation.
    organisation_id text collate "C",
    organisation_made boolean not null default false,
    version integer not null check (version >= 1),
    created_at_us bigint not null,
    changed_at_us bigint not null,
    changed_by text not null,
    unique (liquidator_id, name),
    unique (liquidator_id, organisation_id)
);

create index consignor_of_organisation on consignor (organisation_id)
where organisation_id is not null;

create table consignor_agreement (
    agreement_id text collate "C" not null,
    version integer not null check (version >= 1),
    consignor_id text collate "C" not null references consignor,
    name text not null,
    -- The version with the highest number of those that are valid on a day is in force on it.
    valid_from date not null,
    currency text not null,
    -- The commission's rate on each part of the hammer price that begins there; the first at 0.
    tier_from_minor bigint[] not null,
    tier_rate_bps integer[] not null,
    minimum_commission_minor bigint not null check (minimum_commission_minor >= 0),
    fee_per_lot_minor bigint not null check (fee_per_lot_minor >= 0),
    fee_per_pallet_minor bigint not null check (fee_per_pallet_minor >= 0),
    fees_when_unsold boolean not null,
    -- What the consignor gets at least of a lot that is sold, after commission and fees.
    guarantee_minor bigint not null check (guarantee_minor >= 0),
    guarantee_per text not null check (guarantee_per in ('LOT', 'PALLET')),
    net_days integer not null check (net_days between 0 and 365),
    claims text not null check (claims in ('SHARED', 'CONSIGNOR', 'LIQUIDATOR')),
    payment_fees text not null check (payment_fees in ('SHARED', 'CONSIGNOR', 'LIQUIDATOR')),
    freight text not null check (freight in ('SHARED', 'CONSIGNOR', 'LIQUIDATOR')),
    note text not null,
    made_at_us bigint not null,
    made_by text not null,
    primary key (agreement_id, version),
    check (cardinality(tier_from_minor) between 1 and 20),
    check (cardinality(tier_from_minor) = cardinality(tier_rate_bps))
);

create index consignor_agreement_of on consignor_agreement (consignor_id, agreement_id, version);

-- Lots refer to a version for ever: another word is another version.
create function consignor_agreement_stays() returns trigger language plpgsql as $$
begin
    raise exception 'a version of an agreement is never changed';
end
$$;

create trigger consignor_agreement_stays before update or delete on consignor_agreement
for each row execute function consignor_agreement_stays();

-- What settlement reads of a published lot: it stays as it was when the lot was published. Never
-- public: neither the agreement nor the seller's papers are in the catalogue.
create table consigned_lot (
    sale_id text collate "C" not null,
    lot_id text collate "C" not null,
    consignor_id text collate "C" not null references consignor,
    agreement_id text collate "C" not null,
    agreement_version integer not null,
    -- For fees and guarantees per pallet.
    pallets integer not null check (pallets >= 0),
    -- The seller's own papers, by which a consignor's statement is put together.
    load text not null,
    purchase_order text not null,
    rma text not null,
    primary key (sale_id, lot_id),
    foreign key (agreement_id, agreement_version) references consignor_agreement
);

create index consigned_lot_of on consigned_lot (consignor_id, sale_id);
create index lot_result_of_consignor on lot_result (consignor_id, sale_id)
where consignor_id is not null;
create index lot_draft_of_consignor on lot_draft ((draft ->> 'consignor_id'))
where draft ? 'consignor_id' and removed_at_us is null;
