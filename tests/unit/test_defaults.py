"""What follows when a buyer does not pay, to the cent."""

import pytest

from auction.ids import BidderId, LotId
from auction.pricing import ReserveStatus
from auction.sale import Lot, Standing
from auction.terms import Terms
from settlement.defaults import (
    AskSeller,
    AtProvider,
    AwardTo,
    MakeOffer,
    Next,
    NotVoid,
    Offer,
    Relist,
    RunnerUp,
    Wait,
    at_provider,
    keeps_from_void,
    next_step,
    payment_after_void,
    penalty_of,
    runner_up_of,
)
from settlement.lives import PAYMENT_LIFE, PaymentState
from settlement.policy import DAY_US, RunnerUpPrice
from tests.settlement_rules import CALENDAR, CLOSED, at_us, policy

A, B, W = BidderId("a"), BidderId("b"), BidderId("w")
RECOMPUTED, LAST_BID = RunnerUpPrice.RECOMPUTED, RunnerUpPrice.LAST_BID


def lot(reserve_minor: int | None = None, **maxima: int) -> Lot:
    """The lot of the rules, on which A, B and W bid in this order."""
    bids = maxima or {"a": 3_000_00, "b": 4_000_00, "w": 5_000_00}
    return Lot(
        lot_id=LotId("1"),
        kind="PALLET",
        title="",
        group="",
        restrictions=frozenset(),
        consignor_id=None,
        opening_minor=1_000_00,
        reserve_minor=reserve_minor,
        opens_at_us=0,
        scheduled_closes_at_us=CLOSED,
        closes_at_us=CLOSED,
        latest_end_us=None,
        standings={
            BidderId(name): Standing(maximum, 0, order)
            for order, (name, maximum) in enumerate(bids.items())
        },
    )


def runner_up(of: Lot, *without: BidderId, rule: RunnerUpPrice = RECOMPUTED) -> RunnerUp | None:
    return runner_up_of(of, Terms(), without, rule)


def test_the_runner_up_pays_as_if_the_defaulter_had_not_bid() -> None:
    assert runner_up(lot(), W) == RunnerUp(B, 3_050_00, ReserveStatus.NONE)


def test_or_its_own_last_bid_where_the_terms_say_so() -> None:
    assert runner_up(lot(), W, rule=LAST_BID) == RunnerUp(B, 4_000_00, ReserveStatus.NONE)


def test_the_last_one_left_pays_the_opening_bid() -> None:
    assert runner_up(lot(), W, B) == RunnerUp(A, 1_000_00, ReserveStatus.NONE)
    assert runner_up(lot(), W, B, A) is None


def test_of_equal_bids_the_earlier_is_the_runner_up() -> None:
    found = runner_up(lot(a=4_000_00, b=4_000_00, w=5_000_00), W)
    assert found == RunnerUp(A, 4_000_00, ReserveStatus.NONE)


def test_the_reserve_counts_and_the_seller_sees_if_it_is_not_met() -> None:
    assert runner_up(lot(reserve_minor=3_500_00), W) == RunnerUp(B, 3_500_00, ReserveStatus.MET)
    assert runner_up(lot(4_500_00), W) == RunnerUp(B, 4_000_00, ReserveStatus.NOT_MET)


# --- One offer at a time -------------------------------------------------------------------------

NOW = CLOSED
OFFERED = Offer(bidder_id=B, price_minor=3_050_00, until_us=NOW + DAY_US)
DECLINED = Offer(bidder_id=B, price_minor=3_050_00, until_us=NOW + DAY_US, accepted=False)
TAKEN = Offer(bidder_id=B, price_minor=3_050_00, until_us=NOW + DAY_US, accepted=True)
TO_A = RunnerUp(A, 1_000_00, ReserveStatus.NONE)


def step(*offers: Offer, now_us: int = NOW, **consents: bool) -> Next:
    said = {BidderId(name): yes for name, yes in consents.items()}
    return next_step(
        lot(), Terms(), policy(), now_us=now_us, without=[W], offers=offers, consents=said
    )


def test_the_seller_is_asked_before_the_runner_up() -> None:
    assert step() == AskSeller(RunnerUp(B, 3_050_00, ReserveStatus.NONE))


