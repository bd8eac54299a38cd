"""Results as spreadsheets (``auction.spreadsheets``): the lots, and what they come to. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from auction.desk.result_sums import Part, Sums
from auction.desk.results import ConsignedLot, ConsignorResults, LotResult, SaleResults
from auction.spreadsheets import Book, Column, Kind, table_csv

_LOT: Final[Sequence[Column[Any]]] = (
    Column("Lot", Kind.TEXT, lambda lot: lot.lot_id, 8),
    Column("Title", Kind.TEXT, lambda lot: lot.title, 40),
    Column("Category", Kind.TEXT, lambda lot: lot.category, 20),
    Column("Condition", Kind.TEXT, lambda lot: lot.condition, 14),
    Column("Kind", Kind.TEXT, lambda lot: lot.kind),
    Column("Source", Kind.TEXT, lambda lot: lot.source, 18),
    Column("Units", Kind.COUNT, lambda lot: lot.units, 8),
    Column("MSRP", Kind.MONEY, lambda lot: lot.msrp_minor),
    Column("Opening bid", Kind.MONEY, lambda lot: lot.opening_minor),
    Column("Outcome", Kind.TEXT, lambda lot: lot.outcome),
    Column("Reason", Kind.TEXT, lambda lot: lot.reason, 18),
    Column("Highest price", Kind.MONEY, lambda lot: lot.price_minor),
    Column("Hammer price", Kind.MONEY, lambda lot: lot.hammer_minor),
    Column("Recovery %", Kind.RATE, lambda lot: lot.recovery_bps),
    Column("Bids", Kind.COUNT, lambda lot: lot.bids, 8),
    Column("Bidders", Kind.COUNT, lambda lot: lot.bidders, 8),
    Column("Extensions", Kind.COUNT, lambda lot: lot.extensions),
    Column("Opened (UTC)", Kind.TIME, lambda lot: lot.opens_at_us, 20),
    Column("Closed (UTC)", Kind.TIME, lambda lot: lot.closed_at_us, 20),
    Column("Paid (UTC)", Kind.TIME, lambda lot: lot.funded_at_us, 20),
)

OF_LIQUIDATOR: Final[Sequence[Column[LotResult]]] = (
    *_LOT,
    Column("Reserve", Kind.MONEY, lambda lot: lot.reserve_minor),
    Column("% of reserve", Kind.RATE, lambda lot: lot.of_reserve_bps),
    Column("Guidance from %", Kind.RATE, lambda lot: lot.guidance and lot.guidance.low_bps, 16),
    Column("Guidance to %", Kind.RATE, lambda lot: lot.guidance and lot.guidance.high_bps, 16),
    Column("Against guidance", Kind.TEXT, lambda lot: lot.guidance and lot.guidance.verdict, 16),
    Column("Consignor", Kind.TEXT, lambda lot: lot.consignor or lot.consignor_id, 24),
    Column("Paddle", Kind.TEXT, lambda lot: _joined(buyer.paddle for buyer in lot.buyers), 8),
    Column("Buyer", Kind.TEXT, lambda lot: _joined(b.name for b in lot.buyers if b.name), 24),
)

OF_CONSIGNOR: Final[Sequence[Column[ConsignedLot]]] = (
    *_LOT,
    Column("Paddle", Kind.TEXT, lambda lot: _joined(lot.paddles), 8),
)

_SUMS: Final[Sequence[Column[Sums]]] = (
    Column("Lots", Kind.COUNT, lambda part: part.lots, 8),
    Column("Sold", Kind.COUNT, lambda part: part.sold, 8),
    Column("Passed", Kind.COUNT, lambda part: part.passed, 8),
    Column("Withdrawn", Kind.COUNT, lambda part: part.withdrawn),
    Column("Not ended", Kind.COUNT, lambda part: part.unended),
    Column("Units", Kind.COUNT, lambda part: part.units, 8),
    Column("MSRP", Kind.MONEY, lambda part: part.msrp_minor),
    Column("Hammer prices", Kind.MONEY, lambda part: part.hammer_minor),
    Column("Recovery %", Kind.RATE, lambda part: part.recovery_bps),
    Column("Median recovery %", Kind.RATE, lambda p: p.quartiles and p.quartiles.median_bps, 18),
    Column("Sell-through %", Kind.RATE, lambda part: part.sell_through_bps, 14),
)


def results_csv(results: SaleResults | ConsignorResults) -> bytes:
    """The lots, one a row, in UTF-8 under a row of titles that name the currency."""
    columns, lots = _table(results)
    return table_csv(columns, lots, results.currency)


def results_xlsx(results: SaleResults | ConsignorResults) -> bytes:
    """The lots, and on a second sheet what they come to, whole and by each breakdown."""
    columns, lots = _table(results)
    with Book(results.closed_at_us or 0) as book:
        book.sheet("Lots", results.currency).write_table(columns, lots)
        sheet = book.sheet("Totals", results.currency)
        sheet.write_line(results.note)
        for title, parts in _breakdowns(results):
            sheet.write_table(_of_parts(title), parts)
    return book.data


def _table(
    results: SaleResults | ConsignorResults,
) -> tuple[Sequence[Column[Any]], Sequence[Any]]:
    if isinstance(results, SaleResults):
        return OF_LIQUIDATOR, results.lots
    return OF_CONSIGNOR, results.lots


def _breakdowns(
    results: SaleResults | ConsignorResults,
) -> list[tuple[str, Sequence[Part]]]:
    found: list[tuple[str, Sequence[Part]]] = [
        ("All lots", [Part(key=None, name="All lots", sums=results.totals)]),
        ("Category", results.by_category),
        ("Condition", results.by_condition),
        ("Kind", results.by_kind),
    ]
    if isinstance(results, SaleResults):
        found.append(("Consignor", results.by_consignor))
    return found


def _of_parts(title: str) -> list[Column[Part]]:
    def of(column: Column[Sums]) -> Column[Part]:
        return Column(
            column.title, column.kind, lambda part: column.value_of(part.sums), column.width
        )

    name: Column[Part] = Column(title, Kind.TEXT, lambda part: part.name, 24)
    return [name, *map(of, _SUMS)]


def _joined(values: Iterable[object]) -> str:
    return ", ".join(map(str, values))
