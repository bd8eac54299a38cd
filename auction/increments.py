"""Bid increments: how far above the price the next bid must be."""

from bisect import bisect_right
from functools import cached_property
from typing import Annotated

from msgspec import Meta, Struct

from auction.money import Minor, PositiveMinor


class IncrementStep(Struct, frozen=True, forbid_unknown_fields=True):
    """From this price on (inclusive), this increment."""

    from_minor: Minor
    increment_minor: PositiveMinor


class IncrementTable(Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """Increments by price; the last step has no end.

    ``unit_minor``: every bid is a multiple of it (100: whole dollars).
    ``exponent``: the currency exponent that a preset is made for; ``None``: any.
    """

    steps: Annotated[tuple[IncrementStep, ...], Meta(min_length=1, max_length=100)]
    unit_minor: PositiveMinor = 1
    least_opening_minor: PositiveMinor = 1
    exponent: int | None = None

    def increment_minor(self, price_minor: int) -> int:
        """The increment at this price (taken at the price named, not at the one reached)."""
        bounds, increments = self._columns
        return increments[bisect_right(bounds, price_minor) - 1]

    @cached_property
    def _columns(self) -> tuple[list[int], list[int]]:
        return [s.from_minor for s in self.steps], [s.increment_minor for s in self.steps]

    def fault(self) -> str | None:
        """What makes the table unusable, as one sentence; ``None`` when nothing does."""
        bounds = [step.from_minor for step in self.steps]
        if bounds[0] != 0 or bounds != sorted(set(bounds)):
            return "terms.increments: the steps must start at price 0 and rise"
        increments = [step.increment_minor for step in self.steps]
        if increments != sorted(increments):
            return "terms.increments: an increment must not fall as the price rises"
        if any(step.increment_minor % self.unit_minor for step in self.steps):
            return "terms.increments: every increment must be a multiple of the unit"
        return None


def table(*steps: tuple[int, int]) -> tuple[IncrementStep, ...]:
    """Steps from (from price, increment) pairs in minor units."""
    return tuple(IncrementStep(*pair) for pair in steps)


# eBay's table, in cents.
EBAY = IncrementTable(
    table(
        (0, 5),
        (1_00, 25),
        (5_00, 50),
        (25_00, 1_00),
        (100_00, 2_50),
        (250_00, 5_00),
        (500_00, 10_00),
        (1_000_00, 25_00),
        (2_500_00, 50_00),
        (5_000_00, 100_00),
    ),
    exponent=2,
)

# The default of the house: whole dollars, for goods that are sold by the pallet.
LIQUIDATION = IncrementTable(
    table(
        (0, 5_00),
        (100_00, 10_00),
        (500_00, 25_00),
        (1_000_00, 50_00),
        (5_000_00, 100_00),
        (10_000_00, 250_00),
        (25_000_00, 500_00),
        (50_000_00, 1_000_00),
    ),
    unit_minor=100,
    least_opening_minor=50_00,
    exponent=2,
)
