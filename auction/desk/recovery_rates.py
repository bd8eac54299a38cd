"""Recovery: what goods brought as a share of their MSRP. Pure and exact.

Rates are whole hundredths of a per cent (bps). Whatever is divided is rounded here, half up, and
only then: sums are made of amounts, never of rates.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

WHOLE_BPS: Final = 10_000
# Goods do not bring a hundred times their MSRP: such an MSRP was left out or mistyped.
MOST_BPS: Final = 100 * WHOLE_BPS


class Quartiles(Struct, frozen=True):
    """Three rates: a quarter of the values is below the first, half below the second."""

    low_bps: int
    median_bps: int
    high_bps: int


def half_up(numerator: int, denominator: int) -> int:
    """A non-negative quotient, rounded half up."""
    return (2 * numerator + denominator) // (2 * denominator)


def share_bps(part: int, whole: int) -> int | None:
    """The share of a part; ``None`` of nothing."""
    return half_up(part * WHOLE_BPS, whole) if whole else None


def recovery_bps(hammer_minor: int, msrp_minor: int | None) -> int | None:
    """What was recovered of the MSRP; ``None`` if the MSRP says nothing."""
    rate = share_bps(hammer_minor, msrp_minor or 0)
    return None if rate is None or rate > MOST_BPS else rate


def quartiles(tally: Mapping[int, int]) -> Quartiles:
    """The quartiles of values of which there are so many each; at least one in all.

    Between two values lies what is between them in proportion, as in ``statistics.quantiles`` with
    ``method="inclusive"`` (Hyndman and Fan's definition 7).
    """
    ranked = sorted(value for value, count in tally.items() if count)
    ends: list[int] = []  # how many values are up to each
    for value in ranked:
        ends.append((ends[-1] if ends else 0) + tally[value])

    def at(place: int) -> int:
        return next(value for value, end in zip(ranked, ends, strict=True) if place < end)

    def quartile(number: int) -> int:
        place, part = divmod((ends[-1] - 1) * number, 4)
        following = at(place + 1) if part else 0
        return half_up(at(place) * (4 - part) + following * part, 4)

    return Quartiles(quartile(1), quartile(2), quartile(3))
