-- Every figure of what follows the hammer, as rows: versions that hold from a time on and are never
-- changed. A currency without a row has no policy, and what is sold in it waits for one: nothing is
-- converted or guessed. Amounts are minor units, rates hundredths of a per cent (bps), spans
-- microseconds; days are business days where the name does not say calendar. How many days a buyer
-- has to pay is in payment_policy, by which buyers are told so.

create table settlement_policy (
    currency text not null,
    version integer not null check (version >= 1),
    valid_from_us bigint not null check (valid_from_us >= 0),
    label text not null,
    -- An invoice up to this is charged to the saved card, above it the buyer pays by bank.
    card_cap_minor bigint not null check (card_cap_minor >= 0),
    -- So long before a card's promise ends it is captured at the latest.
    capture_margin_us bigint not null check (capture_margin_us between 0 and 2678400000000),
    -- How long a seller has to confirm, where the terms ask it to.
    confirmation_us bigint not null check (confirmation_us between 0 and 2678400000000),
    -- From pickup or delivery on, for claims; then the goods are accepted.
    claim_days integer not null check (claim_days between 0 and 365),
    -- From the pickup deadline on, until goods that nobody fetched are accepted.
    uncollected_days integer not null check (uncollected_days between 0 and 365),
    -- Of lots that state no threshold of their own.
    claim_threshold_bps integer not null check (claim_threshold_bps between 0 and 10000),
    claim_threshold_pays text not null check (claim_threshold_pays in ('FULL', 'EXCESS')),
    -- From the payment on: then the goods are to be gone, and storage is due.
    free_days integer not null check (free_days between 0 and 365),
    -- For a pallet and a day.
    storage_minor bigint not null check (storage_minor >= 0),
    missed_after_us bigint not null check (missed_after_us between 0 and 2678400000000),
    missed_minor bigint not null check (missed_minor >= 0),
    abandoned_calendar_days integer not null check (abandoned_calendar_days between 0 and 365),
    -- Of the hammer price of a lot that was not paid.
    relist_fee_bps integer not null check (relist_fee_bps between 0 and 10000),
    suspension_calendar_days integer not null check (suspension_calendar_days between 0 and 365),
    -- How long an offer to a runner-up stands.
    offer_us bigint not null check (offer_us between 1 and 2678400000000),
    runner_up_price text not null check (runner_up_price in ('RECOMPUTED', 'LAST_BID')),
    -- Of the hammer price, when the seller cancels after the hammer.
    cancellation_bps integer not null check (cancellation_bps between 0 and 10000),
    cancellation_least_minor bigint not null check (cancellation_least_minor >= 0),
    -- Of liquidators that have no rate of their own.
    commission_bps integer not null check (commission_bps between 0 and 10000),
    commission_least_minor bigint not null check (commission_least_minor >= 0),
    -- Nothing is sent to bank details that were changed so recently.
    account_freeze_us bigint not null check (account_freeze_us between 0 and 2678400000000),
    made_at_us bigint not null,
    made_by text not null,
    primary key (currency, version),
    unique (currency, valid_from_us)
);

-- What the house takes of a liquidator's hammer prices, where it is not the policy's rate.
create table liquidator_commission (
    liquidator_id text collate "C" not null,
    currency text not null,
    valid_from_us bigint not null check (valid_from_us >= 0),
    rate_bps integer not null check (rate_bps between 0 and 10000),
    least_minor bigint not null check (least_minor >= 0),
    made_at_us bigint not null,
    made_by text not null,
    primary key (liquidator_id, currency, valid_from_us)
);

create function settlement_policy_stays() returns trigger language plpgsql as $$
begin
    raise exception '% is never changed: another figure is another row', tg_table_name;
end
$$;

create trigger settlement_policy_stays before update or delete on settlement_policy
for each row execute function settlement_policy_stays();

create trigger settlement_policy_is_kept before truncate on settlement_policy
for each statement execute function settlement_policy_stays();

create trigger liquidator_commission_stays before update or delete on liquidator_commission
for each row execute function settlement_policy_stays();

create trigger liquidator_commission_is_kept before truncate on liquidator_commission
for each statement execute function settlement_policy_stays();

insert into settlement_policy (
    currency, version, valid_from_us, label, card_cap_minor, capture_margin_us, confirmation_us,
    claim_days, uncollected_days, claim_threshold_bps, claim_threshold_pays, free_days,
    storage_minor, missed_after_us, missed_minor, abandoned_calendar_days, relist_fee_bps,
    suspension_calendar_days, offer_us, runner_up_price, cancellation_bps,
    cancellation_least_minor, commission_bps, commission_least_minor, account_freeze_us,
    made_at_us, made_by
) values (
    'USD', 1, 0, 'Default of a new installation: replace it with your own', 100000,
    43200000000, 86400000000, 2, 2, 500, 'FULL', 5, 700, 7200000000, 5000, 14, 1000, 30,
    86400000000, 'RECOMPUTED', 2000, 10000, 1000, 0, 172800000000, 0, 'softclose'
);
