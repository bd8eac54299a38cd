"""What may be claimed of a lot, and what is credited, to the cent."""

from fractions import Fraction
from itertools import product

import pytest

from auction.catalog.goods import Condition, FreightTerms, ManifestLine
from settlement.claims import (
    CLAIMABLE,
    ClaimedLine,
    ClaimRefusal,
    Reason,
    Threshold,
    credit_of,
    credited_share,
    lost_share,
    refusal_of,
    untimely,
)
from settlement.entries import AwardMoney
from settlement.invoices import Line, line_of
from settlement.lives import AwardState
from settlement.policy import ThresholdPays
from tests.settlement_rules import award, premium_of, tax_at

FULL, EXCESS = ThresholdPays.FULL, ThresholdPays.EXCESS
NO_THRESHOLD = Threshold(0)
BINDING = FreightTerms.BINDING


def listed(
    number: int = 1,
    quantity: int = 100,
    msrp_minor: int = 200_00,
    condition: Condition = Condition.LIKE_NEW,
) -> ManifestLine:
    return ManifestLine(
        line=number,
        description="Blender",
        condition=condition,
        quantity=quantity,
        unit_msrp_minor=msrp_minor,
    )


def missing(quantity: int, number: int = 1) -> ClaimedLine:
    return ClaimedLine(line=number, reason=Reason.MISSING, quantity=quantity)


def sold(
    hammer_minor: int, premium_bps: int = 0, rate_ppm: int = 0, freight_minor: int = 0
) -> Line:
    lot = award(hammer_minor=hammer_minor, freight_minor=freight_minor)
    return line_of(lot, premium_of(premium_bps), tax_at(rate_ppm=rate_ppm))


TWENTY_THOUSAND = [listed(1, 20, 50_00), listed(2, 95, 200_00)]


def test_the_hammer_price_comes_back_by_the_share_of_msrp_that_is_missing() -> None:
    back = credit_of(sold(3_200_00), TWENTY_THOUSAND, [missing(20)], Threshold(500, FULL))
    assert back.total_minor == back.hammer_minor == 160_00


@pytest.mark.parametrize(
    ("share_bps", "pays", "credit_minor"),
    [
        (600, FULL, 120_00),
        (600, EXCESS, 20_00),
        (500, FULL, 100_00),
        (500, EXCESS, 0),
        (499, FULL, 0),
        (499, EXCESS, 0),
    ],
)
def test_a_threshold_pays_all_of_the_loss_or_what_exceeds_it(
    share_bps: int, pays: ThresholdPays, credit_minor: int
) -> None:
    goods = [listed(1, 10_000, 1_00)]
    back = credit_of(sold(2_000_00), goods, [missing(share_bps)], Threshold(500, pays))
    assert back.total_minor == credit_minor


def test_at_the_threshold_the_loss_counts_and_just_below_it_does_not() -> None:
    five = Threshold(500, FULL)
    assert credited_share(Fraction(1, 20), five) == Fraction(1, 20)
    assert credited_share(Fraction(1, 20) - Fraction(1, 10**12), five) == 0


def test_the_claim_of_the_worked_example() -> None:
    made = sold(1_000_000, premium_bps=1_000, rate_ppm=82_500)
    back = credit_of(made, [listed(1, 100)], [missing(12)], NO_THRESHOLD)
    assert (back.hammer_minor, back.premium_minor, back.tax_minor) == (120_000, 12_000, 10_890)
    assert back.total_minor == 142_890


def test_freight_comes_back_by_the_share_of_units_that_are_missing() -> None:
    made = sold(1_000_00, freight_minor=250_00)
    goods = [listed(1, 8, 1_00), listed(2, 92, 100_00)]
    assert credit_of(made, goods, [missing(8)], NO_THRESHOLD).freight_minor == 20_00


def test_freight_of_what_came_damaged_does_not_come_back() -> None:
    hurt = ClaimedLine(line=1, reason=Reason.DAMAGED, quantity=8)
    made = sold(1_000_00, freight_minor=250_00)
    assert credit_of(made, [listed()], [hurt], NO_THRESHOLD).freight_minor == 0


def test_below_the_threshold_no_freight_comes_back_either() -> None:
    made = sold(1_000_00, freight_minor=250_00)
    assert credit_of(made, [listed()], [missing(4)], Threshold(500, FULL)).total_minor == 0
    at_it = credit_of(made, [listed()], [missing(5)], Threshold(500, EXCESS))
    assert (at_it.hammer_minor, at_it.freight_minor) == (0, 12_50)


def test_a_part_of_the_value_may_be_lost() -> None:
    half = ClaimedLine(line=1, reason=Reason.DAMAGED, quantity=10, loss_bps=5_000)
    assert lost_share([listed()], [half]) == Fraction(1, 20)


def test_without_any_msrp_units_are_counted() -> None:
    assert lost_share([listed(msrp_minor=0)], [missing(7)]) == Fraction(7, 100)


