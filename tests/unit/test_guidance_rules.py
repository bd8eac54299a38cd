"""What similar lots have brought, when it may be said, and what is asked by it."""

from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auction.catalog.goods import Condition
from auction.desk.guidance_rules import (
    COARSE_BPS,
    STEPS,
    Asked,
    Basis,
    Found,
    Goods,
    Policy,
    Rate,
    Step,
    asked,
    comparing,
    on_grid,
    period,
    rate_of,
)
from auction.increments import EBAY, LIQUIDATION
from auction.terms import LotKind

POLICY = Policy(
    months=12,
    least_sales=5,
    least_others=10,
    least_other_liquidators=2,
    opening_share_bps=4_000,
)
GOODS = Goods("Kitchen", Condition.USED_GOOD, LotKind.PALLET)
OWN = [1_000, 1_100, 1_213, 1_300, 1_400]
OTHERS = [1_501 + 10 * number for number in range(10)]


def found(own: list[int] | None = None, others: list[int] | None = None, **more: int) -> Found:
    settings = {"own_passed": 0, "others_passed": 0, "other_liquidators": 2 if others else 0}
    return Found(own=Counter(own or []), others=Counter(others or []), **(settings | more))


def rate(**more: object) -> Rate | None:
    return rate_of(POLICY, Step.EXACT, found(**more))  # type: ignore[arg-type]


def test_the_circle_widens_step_by_step() -> None:
    used = (
        Condition.OPEN_BOX, Condition.REFURBISHED, Condition.USED_GOOD, Condition.USED_FAIR
    )  # fmt: skip
    circles = [comparing(GOODS, step) for step in STEPS]
    assert [(one.category, one.conditions, one.kind) for one in circles] == [
        ("Kitchen", (Condition.USED_GOOD,), LotKind.PALLET),
        ("Kitchen", (Condition.USED_GOOD,), None),
        ("Kitchen", used, None),
        ("Kitchen", None, None),
        (None, None, None),
    ]


@pytest.mark.parametrize(
    ("more", "basis"),
    [
        ({"own": OWN}, Basis.OWN),
        ({"own": OWN[:4]}, None),
        ({"others": OTHERS}, Basis.HOUSE),
        ({"others": OTHERS[:9]}, None),
        ({"others": OTHERS, "other_liquidators": 1}, None),
        ({"own": OWN, "others": OTHERS[:9]}, Basis.OWN),
        ({"own": OWN, "others": OTHERS, "other_liquidators": 1}, Basis.OWN),
        ({"own": OWN[:1], "others": OTHERS[:9]}, None),
        ({"own": OWN, "others": OTHERS}, Basis.HOUSE),
    ],
)
def test_others_results_are_told_only_together(more: dict[str, object], basis: str | None) -> None:
    told = rate(**more)
    assert (told and told.basis) == basis


def test_own_results_are_told_as_they_are_and_others_to_half_a_per_cent() -> None:
    own = rate(own=OWN, own_passed=2)
    assert own is not None and (own.sales, own.liquidators) == (5, 1)
    assert (own.spread.low_bps, own.spread.median_bps, own.spread.high_bps) == (1_100, 1_213, 1_300)
    assert own.sell_through_bps == 7_143
    house = rate(own=OWN, others=OTHERS, others_passed=3, other_liquidators=3)
    assert house is not None and (house.sales, house.liquidators) == (15, 4)
    spread = (house.spread.low_bps, house.spread.median_bps, house.spread.high_bps)
    assert spread == (1_350, 1_500, 1_550)
    assert house.sell_through_bps == 8_350


@given(
    st.lists(st.integers(0, 12_000), max_size=20),
    st.lists(st.integers(0, 12_000), max_size=30),
    st.integers(0, 4),
    st.integers(0, 12_000),
)
def test_where_others_are_too_few_nothing_that_is_told_depends_on_them(
    own: list[int], others: list[int], liquidators: int, other: int
) -> None:
    told = rate(own=own, others=others, other_liquidators=liquidators)
    enough = len(others) >= 10 and liquidators >= 2
    if enough:
        assert told is not None and told.basis is Basis.HOUSE
        shown = (told.spread.low_bps, told.spread.median_bps, told.spread.high_bps)
        assert not any(value % COARSE_BPS for value in (*shown, told.sell_through_bps))
    else:
        changed = [other for _ in others]
        assert told == rate(own=own, others=changed, other_liquidators=liquidators)
        assert told == rate(own=own)


@pytest.mark.parametrize(
    ("msrp_minor", "low_bps", "wanted"),
    [
        # 10,000 at 11 %: 1,100; of that 40 % are 440.
        (10_000_00, 1_100, Asked(opening_minor=440_00, reserve_minor=1_100_00)),
        # 1,234.56 at 20 % is 246.91: increments are 10 there; 98.76 is nearest to 100.
        (1_234_56, 2_000, Asked(opening_minor=100_00, reserve_minor=250_00)),
        # 125 is half-way between 120 and 130, on a grid of 10: the higher one.
        (625_00, 2_000, Asked(opening_minor=50_00, reserve_minor=130_00)),
        # The least opening bid is 50: a reserve of 50 or less does nothing.
        (400_00, 1_000, Asked(opening_minor=50_00, reserve_minor=None)),
        (0, 1_000, Asked(opening_minor=50_00, reserve_minor=None)),
    ],
)
def test_what_is_asked_is_on_the_grid_of_increments(
    msrp_minor: int, low_bps: int, wanted: Asked
) -> None:
    assert asked(POLICY, msrp_minor, low_bps, "USD") == wanted


@given(st.integers(0, 10**10), st.integers(0, 20_000))
def test_what_is_asked_may_be_scheduled(msrp_minor: int, low_bps: int) -> None:
    what = asked(POLICY, msrp_minor, low_bps, "USD")
    assert what.opening_minor >= LIQUIDATION.least_opening_minor
    assert what.opening_minor % LIQUIDATION.unit_minor == 0
    if what.reserve_minor is not None:
        assert what.reserve_minor > what.opening_minor
        assert what.reserve_minor % LIQUIDATION.unit_minor == 0


def test_a_currency_without_increments_of_the_house_is_rounded_to_its_smallest_unit() -> None:
    assert asked(POLICY, 100_003, 1_000, "JPY") == Asked(opening_minor=4_000, reserve_minor=10_000)


@given(st.sampled_from([EBAY, LIQUIDATION]), st.integers(0, 10**9))
def test_the_grid_is_at_most_half_an_increment_away(table: object, amount_minor: int) -> None:
    assert table in (EBAY, LIQUIDATION)
    increments = EBAY if table is EBAY else LIQUIDATION
    step = increments.increment_minor(amount_minor)
    distance = on_grid(increments, amount_minor) - amount_minor
    assert -step < 2 * distance <= step


def instant(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("months", "at", "first"),
    [
        (12, "2026-11-22T09:30:00", "2025-11-22"),
        (1, "2026-03-31T00:00:00", "2026-02-28"),
        (1, "2024-03-31T12:00:00", "2024-02-29"),
        (1, "2026-01-15T23:59:59", "2025-12-15"),
        (14, "2026-02-01T00:00:01", "2024-12-01"),
    ],
)
def test_results_count_from_the_beginning_of_a_day(months: int, at: str, first: str) -> None:
    of = Policy(
        months=months,
        least_sales=5,
        least_others=10,
        least_other_liquidators=2,
        opening_share_bps=4_000,
    )
    counted = period(of, instant(at))
    assert counted.from_us == instant(first)
    assert counted.until_us == instant(at)
    assert counted.others_until_us == instant(at[:10])
