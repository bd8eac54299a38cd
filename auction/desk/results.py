"""What a sale brought: for its liquidator, and for each consignor of its goods.

Who sees what is in the types. A liquidator sees its reserves, whose goods they were, and how the
hammer prices stand to the guidance that there was when the sale was scheduled. A consignor's
answer has its own lots only, and no field for a reserve, another consignor, or a buyer's name. The
buyer is a paddle after the hammer, and has a name once the whole sale has closed; before the
hammer nobody is named.

Amounts are hammer prices. Premium, tax, commission and fees are settlement's, and nothing here is
net of them.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from accounts.directory import organisations
from accounts.ids import OrganisationId
from auction.catalog.goods import Condition
from auction.desk.guidance import comparables
from auction.desk.guidance_rules import Basis, Goods, Rate, Step
from auction.desk.owning import owner_by
from auction.desk.recovery import LotRow
from auction.desk.recovery_rates import share_bps
from auction.desk.result_sums import (
    Bin,
    Part,
    Sums,
    breakdown,
    distribution,
    recoveries,
    sums,
)
from auction.ids import BidderId, LiquidatorId, LotId, SaleId
from auction.sale import LotStatus
from auction.terms import LotKind
from foundation.database import AnyConnection, Pool, acquire

NOTE: Final = (
    "Hammer prices. Premium, tax, commission and fees are not in them, and nothing is taken off."
)

# Rows of lots that are decoded before others get a turn: a few milliseconds.
BITE: Final = 200


class Buyer(Struct, frozen=True, kw_only=True):
    """Who bought. ``name``: the organisation, once the sale has closed."""

    paddle: int
    name: str | None


class Verdict(StrEnum):
    """How a hammer price stands to the middle half of comparable lots."""

    BELOW = "BELOW"
    WITHIN = "WITHIN"
    ABOVE = "ABOVE"


class Guided(Struct, frozen=True, kw_only=True):
    """The guidance there was when the sale was scheduled; ``verdict`` null: the lot has no rate."""

    basis: Basis
    step: Step
    sales: int
    low_bps: int
    median_bps: int
    high_bps: int
    verdict: Verdict | None


class LotResult(Struct, frozen=True, kw_only=True):
    """A lot as its liquidator sees it.

    ``outcome`` null: it has not ended. ``price_minor``: the highest price reached. ``bids`` and
    ``bidders``: those that stand. ``of_reserve_bps``: that price as a share of the reserve.
    """

    lot_id: LotId
    title: str
    kind: str
    category: str | None
    condition: str | None
    source: str | None
    consignor_id: BidderId | None
    consignor: str | None
    units: int | None
    msrp_minor: int | None
    opening_minor: int
    reserve_minor: int | None
    outcome: str | None
    reason: str | None
    price_minor: int | None
    hammer_minor: int | None
    recovery_bps: int | None
    of_reserve_bps: int | None
    guidance: Guided | None
    bids: int
    bidders: int
    extensions: int
    opens_at_us: int
    closed_at_us: int | None
    buyers: tuple[Buyer, ...]
    funded_at_us: int | None


class ConsignedLot(Struct, frozen=True, kw_only=True):
    """A lot as whose goods they were sees it; fields as in ``LotResult``."""

    lot_id: LotId
    title: str
    kind: str
    category: str | None
    condition: str | None
    source: str | None
    units: int | None
    msrp_minor: int | None
    opening_minor: int
    outcome: str | None
    reason: str | None
    price_minor: int | None
    hammer_minor: int | None
    recovery_bps: int | None
    bids: int
    bidders: int
    extensions: int
    opens_at_us: int
    closed_at_us: int | None
    paddles: tuple[int, ...]
    funded_at_us: int | None


class AgainstReserve(Struct, frozen=True, kw_only=True):
    """Lots with a reserve that were offered until their end.

    ``of_reserve_bps``: ``hammer_minor`` of ``sold_reserve_minor``, both of those that were sold.
    """

    lots: int
    sold: int
    reserve_minor: int
    sold_reserve_minor: int
    hammer_minor: int
    of_reserve_bps: int | None


class AgainstGuidance(Struct, frozen=True, kw_only=True):
    """How many sold lots were below, within and above what similar lots had brought before."""

    lots: int
    below: int
    within: int
    above: int


class SaleResults(Struct, frozen=True, kw_only=True):
    """What a sale brought, for its liquidator. ``closed_at_us`` null: it goes on."""

    sale_id: SaleId
    title: str | None
    currency: str
    note: str = NOTE
    cancelled_at_us: int | None
    closed_at_us: int | None
    totals: Sums
    against_reserve: AgainstReserve
    against_guidance: AgainstGuidance
    by_category: tuple[Part, ...]
    by_condition: tuple[Part, ...]
    by_kind: tuple[Part, ...]
    by_consignor: tuple[Part, ...]
    distribution: tuple[Bin, ...]
    lots: tuple[LotResult, ...]


class ConsignorResults(Struct, frozen=True, kw_only=True):
    """What a consignor's goods brought in a sale."""

    sale_id: SaleId
    title: str | None
    currency: str
    note: str = NOTE
    consignor_id: BidderId
    consignor: str | None
    closed_at_us: int | None
    totals: Sums
    by_category: tuple[Part, ...]
    by_condition: tuple[Part, ...]
    by_kind: tuple[Part, ...]
    distribution: tuple[Bin, ...]
    lots: tuple[ConsignedLot, ...]


