"""What the lot would sell for now, from the two best maxima. No state, no history."""

from enum import StrEnum
from typing import assert_never

from auction.increments import IncrementTable
from auction.terms import PriceRule


class ReserveStatus(StrEnum):
    """All that the public may know of a reserve."""

    NONE = "NONE"
    NOT_MET = "NOT_MET"
    MET = "MET"


def price_minor(
    rule: PriceRule,
    increments: IncrementTable,
    opening_minor: int,
    reserve_minor: int | None,
    top_minor: int,
    second_minor: int | None,
) -> int:
    """The price at the top maximum and the best maximum of another bidder (``None``: no other).

    Under a reserve the price goes at once to min(top, reserve). It is never below the
    opening bid unless the top maximum is, which only a sale without minimum check allows.
    """
    match rule:
        case PriceRule.INCREMENT_OVER:
            price = 0
            if second_minor is not None:
                price = second_minor + increments.increment_minor(second_minor)
        case PriceRule.MATCH_RIVAL:
            price = second_minor or 0
        case PriceRule.AT_MAXIMUM:
            price = top_minor
        case _:
            assert_never(rule)
    if price < opening_minor:
        price = opening_minor
    if reserve_minor is not None and price < reserve_minor:
        price = reserve_minor
    return min(price, top_minor)


def reserve_status(reserve_minor: int | None, top_minor: int | None) -> ReserveStatus:
    """Whether the top maximum (``None``: no bid) reaches the reserve."""
    if reserve_minor is None:
        return ReserveStatus.NONE
    met = top_minor is not None and top_minor >= reserve_minor
    return ReserveStatus.MET if met else ReserveStatus.NOT_MET
