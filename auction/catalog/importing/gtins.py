"""GTINs as spreadsheets leave them: zeros lost, turned into floats, wrapped, mistyped.

A GTIN has 8, 12, 13 or 14 digits, the last of which checks the others (GS1 General Specifications,
7.9). A spreadsheet takes one for a number, and drops leading zeros: with 9 to 11 digits left it is
read as a UPC of 12, with 7 as a GTIN-8, if its check digit agrees then. An ISBN of ten characters
is the GTIN of its book.
"""

import re
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from typing import Final

from msgspec import Struct

from auction.catalog.goods import gtin_check_digit, is_gtin
from auction.catalog.importing.faults import shown
from auction.catalog.importing.sheets import Cell
from auction.catalog.importing.texts import ascii_digits, is_nothing, text_in

_SEPARATORS: Final = re.compile("[\\s\\-\u2010-\u2015.]+")
_LABEL: Final = re.compile(r"\A(upc|ean|gtin|isbn)(-?\d\d)?[\s:#]+", re.IGNORECASE)
_FLOAT: Final = re.compile(r"\A(\d+)[.,]0*\Z")
_SCIENTIFIC: Final = re.compile(r"\A(\d)(?:[.,](\d+))?[eE]\+?(\d{1,2})\Z")
_DATE: Final = re.compile(
    r"\A(\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{4})([ T].*)?\Z"
)
_ISBN10: Final = re.compile(r"\A\d{9}[\dXx]\Z")
# Of a number in scientific notation: with fewer digits it was rounded.
_LEAST_SIGNIFICANT: Final = 10


class GtinRepair(StrEnum):
    """What was done to make a GTIN of a cell."""

    NONE = ""
    ZEROS = "zeros"
    FLOAT = "float"


class GtinFound(Struct, frozen=True, gc=False):
    """What a cell holds: a GTIN, or why not (``code`` and ``message``), or nothing at all."""

    gtin: str = ""
    repair: GtinRepair = GtinRepair.NONE
    code: str = ""
    message: str = ""


NO_GTIN: Final = GtinFound()


def gtin_in(cell: Cell, *, book: bool = False) -> GtinFound:
    """The GTIN that a cell holds; ``book``: its header says that ten digits are an ISBN."""
    return _gtin_in(text_in(cell), book)


@lru_cache(maxsize=50_000)
def _gtin_in(raw: str, book: bool) -> GtinFound:
    text = _LABEL.sub("", ascii_digits(raw)).strip()
    if is_nothing(text):
        return NO_GTIN
    if _DATE.match(text):
        message = f"{shown(raw)} is no GTIN (UPC, EAN) but a date"
        return GtinFound(code="gtin_not_digits", message=message)
    repair = GtinRepair.NONE
    scientific = _SCIENTIFIC.match(text)
    if scientific is not None:
        digits = _digits_of(scientific[0], (scientific[1] + (scientific[2] or "")).rstrip("0"))
        if not digits:
            message = (
                f"{shown(raw)} was rounded by a spreadsheet and its last digits are lost: "
                "format the column as text and fill it in again"
            )
            return GtinFound(code="gtin_rounded", message=message)
        text, repair = digits, GtinRepair.FLOAT
    elif (whole := _FLOAT.match(text)) is not None and len(whole[1]) >= 6:
        text, repair = whole[1], GtinRepair.FLOAT
    digits = _SEPARATORS.sub("", text)
    if digits.isdigit() and not digits.strip("0"):
        return NO_GTIN
    isbn = _of_isbn(digits)
    if isbn and (book or not digits.isdigit()):
        return GtinFound(isbn, repair)
    found = _checked(raw, digits, repair)
    return GtinFound(isbn, repair) if isbn and found.code else found


def _of_isbn(text: str) -> str:
    """The GTIN of a book with an ISBN of ten characters (ISO 2108:1970); "" if it is none."""
    if _ISBN10.match(text) is None:
        return ""
    values = [10 if sign in "Xx" else int(sign) for sign in text]
    if sum(weight * value for weight, value in zip(range(10, 0, -1), values, strict=True)) % 11:
        return ""
    body = "978" + text[:9]
    return body + gtin_check_digit(body)


def _digits_of(text: str, significant: str) -> str:
    """The digits of a number in scientific notation; "" if some were lost."""
    try:
        number = Decimal(text.replace(",", "."))
    except InvalidOperation:
        return ""
    whole = format(number.to_integral_value(), "f")
    # Trailing zeros are not written: one may be missing, more are hardly an accident.
    if number != number.to_integral_value() or len(significant) < _LEAST_SIGNIFICANT:
        return ""
    return whole if len(significant) >= len(whole) - 1 else ""


def _checked(raw: str, digits: str, repair: GtinRepair) -> GtinFound:
    if not digits.isdigit():
        message = f"{shown(raw)} is no GTIN (UPC, EAN): it has other characters than digits"
        return GtinFound(code="gtin_not_digits", message=message)
    if is_gtin(digits):
        return GtinFound(digits, repair)
    for candidate in _restored(digits):
        if is_gtin(candidate):
            return GtinFound(candidate, GtinRepair.ZEROS)
    if len(digits) in (8, 12, 13, 14):
        message = f"{shown(raw)} is no GTIN: its check digit is wrong, so a digit was mistyped"
        return GtinFound(code="gtin_check_digit", message=message)
    message = f"{shown(raw)} is no GTIN: it has {len(digits)} digits, and not 8, 12, 13 or 14"
    return GtinFound(code="gtin_length", message=message)


def _restored(digits: str) -> tuple[str, ...]:
    """What it may have been before leading zeros were lost, or too many were added."""
    if 9 <= len(digits) <= 11:
        return (digits.zfill(12),)
    if len(digits) == 7:
        return (digits.zfill(8),)
    if len(digits) > 14:
        short = digits.lstrip("0")
        return (short.zfill(12),) if len(short) <= 14 else ()
    return ()
