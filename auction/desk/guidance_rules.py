"""What goods like these would bring, and what to ask for them: the rules. Pure.

The rate is that of comparable lots which the house has sold. Comparable is looked for step by step,
the narrowest first (`STEPS`), until there are enough; which step it was is always said.

**Nobody's single result leaks.** A seller's own results are its own and always count. Those of
others are added only if they are enough by themselves, of enough liquidators (`Policy`), however
many of its own the seller could subtract; they count up to the last midnight, so that one more lot
does not show by asking twice; and what they are part of is told to half a per cent. Nothing but
quartiles and counts is made of them: a lowest or highest would be somebody's.

**What to ask.** The reserve is the MSRP at the low quartile: three of four such lots brought more.
The opening bid is a share of that (`Policy.opening_share_bps`), low enough to draw the first bids.
Both are rounded to the increment at the price, half up. A reserve that is no more than the opening
bid would do nothing, and none is suggested.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from auction.catalog.goods import Condition
from auction.desk.recovery_rates import WHOLE_BPS, Quartiles, half_up, quartiles, share_bps
from auction.increments import LIQUIDATION, IncrementTable, table
from auction.money import EXPONENTS, share_minor
from auction.terms import LotKind

# To what rates are told that others' results are part of: half a per cent.
COARSE_BPS: Final = 50

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_US: Final = 86_400_000_000


class ConditionGroup(StrEnum):
    """Grades that bring much the same."""

    UNUSED = "UNUSED"
    USED = "USED"
    SALVAGE = "SALVAGE"
    UNINSPECTED = "UNINSPECTED"


GROUPS: Final[dict[Condition, ConditionGroup]] = {
    Condition.NEW: ConditionGroup.UNUSED,
    Condition.LIKE_NEW: ConditionGroup.UNUSED,
    Condition.OPEN_BOX: ConditionGroup.USED,
    Condition.REFURBISHED: ConditionGroup.USED,
    Condition.USED_GOOD: ConditionGroup.USED,
    Condition.USED_FAIR: ConditionGroup.USED,
    Condition.SALVAGE: ConditionGroup.SALVAGE,
    Condition.UNINSPECTED: ConditionGroup.UNINSPECTED,
}


class Step(StrEnum):
    """How wide the circle of comparable lots is."""

    EXACT = "EXACT"  # category, condition and kind
    ANY_KIND = "ANY_KIND"  # category and condition
    CONDITION_GROUP = "CONDITION_GROUP"  # category and conditions that bring much the same
    CATEGORY = "CATEGORY"  # category alone
    ALL = "ALL"  # everything in this currency


STEPS: Final = tuple(Step)


class Basis(StrEnum):
    """What a rate rests on."""

    HOUSE = "HOUSE"  # own sales and others' together
    OWN = "OWN"  # own sales
    DEFAULT = "DEFAULT"  # a figure that somebody has published
    NONE = "NONE"  # nothing


class Goods(Struct, frozen=True):
    """What is to be priced."""

    category: str
    condition: Condition
    kind: LotKind


class Comparing(Struct, frozen=True):
    """Which lots a step takes; ``None``: any."""

    category: str | None
    conditions: tuple[Condition, ...] | None
    kind: LotKind | None


class Policy(Struct, frozen=True, kw_only=True):
    """Figures of the house (``guidance_policy``)."""

    months: int
    least_sales: int
    least_others: int
    least_other_liquidators: int
    opening_share_bps: int


class Default(Struct, frozen=True, kw_only=True):
    """A range that somebody has published: who, where, of what, and when it was read there."""

    low_bps: int
    high_bps: int
    basis: str
    source: str
    address: str
    read_on: str


class Period(Struct, frozen=True):
    """Since when results count; until when the own, and until when those of others."""

    from_us: int
    until_us: int
    others_until_us: int


class Found(Struct, frozen=True, kw_only=True):
    """The comparable lots of a step: how many recovered each rate, and how many did not sell."""

    own: Counter[int]
    own_passed: int
    others: Counter[int]
    others_passed: int
    other_liquidators: int


class Rate(Struct, frozen=True, kw_only=True):
    """What comparable lots recovered.

    ``liquidators`` is how many sold them; ``sell_through_bps`` what share of them was sold.
    """

    basis: Basis
    step: Step
    sales: int
    liquidators: int
    spread: Quartiles
    sell_through_bps: int


class Asked(Struct, frozen=True, kw_only=True):
    """What to ask. ``reserve_minor`` null: one would do nothing at this size."""

    opening_minor: int
    reserve_minor: int | None


def comparing(goods: Goods, step: Step) -> Comparing:
    """Which lots this step compares with."""
    if step is Step.ALL:
        return Comparing(None, None, None)
    if step is Step.CATEGORY:
        return Comparing(goods.category, None, None)
    conditions: tuple[Condition, ...] = (goods.condition,)
    if step is Step.CONDITION_GROUP:
        group = GROUPS[goods.condition]
        conditions = tuple(one for one in Condition if GROUPS[one] is group)
    return Comparing(goods.category, conditions, goods.kind if step is Step.EXACT else None)


def period(policy: Policy, at_us: int) -> Period:
    """The results that count at this time: so many months, from the beginning of a day, UTC."""
    at = _EPOCH + timedelta(microseconds=at_us)
    months = at.year * 12 + at.month - 1 - policy.months
    first = datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)
    days = min(at.day, _days_of(first))
    from_us = (first.replace(day=days) - _EPOCH) // timedelta(microseconds=1)
    return Period(from_us, at_us, at_us - at_us % _DAY_US)


def rate_of(policy: Policy, step: Step, found: Found) -> Rate | None:
    """What these lots say; ``None``: they are too few."""
    others = found.others.total()
    if (
        others >= policy.least_others
        and found.other_liquidators >= policy.least_other_liquidators
        and others + found.own.total() >= policy.least_sales
    ):
        tally = found.own + found.others
        exact = quartiles(tally)
        return Rate(
            basis=Basis.HOUSE,
            step=step,
            sales=tally.total(),
            liquidators=found.other_liquidators + bool(found.own),
            spread=Quartiles(
                _coarse(exact.low_bps), _coarse(exact.median_bps), _coarse(exact.high_bps)
            ),
            sell_through_bps=_coarse(
                _sell_through_bps(tally.total(), found.own_passed + found.others_passed)
            ),
        )
    if found.own.total() >= policy.least_sales:
        return Rate(
            basis=Basis.OWN,
            step=step,
            sales=found.own.total(),
            liquidators=1,
            spread=quartiles(found.own),
            sell_through_bps=_sell_through_bps(found.own.total(), found.own_passed),
        )
    return None


def asked(policy: Policy, msrp_minor: int, low_bps: int, currency: str) -> Asked:
    """What to ask for goods of this MSRP, of which the low quartile is this."""
    increments = table_of(currency)
    reserve_minor = on_grid(increments, share_minor(msrp_minor, low_bps))
    share = share_minor(share_minor(msrp_minor, low_bps), policy.opening_share_bps)
    opening_minor = max(on_grid(increments, share), increments.least_opening_minor)
    return Asked(
        opening_minor=opening_minor,
        reserve_minor=reserve_minor if reserve_minor > opening_minor else None,
    )


def table_of(currency: str) -> IncrementTable:
    """The house's increments for a currency; where it has none, every amount is on the grid."""
    fits = LIQUIDATION.exponent == EXPONENTS[currency]
    return LIQUIDATION if fits else IncrementTable(table((0, 1)))


def on_grid(increments: IncrementTable, amount_minor: int) -> int:
    """The nearest multiple of the increment at an amount; half-way, the higher one."""
    increment_minor = increments.increment_minor(amount_minor)
    return half_up(amount_minor, increment_minor) * increment_minor


def _coarse(rate_bps: int) -> int:
    return half_up(rate_bps, COARSE_BPS) * COARSE_BPS


def _sell_through_bps(sold: int, passed: int) -> int:
    return share_bps(sold, sold + passed) or 0


def _days_of(month: datetime) -> int:
    return ((month + timedelta(days=31)).replace(day=1) - timedelta(days=1)).day


assert COARSE_BPS * 2 < WHOLE_BPS and GROUPS.keys() == set(Condition)
