"""What a cancellation after the hammer costs and brings back."""

import pytest

from settlement.cancellations import cancelled, seller_fee_minor
from settlement.entries import AwardMoney
from settlement.lives import AwardState, IllegalMove
from tests.settlement_rules import line, policy


@pytest.mark.parametrize(
    ("hammer_minor", "fee_minor"),
    [(4_050_00, 810_00), (500_00, 100_00), (500_05, 100_01), (499_99, 100_00), (1_00, 100_00)],
)
def test_a_seller_that_cancels_pays_a_fifth_and_at_least_a_hundred(
    hammer_minor: int, fee_minor: int
) -> None:
    assert seller_fee_minor(policy(), hammer_minor) == fee_minor


@pytest.mark.parametrize("state", [AwardState.AWARDED, AwardState.INVOICED, AwardState.FUNDED])
def test_all_that_is_left_of_the_line_goes_back(state: AwardState) -> None:
    sold = line(hammer_minor=4_050_00)
    done = cancelled(policy(), sold, state, by_seller=True)
    assert (done.credit, done.fee_minor) == (sold.money, 810_00)


def test_what_was_credited_before_does_not_go_back_twice() -> None:
    sold = line()
    tax = AwardMoney(
        award_id=sold.award_id, hammer_minor=0, tax_minor=117_41, tax_place=sold.money.tax_place
    )
    done = cancelled(policy(), sold, AwardState.FUNDED, by_seller=True, credited=[tax])
    assert done.credit.total_minor == 1_540_54 - 117_41


def test_where_the_house_cancels_there_is_no_fee() -> None:
    assert cancelled(policy(), line(), AwardState.FUNDED, by_seller=False).fee_minor == 0


@pytest.mark.parametrize(
    "state", [AwardState.HANDED_OVER, AwardState.RELEASED, AwardState.VOID, AwardState.CANCELLED]
)
def test_what_was_handed_over_or_is_over_is_not_cancelled(state: AwardState) -> None:
    with pytest.raises(IllegalMove):
        cancelled(policy(), line(), state, by_seller=True)