class _Sale(Struct, frozen=True):
    sale_id: SaleId
    liquidator_id: LiquidatorId
    currency: str
    cancelled_at_us: int | None
    closed_at_us: int | None
    title: str | None


_READ_SALE: Final = """
select r.sale_id, r.liquidator_id, r.currency, r.cancelled_at_us, r.closed_at_us, l.title
from sale_result r left join sale_listing l using (sale_id) where r.sale_id = $1
"""

_CONSIGNORS: Final = "select consignor_id, name from consignor where consignor_id = any($1)"

# Lots that have not ended have only the catalogue's word for what they are.
_OF_GOODS: Final = ("place", "category", "condition", "source", "units", "msrp_minor")
_READ_LOTS: Final = f"""
select {
    ", ".join(
        f"coalesce(r.{name}, l.{name})" if name in _OF_GOODS else f"r.{name}"
        for name in LotRow.__struct_fields__
    )
}
from lot_result r left join lot_listing l using (sale_id, lot_id)
where r.sale_id = $1 and ($2::text is null or r.consignor_id = $2)
order by coalesce(r.place, l.place), lot_id
"""  # noqa: S608 - the columns are the fields of the row


class Results:
    """Reads what sales brought. Whose a sale is, the caller asks with ``owner`` first."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def owner(self, sale_id: SaleId) -> LiquidatorId | None:
        """Who runs this sale; ``None``: there is none that was scheduled."""
        return await owner_by(
            self._pool, "select liquidator_id from sale_result where sale_id = $1", sale_id
        )

    async def of_sale(self, sale_id: SaleId) -> SaleResults | None:
        """What it brought, for its liquidator; ``None``: no such sale."""
        async with acquire(self._pool) as connection:
            sale, rows = await _read(connection, sale_id, None)
            rates = {} if sale is None else await _rates(connection, sale, rows)
        if sale is None:
            return None
        names = await self._names(_consignors(rows), _winners(sale, rows))
        return await asyncio.to_thread(_sale_results, sale, rows, rates, names)

    async def of_consignor(
        self, sale_id: SaleId, consignor_id: BidderId
    ) -> ConsignorResults | None:
        """What its goods brought; ``None``: none of them were in this sale."""
        async with acquire(self._pool) as connection:
            sale, rows = await _read(connection, sale_id, consignor_id)
        if sale is None or not rows:
            return None
        names = await self._names([consignor_id])
        return await asyncio.to_thread(_consignor_results, sale, rows, consignor_id, names)

    async def _names(self, *groups: Iterable[str]) -> Mapping[str, str]:
        wanted = sorted({OrganisationId(one) for group in groups for one in group})
        if not wanted:
            return {}
        found = await organisations(self._pool, wanted)
        names = {str(key): entry.name for key, entry in found.items()}
        # A consignor has the name that its liquidator calls it by.
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_CONSIGNORS, wanted)
        return names | {row["consignor_id"]: row["name"] for row in rows}


async def _read(
    connection: AnyConnection, sale_id: SaleId, consignor_id: BidderId | None
) -> tuple[_Sale | None, list[LotRow]]:
    """The sale and its lots, as of one moment; in bites, so that nobody waits for thousands."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        row = await connection.fetchrow(_READ_SALE, sale_id)
        if row is None:
            return None, []
        found = connection.cursor(_READ_LOTS, sale_id, consignor_id, prefetch=BITE)
        return _Sale(**row), [LotRow(*lot) async for lot in found]


