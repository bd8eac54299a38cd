"""Amounts as people write them, read by the habit of the whole column and not cell by cell.

``1.234`` is twelve hundred in one manifest and one and a bit in another; the other cells of the
column tell which. Results are exact decimals; rounding to minor units is half up, and told.
"""

import re
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Final

from msgspec import Struct

from auction.catalog.importing.currencies import without_currency
from auction.catalog.importing.faults import shown
from auction.catalog.importing.sheets import Cell
from auction.catalog.importing.texts import ascii_digits, is_nothing, text_in
from auction.money import MAX_MINOR

_NUMBER: Final = re.compile(r"\A(\d+(?:[.,]\d+)*)?(?:([.,])(\d*|[-\u2013\u2014]{1,2}))?\Z")
_SPACED: Final = re.compile(r"(?<=\d)[\s'’`\u2019](?=\d{3}(?!\d))")  # noqa: RUF001 - the Swiss write 1'234
_MAX_CHARACTERS: Final = 40
# "x2", "Qty: 2"
_TIMES: Final = re.compile(r"\A(x\s?(?=\d{1,3}\Z)|qty\.?\s*:?\s*(?=\d))", re.IGNORECASE)
# "12.99 each", "12,99/Stk."
_EACH: Final = re.compile(
    r"(?<=[\d\s€$£])\s*(/|per\b|pro\b|je\b)?\s*(ea|each|units?|pcs?|piece|stk|stück|st|item|szt|ud)\.?\Z",
    re.IGNORECASE,
)
# A float of a spreadsheet is off by less; more than that was a finer price.
_FLOAT_NOISE: Final = Decimal("0.000001")


class DecimalSign(StrEnum):
    """What stands before the fraction."""

    POINT = "."
    COMMA = ","

    @property
    def other(self) -> "DecimalSign":
        """What groups thousands, if anything does."""
        return DecimalSign.COMMA if self is DecimalSign.POINT else DecimalSign.POINT

    @property
    def on_pages(self) -> str:
        """In a message."""
        return "points" if self is DecimalSign.POINT else "commas"


class BadAmount(ValueError):
    """What stands there is no amount; the message says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Habit(Struct, frozen=True):
    """How a column writes numbers; ``sure``: a value showed it, it was not assumed."""

    sign: DecimalSign
    sure: bool


def bare_number(cell: Cell) -> str:
    """The digits and signs of an amount: no currency, no spaces, minus first."""
    return _bare(text_in(cell))


@lru_cache(maxsize=50_000)
def _bare(text: str) -> str:
    text = ascii_digits(text)
    if text[-1:].isalpha() or text[-1:] == ".":
        text = _EACH.sub("", text)
    if text[:1] in "xXqQ":
        text = _TIMES.sub("", text)
    text = _EACH.sub("", without_currency(text)).strip()
    negative = False
    if text.startswith("(") and text.endswith(")"):
        text, negative = text[1:-1].strip(), True
    text = text.replace("\u2212", "-")
    if text[-1:] == "-" and text[-2:-1].isdigit():
        text, negative = text[:-1].rstrip(), not negative
    if text.startswith(("+", "-")):
        text, negative = text[1:].lstrip(), negative != (text[0] == "-")
    text = _SPACED.sub("", text).strip()
    return f"-{text}" if negative else text


def is_number(cell: Cell) -> bool:
    """Whether the cell holds a number in anybody's habit."""
    if not isinstance(cell, str):
        return True
    if len(cell) > _MAX_CHARACTERS:
        return False
    bare = bare_number(cell).removeprefix("-")
    return any(map(str.isdigit, bare[:2])) and _NUMBER.match(bare) is not None