def test_all_of_it_missing_brings_all_of_it_back() -> None:
    made = sold(1_237_50, premium_bps=1_500, rate_ppm=82_500, freight_minor=199_99)
    back = credit_of(made, [listed()], [missing(100)], NO_THRESHOLD)
    assert back == made.money


def test_a_second_claim_brings_what_the_first_did_not() -> None:
    made = sold(1_000_000, premium_bps=1_000, rate_ppm=82_500)
    first = credit_of(made, [listed()], [missing(5)], NO_THRESHOLD)
    both = [missing(5), missing(7)]
    second = credit_of(made, [listed()], both, NO_THRESHOLD, [first])
    assert first.total_minor + second.total_minor == 142_890


def test_small_claims_do_not_slip_under_the_threshold_nor_lose_by_it() -> None:
    five = Threshold(500, EXCESS)
    first = credit_of(sold(2_000_00), [listed()], [missing(3)], five)
    second = credit_of(sold(2_000_00), [listed()], [missing(3), missing(3)], five, [first])
    assert (first.total_minor, second.total_minor) == (0, 20_00)


def test_tax_that_a_certificate_brought_back_is_not_credited_again() -> None:
    made = sold(1_000_000, premium_bps=1_000, rate_ppm=82_500)
    tax = AwardMoney(
        award_id=made.award_id, hammer_minor=0, tax_minor=90_750, tax_place=made.money.tax_place
    )
    back = credit_of(made, [listed()], [missing(12)], NO_THRESHOLD, [tax])
    assert (back.hammer_minor, back.tax_minor) == (120_000, 0)


# --- What may be claimed -------------------------------------------------------------------------


@pytest.mark.parametrize("reason", Reason)
def test_what_can_be_claimed_is_a_table_of_reason_condition_and_freight(reason: Reason) -> None:
    for condition, freight in product(Condition, FreightTerms):
        goods = {1: listed(condition=condition)}
        claim = ClaimedLine(line=1, reason=reason, quantity=1)
        refused = refusal_of(goods, freight, [claim])
        graded = condition not in (Condition.SALVAGE, Condition.UNINSPECTED)
        whole = condition is not Condition.SALVAGE and freight is not FreightTerms.BUYER_ARRANGED
        allowed = {Reason.WORSE_CONDITION: graded, Reason.DAMAGED: whole}.get(reason, True)
        assert (refused is None) is allowed, (condition, freight)
        assert refused is None or refused.code is ClaimRefusal.NOT_COVERED


def test_every_reason_is_in_the_table() -> None:
    assert set(CLAIMABLE) == set(Reason)


@pytest.mark.parametrize(
    ("claimed", "code"),
    [
        ([], ClaimRefusal.NOTHING_CLAIMED),
        ([missing(1, number=9)], ClaimRefusal.UNKNOWN_LINE),
        ([missing(101)], ClaimRefusal.QUANTITY_ABOVE_MANIFEST),
        ([missing(60), missing(41)], ClaimRefusal.QUANTITY_ABOVE_MANIFEST),
        (
            [ClaimedLine(line=1, reason=Reason.MISSING, quantity=1, loss_bps=5_000)],
            ClaimRefusal.LOSS_NOT_POSSIBLE,
        ),
        (
            [ClaimedLine(line=1, reason=Reason.DAMAGED, quantity=1, loss_bps=0)],
            ClaimRefusal.LOSS_NOT_POSSIBLE,
        ),
    ],
)
def test_a_claim_that_cannot_be_is_refused(claimed: list[ClaimedLine], code: ClaimRefusal) -> None:
    refused = refusal_of({1: listed()}, BINDING, claimed)
    assert refused is not None and refused.code is code


def test_all_pieces_of_a_line_may_be_affected_and_none_twice() -> None:
    assert refusal_of({1: listed()}, BINDING, [missing(100)]) is None
    refused = refusal_of({1: listed()}, BINDING, [missing(41)], earlier=[missing(60)])
    assert refused is not None
    assert refused.message == "line 1: 101 are affected of 100"


@pytest.mark.parametrize(
    ("state", "now_us", "code"),
    [
        (AwardState.FUNDED, 0, ClaimRefusal.NOT_HANDED_OVER),
        (AwardState.CLAIMED, 0, ClaimRefusal.ALREADY_CLAIMED),
        (AwardState.HANDED_OVER, 99, None),
        (AwardState.HANDED_OVER, 100, ClaimRefusal.CLAIMS_WINDOW_OVER),
        (AwardState.ACCEPTED, 0, ClaimRefusal.CLAIMS_WINDOW_OVER),
        (AwardState.CLOSED, 0, ClaimRefusal.CLAIMS_WINDOW_OVER),
    ],
)
def test_claims_are_taken_from_the_handing_over_until_the_window_ends(
    state: AwardState, now_us: int, code: ClaimRefusal | None
) -> None:
    refused = untimely(state, until_us=100, now_us=now_us)
    assert (refused and refused.code) == code
