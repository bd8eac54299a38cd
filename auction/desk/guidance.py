"""Price guidance: what goods like these have brought here, never as a bare number.

An answer says what was compared, how many lots, of how many sellers, since when and with what
spread, or who has published the figure that stands in for it; or that there is no guidance. The
rules are ``guidance_rules``; here is what reads for them, and the words.
"""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from msgspec import Meta, Struct

from auction.catalog.goods import Condition
from auction.catalog.listings import Name
from auction.desk.guidance_rules import (
    GROUPS,
    STEPS,
    Asked,
    Basis,
    Comparing,
    Default,
    Found,
    Goods,
    Period,
    Policy,
    Rate,
    Step,
    asked,
    comparing,
    period,
    rate_of,
)
from auction.ids import LiquidatorId
from auction.money import EXPONENTS, PositiveMinor, share_minor
from auction.terms import LotKind
from foundation.database import AnyConnection, Pool, acquire
from foundation.http.reading import Input

_CURRENCIES: Final = "|".join(EXPONENTS)


class GuidanceQuery(Input):
    """What is to be priced: goods of this category, grade, kind of lot and MSRP."""

    category: Name
    condition: Condition
    kind: LotKind
    msrp_minor: PositiveMinor
    currency: Annotated[str, Meta(pattern=rf"\A({_CURRENCIES})\Z")] = "USD"


class Guidance(Struct, frozen=True, kw_only=True):
    """What goods like these would bring, and what to ask.

    ``compared`` says in words which lots were looked at. ``low_bps`` to ``high_bps`` hold the
    middle half of them, or are a published range, which has no ``median_bps``; the amounts are the
    MSRP at these rates. ``sales``, ``liquidators`` and ``sell_through_bps`` are of the lots that
    were compared, between ``from_us`` and ``until_us``. ``source``, ``address`` and ``read_on``
    name who published a figure. Null: there is none.
    """

    category: str
    condition: Condition
    kind: LotKind
    currency: str
    msrp_minor: int
    basis: Basis
    step: Step | None = None
    compared: str = ""
    in_words: str
    sales: int | None = None
    liquidators: int | None = None
    sell_through_bps: int | None = None
    from_us: int | None = None
    until_us: int | None = None
    low_bps: int | None = None
    median_bps: int | None = None
    high_bps: int | None = None
    low_minor: int | None = None
    median_minor: int | None = None
    high_minor: int | None = None
    opening_minor: int | None = None
    reserve_minor: int | None = None
    rule: str = ""
    source: str | None = None
    address: str | None = None
    read_on: str | None = None


_POLICY: Final = f"""
select {", ".join(Policy.__struct_fields__)} from guidance_policy
where from_us <= $1 order by from_us desc limit 1
"""  # noqa: S608 - the columns are the fields of the policy

# The comparable lots by rate, with the number of other liquidators that sold any of them.
_FOUND: Final = """
with compared as materialized (
    select liquidator_id = $1 as own, liquidator_id, outcome = 'SOLD' as sold, recovery_bps
    from lot_result
    where currency = $2 and outcome in ('SOLD', 'PASSED') and msrp_minor > 0
    and (outcome = 'PASSED' or recovery_bps is not null)
    and closed_at_us >= $3
    and closed_at_us < case when liquidator_id = $1 then $4::bigint else $5::bigint end
    and ($6::text is null or lower(category) = lower($6))
    and ($7::text[] is null or condition = any ($7))
    and ($8::text is null or kind = $8)
)
select own, sold, recovery_bps, count(*)::int as lots,
    (select count(distinct liquidator_id)::int from compared where sold and not own) as others
from compared group by own, sold, recovery_bps
"""

_DEFAULT: Final = """
select low_bps, high_bps, basis, source, address, read_on::text from guidance_default
where condition_group = $1 and (category is null or lower(category) = lower($2))
order by category nulls last limit 1
"""


