"""What a release brings to whom, and what keeps it back."""

import pytest
from msgspec import structs

from auction.consignment import AgreementTerms, Bearer, CommissionTier
from settlement.entries import AwardMoney
from settlement.invoices import left_of, line_of
from settlement.lives import AwardState, PaymentState
from settlement.policy import DAY_US, Commission
from settlement.releases import (
    Consigned,
    HeldBack,
    consignor_due_us,
    keeps_from_release,
    keeps_from_sending,
    release_of,
)
from tests.settlement_rules import CALENDAR, CLOSED, at_us, award, line, policy, premium_of, tax_at

NONE = Commission(0)
TWELVE = AgreementTerms(commission=(CommissionTier(0, 1_200),), fee_per_pallet_minor=18_00)


def test_the_liquidator_gets_the_hammer_price_less_the_commission() -> None:
    sold = line(hammer_minor=1_237_50)
    made = release_of(sold, sold.money, Commission(1_000))
    assert (made.commission_minor, made.liquidator_minor) == (123_75, 1_113_75)
    assert made.premium_minor == 185_63


def test_the_release_of_the_worked_example() -> None:
    sold = line_of(award(hammer_minor=1_000_000), premium_of(1_000), tax_at())
    claim = AwardMoney(award_id=sold.award_id, hammer_minor=120_000, premium_minor=12_000)
    made = release_of(sold, left_of(sold, [claim]), Commission(500))
    assert (made.hammer_minor, made.premium_minor) == (880_000, 88_000)
    assert (made.liquidator_minor, made.commission_minor) == (836_000, 44_000)


def test_of_consigned_goods_the_consignor_gets_what_was_agreed() -> None:
    sold = line(hammer_minor=10_000_00)
    made = release_of(sold, sold.money, NONE, Consigned(TWELVE, 4))
    assert (made.consignor_minor, made.liquidator_minor) == (8_728_00, 1_272_00)
    with_commission = release_of(sold, sold.money, Commission(500), Consigned(TWELVE, 4))
    assert with_commission.consignor_minor == 8_728_00
    assert with_commission.liquidator_minor == 772_00


@pytest.mark.parametrize(
    ("bearer", "consignor_minor"),
    [
        (Bearer.SHARED, 792_00),  # 88 % of 900
        (Bearer.CONSIGNOR, 780_00),
        (Bearer.LIQUIDATOR, 880_00),
    ],
)
def test_a_buyers_credit_is_borne_as_agreed(bearer: Bearer, consignor_minor: int) -> None:
    sold = line(hammer_minor=1_000_00)
    terms = AgreementTerms(commission=(CommissionTier(0, 1_200),), claims=bearer)
    credit = AwardMoney(award_id=sold.award_id, hammer_minor=100_00)
    made = release_of(sold, left_of(sold, [credit]), NONE, Consigned(terms, 0))
    assert made.consignor_minor == consignor_minor
    assert made.liquidator_minor == 900_00 - consignor_minor


@pytest.mark.parametrize(
    ("bearer", "consignor_minor"),
    [
        (Bearer.LIQUIDATOR, 8_728_00),
        (Bearer.CONSIGNOR, 8_728_00 - 345_62),
        (Bearer.SHARED, 8_728_00 - 301_66),  # 87.28 % of it
    ],
)
def test_the_cost_of_payment_is_borne_as_agreed(bearer: Bearer, consignor_minor: int) -> None:
    sold = line(hammer_minor=10_000_00)
    terms = structs.replace(TWELVE, payment_fees=bearer)
    made = release_of(sold, sold.money, Commission(500), Consigned(terms, 4, 345_62))
    assert made.consignor_minor == consignor_minor
    assert made.liquidator_minor == 10_000_00 - 500_00 - consignor_minor


def test_a_guarantee_may_cost_the_liquidator_more_than_the_lot_brought() -> None:
    sold = line(hammer_minor=1_000_00)
    terms = AgreementTerms(commission=(CommissionTier(0, 1_200),), guarantee_minor=1_500_00)
    made = release_of(sold, sold.money, Commission(1_000), Consigned(terms, 0))
    assert (made.consignor_minor, made.liquidator_minor) == (1_500_00, -600_00)


def test_a_commission_is_never_more_than_what_is_left() -> None:
    assert Commission(1_000, 50_00).of_minor(30_00) == 30_00
    assert Commission(1_000, 50_00).of_minor(0) == 0
    assert Commission(1_000, 50_00).of_minor(100_00) == 50_00


@pytest.mark.parametrize(
    ("award_state", "payment", "held"),
    [
        (AwardState.ACCEPTED, PaymentState.PAID, None),
        (AwardState.ACCEPTED, PaymentState.PARTLY_FUNDED, None),
        (AwardState.ACCEPTED, PaymentState.DISPUTED, HeldBack.DISPUTED),
        (AwardState.ACCEPTED, PaymentState.REFUNDED, HeldBack.REFUNDED),
        (AwardState.CLAIMED, PaymentState.PAID, HeldBack.NOT_ACCEPTED),
        (AwardState.HANDED_OVER, PaymentState.PAID, HeldBack.NOT_ACCEPTED),
        (AwardState.RELEASED, PaymentState.PAID, HeldBack.NOT_ACCEPTED),
    ],
)
def test_a_dispute_freezes_the_release(
    award_state: AwardState, payment: PaymentState, held: HeldBack | None
) -> None:
    assert keeps_from_release(award_state, payment) is held


@pytest.mark.parametrize(
    ("award_state", "payment", "changed_ago_us", "held"),
    [
        (AwardState.RELEASED, PaymentState.PAID, 2 * DAY_US, None),
        (AwardState.RELEASED, PaymentState.PAID, 2 * DAY_US - 1, HeldBack.ACCOUNT_CHANGED),
        (AwardState.RELEASED, PaymentState.PAID, None, HeldBack.NO_ACCOUNT),
        (AwardState.RELEASED, PaymentState.DISPUTED, 9 * DAY_US, HeldBack.DISPUTED),
        (AwardState.ACCEPTED, PaymentState.PAID, 9 * DAY_US, HeldBack.NOT_RELEASED),
        (AwardState.PAID_OUT, PaymentState.PAID, 9 * DAY_US, HeldBack.NOT_RELEASED),
    ],
)
def test_nothing_is_sent_in_a_dispute_nor_to_details_that_are_new(
    award_state: AwardState,
    payment: PaymentState,
    changed_ago_us: int | None,
    held: HeldBack | None,
) -> None:
    changed = None if changed_ago_us is None else CLOSED - changed_ago_us
    assert keeps_from_sending(policy(), award_state, payment, changed, CLOSED) is held


def test_a_consignor_is_paid_so_many_days_after_the_acceptance() -> None:
    assert consignor_due_us(TWELVE, CALENDAR, CLOSED) == at_us("2026-04-05 17:00")
