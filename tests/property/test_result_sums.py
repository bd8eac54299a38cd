"""Sums of parts are the whole, to the cent; rates are exact until they are rounded."""

import statistics
from collections import Counter
from fractions import Fraction
from itertools import pairwise
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from auction.desk.recovery_rates import MOST_BPS, quartiles, recovery_bps, share_bps
from auction.desk.result_sums import Sums, breakdown, distribution, recoveries, sums

# Those of its fields that are added up.
ADDED = (
    "lots", "sold", "passed", "withdrawn", "unended", "units", "bids", "msrp_minor",
    "hammer_minor", "valued", "valued_msrp_minor", "valued_hammer_minor",
)  # fmt: skip


class ALot(Struct, frozen=True):
    category: str | None
    outcome: str | None
    units: int | None
    msrp_minor: int | None
    hammer_minor: int | None
    recovery_bps: int | None
    bids: int


@st.composite
def lots(draw: st.DrawFn) -> ALot:
    outcome = draw(st.sampled_from(["SOLD", "SOLD", "PASSED", "WITHDRAWN", None]))
    msrp_minor = draw(st.none() | st.integers(0, 10**9))
    hammer_minor = draw(st.integers(1, 10**9)) if outcome == "SOLD" else None
    return ALot(
        category=draw(st.sampled_from(["Kitchen", "Toys", "Tools", None])),
        outcome=outcome,
        units=draw(st.none() | st.integers(0, 1_000)),
        msrp_minor=msrp_minor,
        hammer_minor=hammer_minor,
        recovery_bps=None if hammer_minor is None else recovery_bps(hammer_minor, msrp_minor),
        bids=draw(st.integers(0, 50)),
    )


MANY = st.lists(lots(), max_size=60)


def parts_of(found: list[ALot]) -> tuple[Sums, ...]:
    parts = breakdown(found, lambda lot: lot.category, lambda key: key or "-")
    assert len({part.key for part in parts}) == len(parts)
    return tuple(part.sums for part in parts)


@given(MANY)
def test_the_parts_of_a_breakdown_add_up_to_the_total(found: list[ALot]) -> None:
    total = sums(found)
    for name in ADDED:
        assert sum(getattr(part, name) for part in parts_of(found)) == getattr(total, name)
    assert total.lots == total.sold + total.passed + total.withdrawn + total.unended
    assert total.hammer_minor == sum(lot.hammer_minor or 0 for lot in found)


@given(MANY)
def test_the_columns_of_the_distribution_hold_every_rate_once(found: list[ALot]) -> None:
    rates = recoveries(found)
    columns = distribution(rates)
    assert sum(column.lots for column in columns) == rates.total() == sums(found).valued
    for before, after in pairwise(columns):
        assert before.to_bps == after.from_bps
    for rate in rates:
        (column,) = [
            c for c in columns if c.from_bps <= rate and (c.to_bps is None or rate < c.to_bps)
        ]
        assert column.lots


@pytest.mark.parametrize(
    ("part", "whole", "rate_bps"),
    [
        (1, 20_000, 1),
        (1, 20_001, 0),
        (3, 20_000, 2),
        (2_100, 10_000, 2_100),
        (0, 7, 0),
        (1, 3, 3_333),
    ],
)
def test_half_a_hundredth_of_a_per_cent_is_rounded_up(part: int, whole: int, rate_bps: int) -> None:
    assert share_bps(part, whole) == rate_bps


@given(st.integers(0, 10**12), st.integers(1, 10**12))
def test_a_share_is_rounded_half_up_and_only_once(part: int, whole: int) -> None:
    exact = Fraction(part * 10_000, whole)
    rounded = share_bps(part, whole)
    assert rounded is not None and -Fraction(1, 2) < rounded - exact <= Fraction(1, 2)


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_a_recovery_is_a_share_of_an_msrp_that_says_something(hammer: int, msrp: int) -> None:
    rate = recovery_bps(hammer, msrp)
    if msrp == 0 or hammer > 101 * msrp:
        assert rate is None
    elif hammer <= 100 * msrp:
        assert rate == share_bps(hammer, msrp) and rate is not None and rate <= MOST_BPS


@given(st.lists(st.integers(0, 12_000), min_size=2, max_size=80))
def test_quartiles_are_those_of_the_statistics_module(rates: list[int]) -> None:
    found = quartiles(Counter(rates))
    exact = statistics.quantiles([Fraction(rate) for rate in rates], n=4, method="inclusive")
    wanted = [floor(value + Fraction(1, 2)) for value in exact]
    assert [found.low_bps, found.median_bps, found.high_bps] == wanted


@given(st.integers(0, 12_000))
def test_a_single_rate_is_all_its_quartiles(rate: int) -> None:
    found = quartiles(Counter([rate]))
    assert found.low_bps == found.median_bps == found.high_bps == rate
