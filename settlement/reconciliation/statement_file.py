"""A bank statement as a file: the money that came in, read strictly. Pure.

CSV in UTF-8 with just this row of titles; one row for each amount that came in::

    date,amount,currency,sender,reference,bank id
    2026-03-09,1540.54,USD,Acme Resale LLC,INV 1042,20260309-000123

The bank's own id is what makes a second import harmless, so every row has one. Whatever is not as
it should be is named by its line; a file with one such row is refused whole.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from io import StringIO
from typing import Final

from msgspec import Struct

from auction.money import EXPONENTS, MAX_MINOR, parse_minor

TITLES: Final = ("date", "amount", "currency", "sender", "reference", "bank id")
# A year of a busy account; a file that people look through is far smaller.
MAX_BYTES: Final = 2 * 1024 * 1024
MAX_ROWS: Final = 5_000
MAX_TEXT: Final = 200
# As many as somebody mends before trying again.
MAX_FAULTS: Final = 50
# What is older is of an account that was closed and reported long ago.
OLDEST_DAYS: Final = 400

_BANK_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/\-]{0,79}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class StatementRow(Struct, frozen=True, kw_only=True):
    """Money that came in. ``line``: of the file, from 1."""

    line: int
    received_on: date
    amount_minor: int
    currency: str
    sender: str
    reference: str
    bank_id: str


class Fault(Struct, frozen=True):
    """What is wrong, and in which line; 0: the file as a whole."""

    line: int
    words: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.words}" if self.line else self.words


class BadStatement(ValueError):
    """The file is not taken; ``faults``: the first of what is wrong with it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults[:3])))
        self.faults = tuple(faults)


def parse_statement(data: bytes, currency: str, today: date) -> list[StatementRow]:
    """The rows of a file in one currency; ``BadStatement`` names every row that is wrong."""
    text = _text(data)
    faults: list[Fault] = []
    rows: list[StatementRow] = []
    lines: dict[str, int] = {}
    for line, cells in _rows(text):
        row = _row(line, cells, currency, today)
        if isinstance(row, Fault):
            faults.append(row)
        elif row.bank_id in lines:
            faults.append(Fault(line, f"the bank id is that of line {lines[row.bank_id]}"))
        else:
            lines[row.bank_id] = line
            rows.append(row)
        if len(faults) >= MAX_FAULTS:
            break
    if faults:
        raise BadStatement(faults)
    if not rows:
        raise BadStatement([Fault(0, "It has no rows.")])
    return rows


def check_row(
    received_on: date, amount_minor: int, currency: str, texts: Iterable[str], today: date
) -> str | None:
    """What is wrong with money that is entered by hand or stands in a file, if anything is."""
    if not today - timedelta(days=OLDEST_DAYS) <= received_on <= today + timedelta(days=1):
        return f"{received_on.isoformat()} is not within the last {OLDEST_DAYS} days"
    if currency not in EXPONENTS:
        return f"{currency[:10]!r} is no currency that we keep books in"
    if amount_minor < 1:
        return "the amount is not above zero: what left the account is not entered here"
    if amount_minor > MAX_MINOR:
        return "the amount is larger than any that the books hold"
    for text in texts:
        if len(text) > MAX_TEXT:
            return f"a text has more than {MAX_TEXT} characters"
        if any(not character.isprintable() for character in text):
            return "a text has characters that cannot be printed"
    return None


def check_bank_id(bank_id: str) -> str | None:
    """What is wrong with the bank's id of a row, if anything is."""
    return None if _BANK_ID.fullmatch(bank_id) else f"{bank_id[:40]!r} is no bank id"


def _text(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise BadStatement([Fault(0, f"It is larger than {MAX_BYTES // 1024 // 1024} MiB.")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadStatement([Fault(line, "it is not UTF-8")]) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise BadStatement([Fault(line, "it has a NUL")])
    return text


def _rows(text: str) -> Iterable[tuple[int, list[str]]]:
    """The rows below the titles, with the line on which each begins."""
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    line = 1
    try:
        titles = [title.strip().lower() for title in next(reader, [])]
        if tuple(titles) != TITLES:
            wanted = ",".join(TITLES)
            raise BadStatement([Fault(1, f"the titles are not {wanted}")])
        line = reader.line_num + 1
        for count, cells in enumerate(reader, 1):
            if count > MAX_ROWS:
                raise BadStatement([Fault(line, f"there are more than {MAX_ROWS} rows")])
            if cells:
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadStatement([Fault(line, f"it is no CSV: {error}")]) from None


def _row(line: int, cells: Sequence[str], currency: str, today: date) -> StatementRow | Fault:
    if len(cells) != len(TITLES):
        return Fault(line, f"it has {len(cells)} cells, not {len(TITLES)}")
    day, amount, code, sender, reference, bank_id = (cell.strip() for cell in cells)
    if code != currency:
        return Fault(line, f"the currency is {code[:10]!r}, not {currency}")
    try:
        amount_minor = parse_minor(amount, currency)
        received_on = date.fromisoformat(day) if _DATE.fullmatch(day) else None
    except ValueError as error:
        return Fault(line, str(error))
    if received_on is None:
        return Fault(line, f"{day[:20]!r} is no date such as 2026-03-09")
    wrong = check_row(received_on, amount_minor, currency, (sender, reference), today)
    wrong = wrong or check_bank_id(bank_id)
    if wrong:
        return Fault(line, wrong)
    return StatementRow(
        line=line,
        received_on=received_on,
        amount_minor=amount_minor,
        currency=currency,
        sender=sender,
        reference=reference,
        bank_id=bank_id,
    )