async def _rates(
    connection: AnyConnection, sale: _Sale, rows: Sequence[LotRow]
) -> dict[LotId, Rate]:
    """What guidance said of each lot's goods when the sale was scheduled."""
    at_us = min((row.scheduled_at_us for row in rows), default=0)
    known = await comparables(connection, sale.liquidator_id, sale.currency, at_us)
    kinds: dict[Goods, Rate | None] = {}
    rates: dict[LotId, Rate] = {}
    for row in rows:
        if row.category is None or row.condition is None:
            continue
        goods = Goods(row.category, Condition(row.condition), LotKind(row.kind))
        if goods not in kinds:
            kinds[goods] = await known.rate(goods)
        rate = kinds[goods]
        if rate is not None:
            rates[row.lot_id] = rate
    return rates


def _consignors(rows: Iterable[LotRow]) -> set[str]:
    return {row.consignor_id for row in rows if row.consignor_id is not None}


def _winners(sale: _Sale, rows: Iterable[LotRow]) -> set[str]:
    """Who may be named: the buyers of a sale that has closed."""
    if sale.closed_at_us is None:
        return set()
    return {winner for row in rows for winner in row.winner_ids}


def _sale_results(
    sale: _Sale, rows: Sequence[LotRow], rates: Mapping[LotId, Rate], names: Mapping[str, str]
) -> SaleResults:
    """Pure, and in a thread: thousands of lots take a good part of a second."""
    lots = [_lot_result(row, rates.get(row.lot_id), names) for row in rows]
    return SaleResults(
        sale_id=sale.sale_id,
        title=sale.title,
        currency=sale.currency,
        cancelled_at_us=sale.cancelled_at_us,
        closed_at_us=sale.closed_at_us,
        totals=sums(lots),
        against_reserve=_against_reserve(lots),
        against_guidance=_against_guidance(lots),
        by_category=breakdown(lots, lambda lot: lot.category, _category),
        by_condition=breakdown(lots, lambda lot: lot.condition, _condition),
        by_kind=breakdown(lots, lambda lot: lot.kind, _kind),
        by_consignor=breakdown(lots, lambda lot: lot.consignor_id, _consignor_of(names)),
        distribution=distribution(recoveries(lots)),
        lots=tuple(lots),
    )


def _consignor_results(
    sale: _Sale, rows: Sequence[LotRow], consignor_id: BidderId, names: Mapping[str, str]
) -> ConsignorResults:
    """Pure, and in a thread like the above."""
    lots = [_consigned(row) for row in rows]
    return ConsignorResults(
        sale_id=sale.sale_id,
        title=sale.title,
        currency=sale.currency,
        consignor_id=consignor_id,
        consignor=names.get(consignor_id),
        closed_at_us=sale.closed_at_us,
        totals=sums(lots),
        by_category=breakdown(lots, lambda lot: lot.category, _category),
        by_condition=breakdown(lots, lambda lot: lot.condition, _condition),
        by_kind=breakdown(lots, lambda lot: lot.kind, _kind),
        distribution=distribution(recoveries(lots)),
        lots=tuple(lots),
    )