class Comparables:
    """What was sold here up to a time, as one liquidator may know it; each circle is read once.

    ``liquidator_id`` None: nobody's own results, as staff see it.
    """

    def __init__(
        self,
        connection: AnyConnection,
        liquidator_id: LiquidatorId | None,
        currency: str,
        policy: Policy,
        at_us: int,
    ) -> None:
        self._connection, self._liquidator_id = connection, liquidator_id
        self._currency, self.policy = currency, policy
        self.period: Period = period(policy, at_us)
        self._found: dict[Comparing, Found] = {}

    async def rate(self, goods: Goods) -> Rate | None:
        """What the narrowest circle says that has enough lots; ``None``: not even all have."""
        for step in STEPS:
            rate = rate_of(self.policy, step, await self._look(comparing(goods, step)))
            if rate is not None:
                return rate
        return None

    async def default(self, goods: Goods) -> Default | None:
        """What somebody has published of goods like these."""
        row = await self._connection.fetchrow(_DEFAULT, GROUPS[goods.condition], goods.category)
        return None if row is None else Default(**row)

    async def _look(self, circle: Comparing) -> Found:
        known = self._found.get(circle)
        if known is None:
            known = self._found[circle] = await self._read(circle)
        return known

    async def _read(self, circle: Comparing) -> Found:
        rows = await self._connection.fetch(
            _FOUND,
            self._liquidator_id or "",
            self._currency,
            self.period.from_us,
            self.period.until_us,
            self.period.others_until_us,
            circle.category,
            circle.conditions,
            circle.kind,
        )
        sold: dict[bool, Counter[int]] = {True: Counter(), False: Counter()}
        passed = Counter[bool]()
        for row in rows:
            if row["sold"]:
                sold[row["own"]][row["recovery_bps"]] = row["lots"]
            else:
                passed[row["own"]] += row["lots"]
        return Found(
            own=sold[True],
            own_passed=passed[True],
            others=sold[False],
            others_passed=passed[False],
            other_liquidators=rows[0]["others"] if rows else 0,
        )


async def comparables(
    connection: AnyConnection, liquidator_id: LiquidatorId | None, currency: str, at_us: int
) -> Comparables:
    """What counted at this time, by the policy that held then."""
    row = await connection.fetchrow(_POLICY, at_us)
    assert row is not None, "the migration made the first"
    return Comparables(connection, liquidator_id, currency, Policy(**row), at_us)


class PriceGuidance:
    """Answers what to ask. ``now_us``: the clock that lots end by."""

    def __init__(self, pool: Pool, now_us: Callable[[], int]) -> None:
        self._pool, self._now_us = pool, now_us

    async def guide(self, liquidator_id: LiquidatorId | None, query: GuidanceQuery) -> Guidance:
        """What goods like these would bring; with the liquidator's own results, if it is one."""
        goods = Goods(query.category, query.condition, query.kind)
        async with acquire(self._pool) as connection:
            known = await comparables(connection, liquidator_id, query.currency, self._now_us())
            rate = await known.rate(goods)
            default = None if rate is not None else await known.default(goods)
        if rate is not None:
            return _of_rate(query, goods, known, rate)
        if default is not None:
            return _of_default(query, known.policy, default)
        return _guidance(query, basis=Basis.NONE, in_words=f"No guidance: {_too_few(known.policy)}"
                         ", and no published figure covers goods like these.")  # fmt: skip


def _of_rate(query: GuidanceQuery, goods: Goods, known: Comparables, rate: Rate) -> Guidance:
    spread, counted = rate.spread, known.period
    until_us = counted.until_us if rate.basis is Basis.OWN else counted.others_until_us
    low, high = percent(spread.low_bps), percent(spread.high_bps)
    sellers = "you" if rate.basis is Basis.OWN else f"{rate.liquidators} liquidators"
    in_words = (
        f"Of {rate.sales} lots that {sellers} sold from {_day(counted.from_us)} to"
        f" {_day(until_us)}, the middle half recovered from {low} to {high} of their MSRP,"
        f" the one in the middle {percent(spread.median_bps)}."
    )
    return _guidance(
        query,
        basis=rate.basis,
        step=rate.step,
        compared=compared_in_words(goods, rate.step),
        in_words=in_words,
        sales=rate.sales,
        liquidators=rate.liquidators,
        sell_through_bps=rate.sell_through_bps,
        from_us=counted.from_us,
        until_us=until_us,
        low_bps=spread.low_bps,
        median_bps=spread.median_bps,
        high_bps=spread.high_bps,
        median_minor=share_minor(query.msrp_minor, spread.median_bps),
        **_asked(query, known.policy, spread.low_bps, spread.high_bps, "low quartile"),
    )


