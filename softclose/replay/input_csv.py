"""Rows of a CSV file that a person or a spreadsheet made: each fault named by file, line, column.

Nothing is read into memory but a line at a time, however large the file claims to be.
"""

import csv
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Context, Decimal
from pathlib import Path
from typing import BinaryIO, ClassVar

from auction.money import parse_minor
from foundation.errors import OperatorError

CURRENCY = "USD"
# No row of amounts, times and ids comes near it; a file without line ends must not fill memory.
MAX_LINE_BYTES = 64 * 1024
# An amount, a time or a number is shorter than this; ids and texts are not limited by it.
MAX_VALUE_CHARACTERS = 40
SHOWN_CHARACTERS = 40

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
DAY_US = 86_400_000_000
MAX_DAYS = 366

_DAYS = re.compile(r"(\d+\.?\d*|\.\d+)([eE][-+]?\d\d?)?", re.ASCII)
_WHOLE = re.compile(r"\d{1,15}", re.ASCII)
# Exact for every value that fits MAX_VALUE_CHARACTERS.
_EXACT = Context(prec=200)


class BadInput(OperatorError):
    """A file that was given does not hold what it should."""

    exit_code: ClassVar[int] = 2


class Row:
    """A row under its header. Each reader of a column raises `BadInput` that names the place."""

    __slots__ = ("_columns", "_fields", "_file", "_line")

    def __init__(self, file: Path, line: int, columns: dict[str, int], fields: list[str]) -> None:
        self._file, self._line, self._columns, self._fields = file, line, columns, fields

    def fault(self, column: str, what: str) -> BadInput:
        """The error to raise about this row's ``column``."""
        return BadInput(f"{self._file}:{self._line}: column {column}: {what}")

    def is_blank(self, column: str) -> bool:
        """Whether nothing stands in the column."""
        return not self._value(column).strip()

    def name(self, column: str) -> str:
        """An id: any text but none, exactly as it stands."""
        if self.is_blank(column):
            raise self.fault(column, "is empty")
        return self._value(column)

    def amount_minor(self, column: str) -> int:
        """An amount in minor units, 0 included."""
        try:
            return parse_minor(self._short(column, "an amount such as 177.50"), CURRENCY)
        except ValueError as error:
            raise self.fault(column, str(error)) from None

    def positive_minor(self, column: str) -> int:
        """An amount in minor units above 0."""
        amount_minor = self.amount_minor(column)
        if amount_minor == 0:
            raise self.fault(column, "an amount must be more than 0")
        return amount_minor

    def days(self, column: str) -> Decimal:
        """A time span in days, exactly."""
        what = "a number of days such as 2.230949"
        text = self._short(column, what)
        if not _DAYS.fullmatch(text):
            raise self.fault(column, f"{text!r} is not {what}")
        days = Decimal(text)
        if days > MAX_DAYS:
            raise self.fault(column, f"{text} is more than {MAX_DAYS} days")
        return days

    def whole(self, column: str) -> int:
        """A whole number from 0."""
        what = "a whole number such as 12"
        text = self._short(column, what)
        if not _WHOLE.fullmatch(text):
            raise self.fault(column, f"{text!r} is not {what}")
        return int(text)

    def time(self, column: str) -> datetime:
        """A time in ISO 8601 with its offset."""
        what = "a time such as 2025-11-20T21:00:00-05:00"
        text = self._short(column, what)
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            raise self.fault(column, f"{text!r} is not {what}") from None
        if time.tzinfo is None:
            raise self.fault(column, f"{text!r} has no offset from UTC, as {what} has")
        if not EPOCH <= time < LATEST:
            raise self.fault(column, f"{text!r} is not between {EPOCH.year} and {LATEST.year}")
        return time

    def _value(self, column: str) -> str:
        return self._fields[self._columns[column]]

    def _short(self, column: str, what: str) -> str:
        text = self._value(column).strip()
        if len(text) > MAX_VALUE_CHARACTERS:
            raise self.fault(column, f"{text[:SHOWN_CHARACTERS]!r}... is not {what}")
        return text


def days_us(days: Decimal) -> int:
    """Days as whole microseconds, the rest cut off."""
    return int(_EXACT.multiply(days, DAY_US).to_integral_value(ROUND_FLOOR))


def instant_us(time: datetime) -> int:
    """A time as microseconds since the epoch."""
    return (time - EPOCH) // MICROSECOND


def read_rows(file: Path, wanted: tuple[str, ...]) -> Iterator[Row]:
    """The rows under a header with at least the ``wanted`` columns, in any order."""
    with file.open("rb") as stream:
        records = _records(file, stream)
        line, header = next(records, (1, []))
        if not header:
            raise BadInput(f"{file}:1: the file is empty; its first line names the columns")
        header = [name.strip() for name in header]
        columns = _columns(f"{file}:{line}", header, wanted)
        for line, fields in records:
            count, expected = len(fields), len(header)
            if count != expected:
                column = header[min(count, expected - 1)][:SHOWN_CHARACTERS]
                column = column if column.isprintable() else repr(column)
                fault = f"the row has {count} fields and the header {expected}"
                raise BadInput(f"{file}:{line}: column {column}: {fault}")
            yield Row(file, line, columns, fields)


def _records(file: Path, stream: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    """Each record that is not blank, with the line that it begins on."""
    reader = csv.reader(_lines(file, stream), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader, None)
        except csv.Error as error:
            raise BadInput(f"{file}:{line}: {_csv_fault(error)}") from None
        if fields is None:
            return
        if fields:
            yield line, fields


def _csv_fault(error: csv.Error) -> str:
    if "new-line character" in str(error):
        return "a line ends with a carriage return alone; save the file with LF or CRLF line ends"
    return f"not well-formed CSV: {error}"


def _columns(place: str, header: list[str], wanted: tuple[str, ...]) -> dict[str, int]:
    for column in wanted:
        if column not in header:
            there = ", ".join(header)[:200]
            raise BadInput(f"{place}: column {column}: is missing; the header has {there!r}")
        if header.count(column) > 1:
            raise BadInput(f"{place}: column {column}: stands more than once in the header")
    return {column: header.index(column) for column in wanted}


def _lines(file: Path, stream: BinaryIO) -> Iterator[str]:
    number = 0
    while raw := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        place = f"{file}:{number}"
        if number == 1 and raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise BadInput(f"{place}: the file is UTF-16; save it as UTF-8")
        if len(raw) > MAX_LINE_BYTES:
            raise BadInput(f"{place}: the line is longer than {MAX_LINE_BYTES:,} bytes")
        if b"\0" in raw:
            raise BadInput(f"{place}: byte {raw.index(0) + 1} of the line is NUL: not a text file")
        try:
            yield raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            where = f"byte {error.start + 1} of the line (0x{raw[error.start]:02x})"
            raise BadInput(f"{place}: {where} is not UTF-8; save the file as UTF-8") from None
