"""What lots brought together: totals, breakdowns and the series of plots. Pure.

Amounts are added up and rates made of the sums, so the parts of a breakdown add up to the total to
the minor unit. All amounts are hammer prices: premium, tax and commission are settlement's.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol, TypeVar

from msgspec import Struct

from auction.desk.recovery_rates import WHOLE_BPS, Quartiles, quartiles, share_bps
from auction.sale import LotStatus

# A column of the distribution: five per cent of the MSRP.
BIN_BPS: Final = 500
# What brought more than the MSRP is in one last column.
LAST_BIN: Final = WHOLE_BPS // BIN_BPS


class Outcome(Protocol):
    """What a lot needs to have to be counted. Amounts are in one currency."""

    @property
    def outcome(self) -> str | None: ...
    @property
    def units(self) -> int | None: ...
    @property
    def msrp_minor(self) -> int | None: ...
    @property
    def hammer_minor(self) -> int | None: ...
    @property
    def recovery_bps(self) -> int | None: ...
    @property
    def bids(self) -> int: ...


L = TypeVar("L", bound=Outcome)


class Sums(Struct, frozen=True, kw_only=True):
    """What some lots come to.

    ``unended``: still to be sold. ``units``, ``msrp_minor`` and ``bids``: of all lots. Recovery
    is of sold lots whose MSRP says something: ``valued_hammer_minor`` of ``valued_msrp_minor``;
    the quartiles are of their single rates. ``sell_through_bps``: the share sold of those that
    were offered until their end.
    """

    lots: int
    sold: int
    passed: int
    withdrawn: int
    unended: int
    units: int
    bids: int
    msrp_minor: int
    hammer_minor: int
    valued: int
    valued_msrp_minor: int
    valued_hammer_minor: int
    recovery_bps: int | None
    quartiles: Quartiles | None
    sell_through_bps: int | None


class Part(Struct, frozen=True, kw_only=True):
    """The lots of one kind. ``key`` null: it is not known."""

    key: str | None
    name: str
    sums: Sums


class Bin(Struct, frozen=True, kw_only=True):
    """So many sold lots recovered from this much on, up to that; ``to_bps`` null: or more."""

    from_bps: int
    to_bps: int | None
    lots: int


def sums(lots: Sequence[Outcome]) -> Sums:
    """What these lots come to."""
    outcomes = Counter(lot.outcome for lot in lots)
    sold, passed = outcomes[LotStatus.SOLD], outcomes[LotStatus.PASSED]
    rates = recoveries(lots)
    valued = [lot for lot in lots if lot.recovery_bps is not None]
    msrp_minor = sum(lot.msrp_minor or 0 for lot in valued)
    hammer_minor = sum(lot.hammer_minor or 0 for lot in valued)
    return Sums(
        lots=len(lots),
        sold=sold,
        passed=passed,
        withdrawn=outcomes[LotStatus.WITHDRAWN],
        unended=outcomes[None],
        units=sum(lot.units or 0 for lot in lots),
        bids=sum(lot.bids for lot in lots),
        msrp_minor=sum(lot.msrp_minor or 0 for lot in lots),
        hammer_minor=sum(lot.hammer_minor or 0 for lot in lots),
        valued=len(valued),
        valued_msrp_minor=msrp_minor,
        valued_hammer_minor=hammer_minor,
        recovery_bps=share_bps(hammer_minor, msrp_minor),
        quartiles=quartiles(rates) if rates else None,
        sell_through_bps=share_bps(sold, sold + passed),
    )


def breakdown(
    lots: Iterable[L],
    key_of: Callable[[L], str | None],
    name_of: Callable[[str | None], str],
) -> tuple[Part, ...]:
    """The lots by a key, what brought most first."""
    groups: dict[str | None, list[L]] = {}
    for lot in lots:
        groups.setdefault(key_of(lot), []).append(lot)
    parts = [Part(key=key, name=name_of(key), sums=sums(group)) for key, group in groups.items()]
    return tuple(sorted(parts, key=lambda part: (-part.sums.hammer_minor, part.name)))


def recoveries(lots: Iterable[Outcome]) -> Counter[int]:
    """How many lots recovered each rate."""
    return Counter(lot.recovery_bps for lot in lots if lot.recovery_bps is not None)


def distribution(rates: Counter[int]) -> tuple[Bin, ...]:
    """How recovery is spread: columns without a gap from nothing up to the highest."""
    columns = Counter[int]()
    for rate, count in rates.items():
        columns[min(rate // BIN_BPS, LAST_BIN)] += count
    return tuple(
        Bin(
            from_bps=column * BIN_BPS,
            to_bps=None if column == LAST_BIN else (column + 1) * BIN_BPS,
            lots=columns[column],
        )
        for column in range(max(columns, default=-1) + 1)
    )