def _lot_result(row: LotRow, rate: Rate | None, names: Mapping[str, str]) -> LotResult:
    buyers = (
        Buyer(paddle=paddle, name=names.get(winner))
        for winner, paddle in zip(row.winner_ids, row.winner_paddles, strict=True)
    )
    return LotResult(
        lot_id=row.lot_id,
        title=row.title,
        kind=row.kind,
        category=row.category,
        condition=row.condition,
        source=row.source,
        consignor_id=None if row.consignor_id is None else BidderId(row.consignor_id),
        consignor=names.get(row.consignor_id or ""),
        units=row.units,
        msrp_minor=row.msrp_minor,
        opening_minor=row.opening_minor,
        reserve_minor=row.reserve_minor,
        outcome=row.outcome,
        reason=row.reason,
        price_minor=row.price_minor,
        hammer_minor=row.hammer_minor,
        recovery_bps=row.recovery_bps,
        of_reserve_bps=share_bps(row.price_minor or 0, row.reserve_minor or 0),
        guidance=None if rate is None else _guided(rate, row.recovery_bps),
        bids=row.bids,
        bidders=row.bidders,
        extensions=row.extensions,
        opens_at_us=row.opens_at_us,
        closed_at_us=row.closed_at_us,
        buyers=tuple(buyers),
        funded_at_us=row.funded_at_us,
    )


def _consigned(row: LotRow) -> ConsignedLot:
    return ConsignedLot(
        lot_id=row.lot_id,
        title=row.title,
        kind=row.kind,
        category=row.category,
        condition=row.condition,
        source=row.source,
        units=row.units,
        msrp_minor=row.msrp_minor,
        opening_minor=row.opening_minor,
        outcome=row.outcome,
        reason=row.reason,
        price_minor=row.price_minor,
        hammer_minor=row.hammer_minor,
        recovery_bps=row.recovery_bps,
        bids=row.bids,
        bidders=row.bidders,
        extensions=row.extensions,
        opens_at_us=row.opens_at_us,
        closed_at_us=row.closed_at_us,
        paddles=tuple(row.winner_paddles),
        funded_at_us=row.funded_at_us,
    )


def _guided(rate: Rate, recovery_bps: int | None) -> Guided:
    spread = rate.spread
    verdict = None
    if recovery_bps is not None:
        verdict = Verdict.WITHIN
        if recovery_bps < spread.low_bps:
            verdict = Verdict.BELOW
        elif recovery_bps > spread.high_bps:
            verdict = Verdict.ABOVE
    return Guided(
        basis=rate.basis,
        step=rate.step,
        sales=rate.sales,
        low_bps=spread.low_bps,
        median_bps=spread.median_bps,
        high_bps=spread.high_bps,
        verdict=verdict,
    )


def _against_reserve(lots: Sequence[LotResult]) -> AgainstReserve:
    offered = [
        lot
        for lot in lots
        if lot.reserve_minor is not None and lot.outcome in (LotStatus.SOLD, LotStatus.PASSED)
    ]
    sold = [lot for lot in offered if lot.hammer_minor is not None]
    reserve_minor = sum(lot.reserve_minor or 0 for lot in sold)
    hammer_minor = sum(lot.hammer_minor or 0 for lot in sold)
    return AgainstReserve(
        lots=len(offered),
        sold=len(sold),
        reserve_minor=sum(lot.reserve_minor or 0 for lot in offered),
        sold_reserve_minor=reserve_minor,
        hammer_minor=hammer_minor,
        of_reserve_bps=share_bps(hammer_minor, reserve_minor),
    )


def _against_guidance(lots: Sequence[LotResult]) -> AgainstGuidance:
    verdicts = [lot.guidance.verdict for lot in lots if lot.guidance and lot.guidance.verdict]
    return AgainstGuidance(
        lots=len(verdicts),
        below=verdicts.count(Verdict.BELOW),
        within=verdicts.count(Verdict.WITHIN),
        above=verdicts.count(Verdict.ABOVE),
    )


_NOT_KNOWN: Final = "Not described"

_KINDS: Final[dict[str, str]] = {
    LotKind.CASE: "Cases",
    LotKind.PALLET: "Pallets",
    LotKind.PALLETS: "Several pallets",
    LotKind.TRUCKLOAD: "Truckloads",
}


def _category(key: str | None) -> str:
    return key or _NOT_KNOWN


def _condition(key: str | None) -> str:
    return _NOT_KNOWN if key is None else Condition(key).on_pages


def _kind(key: str | None) -> str:
    assert key is not None, "every lot has a kind"
    return _KINDS[key]


def _consignor_of(names: Mapping[str, str]) -> Callable[[str | None], str]:
    def name(key: str | None) -> str:
        return "Own goods" if key is None else names.get(key, key)

    return name
