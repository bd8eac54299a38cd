"""Results as spreadsheets: CSV for programs, XLSX for people. Pure; made in a thread.

Texts in them were typed by strangers, and a spreadsheet takes what begins like a formula for one.
In CSV, where there are no types, such a cell gets an apostrophe in front (OWASP, "CSV Injection");
in XLSX every text is written as a text, which is never computed. Amounts are decimals in the
sale's currency, made of the integers; rates are per cent.
"""

import csv
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum, auto
from io import BytesIO, StringIO
from typing import Any, Final, Generic, TypeVar

from msgspec import Struct
from xlsxwriter import Workbook  # type: ignore[import-untyped]

from auction.desk.result_sums import Part, Sums
from auction.desk.results import ConsignedLot, ConsignorResults, LotResult, SaleResults
from auction.money import EXPONENTS, format_minor

CSV_TYPE: Final = "text/csv"
XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

T = TypeVar("T")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# What a cell may not begin with, where a spreadsheet looks for formulas.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class Kind(Enum):
    """What is in a column; an absent value is an empty cell."""

    TEXT = auto()
    COUNT = auto()
    MONEY = auto()  # minor units
    RATE = auto()  # hundredths of a per cent
    TIME = auto()  # microseconds


class Column(Struct, Generic[T], frozen=True):
    """A column of a table of these."""

    title: str
    kind: Kind
    value_of: Callable[[T], Any]
    width: int = 12


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
    written = StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(_titled(column, results.currency) for column in columns)
    for lot in lots:
        writer.writerow(
            _in_csv(column.kind, column.value_of(lot), results.currency) for column in columns
        )
    return written.getvalue().encode()


def results_xlsx(results: SaleResults | ConsignorResults) -> bytes:
    """The lots, and on a second sheet what they come to, whole and by each breakdown."""
    columns, lots = _table(results)
    made = BytesIO()
    with Workbook(made, {"in_memory": True}) as book:
        # The same results are the same bytes, whenever they are written.
        book.set_properties({"created": _time(results.closed_at_us or 0)})
        sheet = _Sheet(book, "Lots", results.currency)
        sheet.write_table(columns, lots)
        sheet = _Sheet(book, "Totals", results.currency)
        sheet.write_line(results.note)
        for title, parts in _breakdowns(results):
            sheet.write_table(_of_parts(title), parts)
    return made.getvalue()


def defused(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


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


def _titled(column: Column[Any], currency: str) -> str:
    return f"{column.title} ({currency})" if column.kind is Kind.MONEY else column.title


def _in_csv(kind: Kind, value: Any, currency: str) -> str:
    if value is None:
        return ""
    match kind:
        case Kind.TEXT:
            return defused(value)
        case Kind.MONEY:
            return format_minor(value, currency)
        case Kind.RATE:
            return format(Decimal(value).scaleb(-2), "f")
        case Kind.TIME:
            return _time(value).isoformat(timespec="seconds") + "Z"
        case Kind.COUNT:
            return str(value)


class _Sheet:
    """A sheet that is filled from the top."""

    def __init__(self, book: Any, name: str, currency: str) -> None:
        self._sheet, self._currency, self._row = book.add_worksheet(name), currency, 0
        self._title = book.add_format({"bold": True, "bottom": 1})
        places = EXPONENTS[currency]
        money = f"#,##0.{'0' * places}" if places else "#,##0"
        self._formats = {
            Kind.MONEY: book.add_format({"num_format": money}),
            Kind.RATE: book.add_format({"num_format": "0.00"}),
            Kind.TIME: book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        }

    def write_line(self, text: str) -> None:
        self._sheet.write_string(self._row, 0, text)
        self._row += 2

    def write_table(self, columns: Sequence[Column[T]], rows: Iterable[T]) -> None:
        """A row of titles, a row for each; the next table comes below."""
        for place, column in enumerate(columns):
            title = _titled(column, self._currency)
            self._sheet.write_string(self._row, place, title, self._title)
            self._sheet.set_column(place, place, column.width)
        if self._row == 0:
            self._sheet.freeze_panes(1, 2)
        for row in rows:
            self._row += 1
            for place, column in enumerate(columns):
                value = column.value_of(row)
                if value is not None:
                    self._write(place, column.kind, value)
        self._row += 2

    def _write(self, place: int, kind: Kind, value: Any) -> None:
        at, style = (self._row, place), self._formats.get(kind)
        match kind:
            case Kind.TEXT:
                self._sheet.write_string(*at, value)
            case Kind.MONEY:
                exponent = EXPONENTS[self._currency]
                self._sheet.write_number(*at, Decimal(value).scaleb(-exponent), style)
            case Kind.RATE:
                self._sheet.write_number(*at, Decimal(value).scaleb(-2), style)
            case Kind.TIME:
                self._sheet.write_datetime(*at, _time(value), style)
            case Kind.COUNT:
                self._sheet.write_number(*at, value)


def _time(at_us: int) -> datetime:
    """UTC without saying so, as spreadsheets have times."""
    return (_EPOCH + timedelta(microseconds=at_us)).replace(tzinfo=None, microsecond=0)


def _joined(values: Iterable[object]) -> str:
    return ", ".join(map(str, values))
