import pytest

from auction.increments import EBAY, LIQUIDATION, IncrementTable, table

# (from price, increment) as the rules print them; the price just below keeps the one before.
EBAY_STEPS = [
    (0, 5), (1_00, 25), (5_00, 50), (25_00, 1_00), (100_00, 2_50), (250_00, 5_00),
    (500_00, 10_00), (1_000_00, 25_00), (2_500_00, 50_00), (5_000_00, 100_00),
]  # fmt: skip
LIQUIDATION_STEPS = [
    (0, 5_00), (100_00, 10_00), (500_00, 25_00), (1_000_00, 50_00), (5_000_00, 100_00),
    (10_000_00, 250_00), (25_000_00, 500_00), (50_000_00, 1_000_00),
]  # fmt: skip


@pytest.mark.parametrize(
    ("preset", "steps"), [(EBAY, EBAY_STEPS), (LIQUIDATION, LIQUIDATION_STEPS)]
)
def test_a_preset_steps_up_at_each_price_of_its_table(
    preset: IncrementTable, steps: list[tuple[int, int]]
) -> None:
    before = None
    for from_minor, increment_minor in steps:
        assert preset.increment_minor(from_minor) == increment_minor
        if before is not None:
            assert preset.increment_minor(from_minor - 1) == before
        before = increment_minor
    assert preset.increment_minor(2**53) == before


@pytest.mark.parametrize(
    ("price_minor", "increment_minor"),
    [(99_99, 1_00), (100_00, 2_50), (249_99, 2_50), (250_00, 5_00), (5_000_00, 100_00)],
)
def test_the_increment_is_taken_at_the_price_named(price_minor: int, increment_minor: int) -> None:
    assert EBAY.increment_minor(price_minor) == increment_minor


def test_the_house_table_is_in_whole_dollars_from_an_opening_bid_of_50() -> None:
    assert (LIQUIDATION.unit_minor, LIQUIDATION.least_opening_minor) == (100, 50_00)
    assert (EBAY.unit_minor, EBAY.least_opening_minor) == (1, 1)


def test_the_presets_are_sound() -> None:
    assert EBAY.fault() is None
    assert LIQUIDATION.fault() is None


@pytest.mark.parametrize(
    "own",
    [
        IncrementTable(table((1, 5))),  # nothing says what goes below
        IncrementTable(table((0, 5), (100, 10), (50, 20))),
        IncrementTable(table((0, 5), (100, 10), (100, 20))),
    ],
)
def test_the_steps_of_a_table_start_at_nothing_and_rise(own: IncrementTable) -> None:
    assert own.fault() == "terms.increments: the steps must start at price 0 and rise"


def test_every_increment_is_a_multiple_of_the_unit() -> None:
    assert IncrementTable(table((0, 200), (1_000, 250)), unit_minor=100).fault() == (
        "terms.increments: every increment must be a multiple of the unit"
    )
    assert IncrementTable(table((0, 200), (1_000, 300)), unit_minor=100).fault() is None


def test_an_own_table_with_one_step_has_one_increment() -> None:
    own = IncrementTable(table((0, 7)))
    assert {own.increment_minor(price) for price in (0, 6, 7, 8, 10**9)} == {7}