def habit_of(
    cells: Iterable[Cell], *, likely: DecimalSign = DecimalSign.POINT, thousands: bool = False
) -> Habit:
    """How a column writes its fractions; ``likely`` if no value shows it.

    ``thousands``: a sign that three digits follow in every value groups them. Prices and pieces
    do not have three decimals; weights do.
    """
    votes = dict.fromkeys(DecimalSign, 0)
    grouping: DecimalSign | None = None
    for cell in cells:
        if isinstance(cell, str) and len(cell) <= _MAX_CHARACTERS:
            number = bare_number(cell).removeprefix("-")
            shown_by = _sign_shown_by(number)
            if shown_by is not None:
                votes[shown_by] += 1
            elif _NUMBER.match(number) and (
                signs := [sign for sign in DecimalSign if sign in number]
            ):
                grouping = grouping or signs[0]
    point, comma = votes[DecimalSign.POINT], votes[DecimalSign.COMMA]
    if point == comma:
        assumed = grouping.other if thousands and grouping is not None else likely
        return Habit(assumed, sure=False)
    return Habit(DecimalSign.POINT if point > comma else DecimalSign.COMMA, sure=True)


@lru_cache(maxsize=50_000)
def _sign_shown_by(number: str) -> DecimalSign | None:
    """The decimal sign that this number can only have been written with."""
    signs = [character for character in number if character in ".,"]
    if not signs or _NUMBER.match(number) is None:
        return None
    last = DecimalSign(signs[-1])
    if len(set(signs)) == 2:
        return last
    if len(signs) > 1:
        return last.other  # grouped thousands
    whole, _, fraction = number.partition(last)
    if len(fraction) != 3 or len(whole) > 3 or whole in ("", "0"):
        return last
    return None


@lru_cache(maxsize=50_000)
def _decimal_of(bare: str, sign: DecimalSign) -> Decimal | None:
    """The number in this habit; ``None`` if it cannot be one."""
    negative, number = bare.startswith("-"), bare.removeprefix("-")
    whole, _, fraction = number.partition(sign)
    fraction = fraction.rstrip("-\u2013\u2014")
    groups = whole.split(sign.other)
    if len(groups) > 1 and not (
        1 <= len(groups[0]) <= 3
        and all(2 <= len(group) <= 3 for group in groups[1:-1])
        and len(groups[-1]) == 3
    ):
        return None
    digits = "".join(groups)
    if not (digits or fraction) or not (digits + fraction).isdigit():
        return None
    amount = Decimal(f"{digits or '0'}.{fraction or '0'}")
    return -amount if negative else amount


def number_in(cell: Cell, habit: Habit) -> Decimal | None:
    """The number that a cell holds; ``None``: nothing. Raises `BadAmount`."""
    if not isinstance(cell, str):
        return Decimal(repr(cell)) if cell == cell and abs(cell) < 1e18 else None
    text = text_in(cell)
    if is_nothing(text):
        return None
    if len(text) > _MAX_CHARACTERS:
        raise BadAmount("amount_unreadable", f"{shown(text)} is no amount such as 177.50")
    bare = bare_number(text)
    if is_nothing(bare):
        return None
    amount = _decimal_of(bare, habit.sign)
    if amount is not None:
        return amount
    if _decimal_of(bare, habit.sign.other) is not None:
        raise BadAmount(
            "amount_ambiguous",
            f"{shown(text)} is not written as the rest of the column, which has decimal "
            f"{habit.sign.on_pages}; write all amounts alike",
        )
    raise BadAmount("amount_unreadable", f"{shown(text)} is no amount such as 177.50")


def minor_of(amount: Decimal, exponent: int) -> tuple[int, bool]:
    """An amount in minor units, rounded half up, and whether that was exact.

    ``BadAmount`` for a negative one and for more than any amount may be.
    """
    scaled = amount.scaleb(exponent)
    minor = int(scaled.to_integral_value(ROUND_HALF_UP))
    if amount < 0:
        raise BadAmount("amount_negative", f"{amount:f} is less than nothing")
    if minor > MAX_MINOR:
        raise BadAmount("amount_too_large", f"{amount:f} is larger than any amount may be")
    return minor, abs(scaled - minor) <= _FLOAT_NOISE.scaleb(exponent)
