"""What a payment and an award may become, and what is refused."""

from collections.abc import Iterable
from itertools import pairwise, product
from typing import Any

import pytest

from settlement.deposit_life import DEPOSIT_LIFE
from settlement.lives import (
    AWARD_LIFE,
    PAYMENT_LIFE,
    AwardState,
    IllegalMove,
    Life,
    PaymentState,
)

LIVES: list[Life[Any]] = [PAYMENT_LIFE, AWARD_LIFE, DEPOSIT_LIFE]
P, A = PaymentState, AwardState


def walks(life: Life[Any], states: Iterable[Any]) -> bool:
    return all(life.allows(*pair) for pair in pairwise([life.start, *states]))


@pytest.mark.parametrize(
    "states",
    [
        (P.AUTHORISING, P.AUTHORISED, P.CAPTURING, P.PAID),
        (P.AWAITING_FUNDS, P.PARTLY_FUNDED, P.PAID),
        (P.AUTHORISING, P.ACTION_REQUIRED, P.AUTHORISED, P.CAPTURING, P.PAID),
        (P.AUTHORISING, P.DUE, P.OVERDUE, P.DEFAULTED),
        (P.AUTHORISING, P.AUTHORISED, P.CAPTURING, P.AUTHORISING),
        (P.AWAITING_FUNDS, P.PAID, P.DISPUTED, P.REFUNDED),
        (P.AWAITING_FUNDS, P.PAID, P.DISPUTED, P.PAID),
    ],
)
def test_a_payment_goes_these_ways(states: tuple[PaymentState, ...]) -> None:
    assert walks(PAYMENT_LIFE, states)


@pytest.mark.parametrize(
    "states",
    [
        (A.INVOICED, A.FUNDED, A.HANDED_OVER, A.ACCEPTED, A.RELEASED, A.PAID_OUT, A.CLOSED),
        (A.INVOICED, A.FUNDED, A.HANDED_OVER, A.CLAIMED, A.ACCEPTED, A.RELEASED),
        (A.INVOICED, A.FUNDED, A.ACCEPTED),
        (A.INVOICED, A.VOID),
        (A.CANCELLED,),
    ],
)
def test_an_award_goes_these_ways(states: tuple[AwardState, ...]) -> None:
    assert walks(AWARD_LIFE, states)


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (P.DUE, P.CAPTURING),
        (P.AUTHORISING, P.PAID),
        (P.AUTHORISING, P.OVERDUE),
        (P.CAPTURING, P.OVERDUE),
        (P.CAPTURING, P.DEFAULTED),
        (P.PAID, P.PAID),
        (P.PAID, P.DEFAULTED),
        (P.DEFAULTED, P.PAID),
    ],
)
def test_a_payment_does_not_go_these_ways(state: PaymentState, after: PaymentState) -> None:
    with pytest.raises(IllegalMove, match=f"is {state} and cannot become {after}"):
        PAYMENT_LIFE.move(state, after)


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (A.AWARDED, A.FUNDED),
        (A.INVOICED, A.HANDED_OVER),
        (A.FUNDED, A.RELEASED),
        (A.CLAIMED, A.RELEASED),
        (A.HANDED_OVER, A.CANCELLED),
        (A.RELEASED, A.VOID),
        (A.VOID, A.FUNDED),
    ],
)
def test_an_award_does_not_go_these_ways(state: AwardState, after: AwardState) -> None:
    with pytest.raises(IllegalMove):
        AWARD_LIFE.move(state, after)


@pytest.mark.parametrize("life", LIVES, ids=lambda life: str(life.name))
def test_a_move_that_is_not_in_the_table_is_refused(life: Life[Any]) -> None:
    for state, after in product(life.moves, repeat=2):
        if after in life.moves[state]:
            assert life.move(state, after) is after
        else:
            with pytest.raises(IllegalMove):
                life.move(state, after)


@pytest.mark.parametrize("life", LIVES, ids=lambda life: str(life.name))
def test_every_state_is_reached_and_leads_to_an_end(life: Life[Any]) -> None:
    assert set(life.moves) == set(type(life.start).__members__.values())
    assert reached(life, life.start) == set(life.moves)
    for state in life.moves:
        assert reached(life, state) & life.ends, f"{state} is a trap"
    assert {state for state, afters in life.moves.items() if not afters} <= life.ends


def reached(life: Life[Any], state: Any) -> set[Any]:
    found, left = {state}, [state]
    while left:
        fresh = set(life.moves[left.pop()]) - found
        found |= fresh
        left += fresh
    return found