def _of_default(query: GuidanceQuery, policy: Policy, default: Default) -> Guidance:
    low, high = percent(default.low_bps), percent(default.high_bps)
    in_words = (
        f"Not from sales of this house: {_too_few(policy)}. Published by {default.source}, read on"
        f" {default.read_on}: from {low} to {high} {default.basis}."
    )
    return _guidance(
        query,
        basis=Basis.DEFAULT,
        compared="a published figure for goods of any such kind",
        in_words=in_words,
        low_bps=default.low_bps,
        high_bps=default.high_bps,
        source=default.source,
        address=default.address,
        read_on=default.read_on,
        **_asked(query, policy, default.low_bps, default.high_bps, "low end of the range"),
    )


def _guidance(query: GuidanceQuery, **more: object) -> Guidance:
    given = {name: getattr(query, name) for name in query.__struct_fields__}
    return Guidance(**(given | more))


def _asked(
    query: GuidanceQuery, policy: Policy, low_bps: int, high_bps: int, what: str
) -> dict[str, object]:
    """The amounts at these rates, what to ask by them, and by which rule."""
    what_to_ask: Asked = asked(policy, query.msrp_minor, low_bps, query.currency)
    share = percent(policy.opening_share_bps)
    rule = (
        f"Reserve: the MSRP at the {what}, {percent(low_bps)}. Opening bid: {share} of that. Both"
        " are rounded to the increment at that price, half up."
    )
    if what_to_ask.reserve_minor is None:
        rule += " No reserve: at this size it would be no more than the least opening bid."
    return {
        "low_minor": share_minor(query.msrp_minor, low_bps),
        "high_minor": share_minor(query.msrp_minor, high_bps),
        "opening_minor": what_to_ask.opening_minor,
        "reserve_minor": what_to_ask.reserve_minor,
        "rule": rule,
    }


def compared_in_words(goods: Goods, step: Step) -> str:
    """Which lots a step compares with."""
    condition, kind = goods.condition.on_pages.lower(), _KINDS[goods.kind]
    circle = comparing(goods, Step.CONDITION_GROUP)
    group = [one.on_pages.lower() for one in circle.conditions or ()]
    grades = group[0] if len(group) == 1 else f"{', '.join(group[:-1])} or {group[-1]}"
    return {
        Step.EXACT: f"{goods.category}, {condition}, {kind}",
        Step.ANY_KIND: f"{goods.category}, {condition}, lots of any kind",
        Step.CONDITION_GROUP: f"{goods.category}, {grades}, lots of any kind",
        Step.CATEGORY: f"{goods.category}, any condition, lots of any kind",
        Step.ALL: "all goods, any condition, lots of any kind",
    }[step]


_KINDS: Final = {
    LotKind.CASE: "by the case",
    LotKind.PALLET: "by the pallet",
    LotKind.PALLETS: "in lots of several pallets",
    LotKind.TRUCKLOAD: "by the truckload",
}


def percent(rate_bps: int) -> str:
    """A rate as people read it: 13.5 %."""
    whole, part = divmod(rate_bps, 100)
    return f"{whole}{f'.{part:02}'.rstrip('0') if part else ''} %"


def _too_few(policy: Policy) -> str:
    return (
        f"in the last {policy.months} months too few comparable lots were sold here that may be"
        f" told of (at least {policy.least_sales} are needed)"
    )


def _day(at_us: int) -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)
    return f"{at.day} {at:%B %Y}"
