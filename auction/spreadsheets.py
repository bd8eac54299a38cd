"""Tables as spreadsheets: CSV for programs, XLSX for people. Pure; made in a thread or a child.

Texts in them were typed by strangers, and a spreadsheet takes what begins like a formula for one.
In CSV, where there are no types, such a cell gets an apostrophe in front (OWASP, "CSV Injection");
in XLSX every text is written as a text, which is never computed. Amounts are decimals in the
table's currency, made of the integers; rates are per cent.
"""

import csv
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum, auto
from io import BytesIO, StringIO
from types import TracebackType
from typing import Any, Final, Generic, TypeVar

from msgspec import Struct
from xlsxwriter import Workbook  # type: ignore[import-untyped]

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


def defused(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def table_csv(columns: Sequence[Column[T]], rows: Iterable[T], currency: str) -> bytes:
    """The rows in UTF-8 under a row of titles that name the currency."""
    written = StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(_titled(column, currency) for column in columns)
    for row in rows:
        writer.writerow(_in_csv(column.kind, column.value_of(row), currency) for column in columns)
    return written.getvalue().encode()


class Book:
    """A workbook. ``made_at_us``: a fact, so that the same facts are the same bytes."""

    def __init__(self, made_at_us: int) -> None:
        self._made = BytesIO()
        self._book = Workbook(self._made, {"in_memory": True})
        self._book.set_properties({"created": _time(made_at_us)})

    def sheet(self, name: str, currency: str) -> "Sheet":
        """The next sheet, empty."""
        return Sheet(self._book, name, currency)

    def __enter__(self) -> "Book":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._book.close()

    @property
    def data(self) -> bytes:
        """The file, once the book is closed."""
        return self._made.getvalue()


class Sheet:
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

    def write_facts(self, facts: Iterable[tuple[str, str]]) -> None:
        """What the sheet is about: a title and a text a row, and an empty row below them."""
        for title, text in facts:
            self._sheet.write_string(self._row, 0, title, self._title)
            self._sheet.write_string(self._row, 1, text)
            self._row += 1
        self._row += 1

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


def _time(at_us: int) -> datetime:
    """UTC without saying so, as spreadsheets have times."""
    return (_EPOCH + timedelta(microseconds=at_us)).replace(tzinfo=None, microsecond=0)