def test_with_consent_the_lot_is_offered_for_24_hours() -> None:
    assert step(b=True) == MakeOffer(OFFERED)


def test_without_consent_it_is_relisted() -> None:
    assert step(b=False) == Relist()


def test_while_an_offer_is_open_nobody_else_is_asked() -> None:
    assert step(OFFERED, now_us=NOW + DAY_US - 1, b=True) == Wait(NOW + DAY_US)


@pytest.mark.parametrize(("offer", "now_us"), [(DECLINED, NOW), (OFFERED, NOW + DAY_US)])
def test_when_one_declines_or_lets_the_time_pass_the_next_is_asked(
    offer: Offer, now_us: int
) -> None:
    assert step(offer, now_us=now_us, b=True) == AskSeller(TO_A)


def test_who_takes_it_gets_a_new_award_however_late_that_is_seen() -> None:
    assert step(TAKEN, now_us=NOW + 2 * DAY_US, b=True) == AwardTo(B, 3_050_00)


def test_an_offer_is_answered_once_and_in_time() -> None:
    assert OFFERED.answered(accepted=True, now_us=NOW + DAY_US - 1) == TAKEN
    assert OFFERED.answered(accepted=True, now_us=NOW + DAY_US) is None
    assert DECLINED.answered(accepted=True, now_us=NOW) is None


def test_when_nobody_is_left_it_is_relisted() -> None:
    to_a = Offer(bidder_id=A, price_minor=1_000_00, until_us=NOW, accepted=False)
    assert step(DECLINED, to_a, b=True, a=True) == Relist()


# --- Void, and the penalty -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statuses", "state"),
    [
        ([], AtProvider.NOTHING),
        (["canceled", "canceled"], AtProvider.NOTHING),
        (["canceled", "requires_capture"], AtProvider.OPEN),
        (["requires_action"], AtProvider.OPEN),
        (["requires_payment_method"], AtProvider.OPEN),
        (["processing"], AtProvider.OPEN),
        (["something_new"], AtProvider.OPEN),
        (["canceled", "succeeded"], AtProvider.MONEY),
        (["processing", "succeeded"], AtProvider.MONEY),
    ],
)
def test_a_payment_is_over_only_when_nothing_of_it_can_happen_any_more(
    statuses: list[str], state: AtProvider
) -> None:
    assert at_provider(statuses) is state


@pytest.mark.parametrize(
    ("payment", "provider", "kept"),
    [
        (PaymentState.OVERDUE, AtProvider.NOTHING, None),
        (PaymentState.OVERDUE, AtProvider.OPEN, NotVoid.STILL_OPEN),
        (PaymentState.OVERDUE, AtProvider.MONEY, NotVoid.MONEY_CAME),
        (PaymentState.DUE, AtProvider.NOTHING, NotVoid.NOT_OVERDUE),
        (PaymentState.CAPTURING, AtProvider.NOTHING, NotVoid.NOT_OVERDUE),
        (PaymentState.PAID, AtProvider.NOTHING, NotVoid.NOT_OVERDUE),
    ],
)
def test_a_lot_is_void_only_when_its_payment_is_over_at_the_provider(
    payment: PaymentState, provider: AtProvider, kept: NotVoid | None
) -> None:
    assert keeps_from_void(payment, provider) is kept


def test_an_invoice_of_which_some_lots_are_paid_does_not_default() -> None:
    paid = payment_after_void(lots_paid=True)
    lost = payment_after_void(lots_paid=False)
    assert (paid, lost) == (PaymentState.PAID, PaymentState.DEFAULTED)
    assert PAYMENT_LIFE.allows(PaymentState.OVERDUE, paid)
    assert PAYMENT_LIFE.allows(PaymentState.OVERDUE, lost)


def test_who_does_not_pay_loses_deposit_a_tenth_of_each_lot_and_access() -> None:
    penalty = penalty_of(policy(), CALENDAR, [5_000_00, 1_237_55], 500_00, CLOSED)
    assert penalty.deposit_minor == 500_00
    assert penalty.relist_fees_minor == (500_00, 123_76)
    assert penalty.total_minor == 1_123_76
    assert penalty.suspended_until_us == at_us("2026-04-05 17:00")
