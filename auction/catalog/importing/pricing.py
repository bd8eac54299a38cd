"""Quantity and MSRP of a line, and whether the extended MSRP is their product."""

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from auction.catalog.goods import MAX_QUANTITY
from auction.catalog.importing.amounts import BadAmount, DecimalSign, Habit, number_in
from auction.catalog.importing.columns import Columns
from auction.catalog.importing.faults import Problems, shown
from auction.catalog.importing.money import PRICES, Money
from auction.catalog.importing.sheets import Cell, Row
from auction.catalog.importing.texts import is_nothing, text_in
from auction.catalog.importing.vocabulary import Field
from auction.money import format_minor

_UNITS: Final = re.compile(
    r"\s*(x|units?|pcs?\.?|pieces?|ea\.?|each|stk\.?|stück|st\.?|uds?\.?|pi[eè]ces?|szt\.?)\s*\Z",
    re.IGNORECASE,
)
_POINTS: Final = Habit(DecimalSign.POINT, sure=True)


def quantity_in(cell: Cell, habit: Habit = _POINTS) -> int:
    """Pieces: a whole number above 0. Raises `BadAmount`."""
    text = text_in(cell)
    if is_nothing(text):
        raise BadAmount("quantity_missing", "the quantity is empty; fill it in, or delete the line")
    if isinstance(cell, str):
        cell = _UNITS.sub("", text)
    try:
        number = number_in(cell, habit)
    except BadAmount:
        number = None
    if number is None:
        raise BadAmount("quantity_unreadable", f"{shown(text)} is no quantity such as 12")
    if number != number.to_integral_value():
        raise BadAmount("quantity_not_whole", f"{shown(text)} is no whole number of pieces")
    if number <= 0:
        message = f"a quantity of {shown(text)} cannot be sold; correct it, or delete the line"
        raise BadAmount("quantity_not_positive", message)
    if number > MAX_QUANTITY:
        message = f"a quantity of {shown(text)} is more than {MAX_QUANTITY:,}"
        raise BadAmount("quantity_too_large", message)
    return int(number)


class Pricing:
    """Reads quantity and prices of lines, and names what does not agree."""

    def __init__(self, columns: Columns, money: Money, problems: Problems) -> None:
        self._columns, self._money, self._problems = columns, money, problems

    def quantity(self, row: Row) -> int | None:
        """The pieces of a line; ``None`` after an error, which was told."""
        column = self._columns.get(Field.QUANTITY)
        if column is None:
            return 1
        if column.index in row.filled:
            message = "the quantity is a merged cell over several lines; give each line its own"
            self._problems.error(row.line, column.header, "merged_amount", message)
            return None
        try:
            quantity = quantity_in(row.at(column.index), self._money.pieces)
            if column.pack is None:
                return quantity
            each = quantity_in(row.at(column.pack), self._money.pieces)
            return quantity_in(quantity * each)
        except BadAmount as fault:
            self._problems.error(row.line, column.header, fault.code, str(fault))
            return None

    def unit_minor(self, row: Row, quantity: int) -> int | None:
        """The MSRP of one piece in minor units; ``None`` after an error, which was told."""
        given: dict[Field, Decimal | None] = {}
        for field in PRICES:
            try:
                given[field] = self._read(row, field)
            except BadAmount as fault:
                self._tell_error(row, field, fault)
                return None
        unit, extended = given[Field.UNIT_MSRP], given[Field.EXTENDED_MSRP]
        try:
            return self._settled(row, quantity, unit, extended)
        except BadAmount as fault:
            self._tell_error(row, Field.UNIT_MSRP, fault)
            return None

    def _read(self, row: Row, field: Field) -> Decimal | None:
        column = self._columns.get(field)
        if column is not None and field is Field.EXTENDED_MSRP and column.index in row.filled:
            if Field.UNIT_MSRP not in self._columns:
                message = "the amount is a merged cell over several lines; give each line its own"
                raise BadAmount("merged_amount", message)
            return None
        return self._money.read(row, self._columns, field)

    def _settled(
        self, row: Row, quantity: int, unit: Decimal | None, extended: Decimal | None
    ) -> int:
        if unit is None and extended is None:
            return self._missing(row)
        if unit == 0:
            return self._of_nothing(row, quantity, extended)
        if unit is None:
            assert extended is not None
            return self._from_extended(row, quantity, extended)
        minor, exact = self._money.minor(unit)
        if not exact:
            message = f"{unit:f} was rounded to {self._said(minor)}"
            self._tell(row, Field.UNIT_MSRP, "amount_rounded", message)
        if extended is not None:
            self._check(row, quantity, minor, extended, exact=exact)
        return minor

    def _missing(self, row: Row) -> int:
        if any(field in self._columns for field in PRICES):
            field = Field.UNIT_MSRP if Field.UNIT_MSRP in self._columns else Field.EXTENDED_MSRP
            message = "there is no MSRP; it counts as 0 until it is filled in"
            self._tell(row, field, "msrp_missing", message)
        return 0

    def _of_nothing(self, row: Row, quantity: int, extended: Decimal | None) -> int:
        """A unit MSRP of 0 is a gap that somebody filled; the extended one may know better."""
        if not extended:
            message = "the MSRP is 0; fill it in if there is one"
            self._tell(row, Field.UNIT_MSRP, "msrp_missing", message)
            return 0
        message = "the MSRP of one piece is 0 and the extended one is not; the latter counts"
        self._tell(row, Field.EXTENDED_MSRP, "extended_differs", message)
        return self._from_extended(row, quantity, extended)

    def _from_extended(self, row: Row, quantity: int, extended: Decimal) -> int:
        total, _ = self._money.minor(extended)
        each = int((Decimal(total) / quantity).to_integral_value(ROUND_HALF_UP))
        if each * quantity != total:
            message = (
                f"{self._said(total)} for {quantity} pieces is no whole amount for one; "
                f"{self._said(each)} each comes to {self._said(each * quantity)}"
            )
            self._tell(row, Field.EXTENDED_MSRP, "unit_rounded", message)
        return each

    def _check(self, row: Row, quantity: int, unit: int, extended: Decimal, *, exact: bool) -> None:
        total, _ = self._money.minor(extended)
        # A unit price that was rounded to the minor unit is off by half of one for each piece.
        allowed = (quantity + 1) // 2 if not exact or quantity > 1 else 0
        if abs(total - quantity * unit) > allowed:
            message = (
                f"the file says {self._said(total)}, but {quantity} x {self._said(unit)} is "
                f"{self._said(quantity * unit)}; the latter counts"
            )
            self._tell(row, Field.EXTENDED_MSRP, "extended_differs", message)

    def _said(self, minor: int) -> str:
        return format_minor(minor, self._money.currency)

    def _header(self, field: Field) -> str:
        column = self._columns.get(field)
        return column.header if column is not None else ""

    def _tell(self, row: Row, field: Field, code: str, message: str) -> None:
        self._problems.warning(row.line, self._header(field), code, message)

    def _tell_error(self, row: Row, field: Field, fault: BadAmount) -> None:
        self._problems.error(row.line, self._header(field), fault.code, str(fault))
