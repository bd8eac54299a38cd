import pytest

from auction.increments import EBAY
from auction.pricing import ReserveStatus, price_minor, reserve_status
from auction.terms import PriceRule

OVER, MATCH, AT = PriceRule.INCREMENT_OVER, PriceRule.MATCH_RIVAL, PriceRule.AT_MAXIMUM

# opening, reserve, top maximum, second maximum -> the price by each rule
FIGURES = [
    #  opening  reserve   top     second    OVER     MATCH      AT
    (100_00, None, 500_00, None, 100_00, 100_00, 500_00),
    (100_00, None, 500_00, 300_00, 305_00, 300_00, 500_00),
    (100_00, None, 505_00, 500_00, 505_00, 500_00, 505_00),  # min(505, 510)
    (100_00, None, 510_00, 500_00, 510_00, 500_00, 510_00),
    (100_00, None, 600_00, 500_00, 510_00, 500_00, 600_00),
    (100_00, None, 500_00, 500_00, 500_00, 500_00, 500_00),
    (100_00, None, 900_00, 300_00, 305_00, 300_00, 900_00),
    (100_00, 1_000_00, 800_00, None, 800_00, 800_00, 800_00),
    (100_00, 1_000_00, 1_500_00, None, 1_000_00, 1_000_00, 1_500_00),
    (100_00, 1_000_00, 1_500_00, 800_00, 1_000_00, 1_000_00, 1_500_00),
    (100_00, 1_000_00, 1_500_00, 1_200_00, 1_225_00, 1_200_00, 1_500_00),
    (100_00, 50_00, 500_00, None, 100_00, 100_00, 500_00),  # a reserve below the opening bid
    (100_00, None, 60_00, None, 60_00, 60_00, 60_00),  # only without minimum check
    (100_00, None, 80_00, 60_00, 80_00, 80_00, 80_00),
    (100_00, None, 500_00, 60_00, 100_00, 100_00, 500_00),
]


@pytest.mark.parametrize(("opening", "reserve", "top", "second", "over", "match", "whole"), FIGURES)
def test_the_price_follows_from_the_two_best_maxima(
    opening: int,
    reserve: int | None,
    top: int,
    second: int | None,
    over: int,
    match: int,
    whole: int,
) -> None:
    prices = [price_minor(rule, EBAY, opening, reserve, top, second) for rule in (OVER, MATCH, AT)]
    assert prices == [over, match, whole]


def test_the_increment_over_a_rival_is_taken_at_the_rivals_maximum() -> None:
    assert price_minor(OVER, EBAY, 1_00, None, 500_00, 99_99) == 100_99
    assert price_minor(OVER, EBAY, 1_00, None, 500_00, 100_00) == 102_50


@pytest.mark.parametrize(
    ("reserve", "top", "status"),
    [
        (None, None, ReserveStatus.NONE),
        (None, 100_00, ReserveStatus.NONE),
        (1_000_00, None, ReserveStatus.NOT_MET),
        (1_000_00, 999_99, ReserveStatus.NOT_MET),
        (1_000_00, 1_000_00, ReserveStatus.MET),
        (1_000_00, 1_500_00, ReserveStatus.MET),
    ],
)
def test_a_reserve_is_met_by_a_maximum_that_reaches_it(
    reserve: int | None, top: int | None, status: ReserveStatus
) -> None:
    assert reserve_status(reserve, top) is status
