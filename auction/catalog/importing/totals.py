"""Rows of sums, compared with the lines above them."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from msgspec import Struct

from auction.catalog.goods import ManifestLine
from auction.catalog.importing.amounts import BadAmount, is_number, number_in
from auction.catalog.importing.columns import Columns
from auction.catalog.importing.faults import Problems
from auction.catalog.importing.money import Money
from auction.catalog.importing.pricing import quantity_in
from auction.catalog.importing.rows import Sorted, Total, is_mean_label
from auction.catalog.importing.sheets import Cell, Row, is_blank
from auction.catalog.importing.vocabulary import Field
from auction.catalog.importing.words import concepts
from auction.money import format_minor

_NAMED: Final = re.compile(r"\s*([^:=]{3,40}?)\s*[:=]\s*(\S{1,30})\s*\Z")
_LABEL_CHARACTERS: Final = 60
_OF_NO_GOODS: Final = re.compile(
    r"(weight|gewicht|poids|peso|pallets|paletten|palettes|skus|lines|cartons|boxes)\W*\d*\Z",
    re.IGNORECASE,
)
# Totals that are none of goods, or of their price elsewhere.
_OF_OTHER_THINGS: Final = frozenset(
    {"pallet", "weight", "cost", "sale", "container", "containers", "number", "line", "percent"}
)

Lines = Sequence[tuple[int, ManifestLine | None]]


def compare_totals(
    found: Sorted,
    titles: Sequence[Row],
    lines: Lines,
    columns: Columns,
    money: Money,
    problems: Problems,
) -> None:
    """Note each sum that agrees, and warn of each that does not.

    A sum may be of all lines above it or of those since the sum before; one in a title or below
    all lines is of all.
    Where a line had an error the sums say nothing.
    """
    before = 0
    for total in found.totals:
        above = [line for _, line in lines[: total.after]]
        since = [line for _, line in lines[before : total.after]]
        before = total.after
        if is_mean_label(total.label) or _OF_NO_GOODS.search(total.label):
            continue
        if not above or None in above:
            continue
        sums = [[line for line in part if line is not None] for part in (since, above) if part]
        if any(_compare_said(said, sums, money, problems) for said in sums_said(total.row)):
            continue
        _compare_units(total, sums, columns, money, problems)
        _compare_money(total, sums, columns, money, problems)
    every = [line for _, line in lines if line is not None]
    if len(every) == len(lines):
        for row in (*titles, *found.footers):
            for said in sums_said(row):
                _compare_said(said, [every], money, problems)


class SumSaid(Struct, frozen=True):
    """A sum with its name beside it: ``Total units: 91``."""

    line: int
    label: str
    number: Cell
    of_pieces: bool


def sums_said(row: Row) -> Iterator[SumSaid]:
    """The sums in a row that names each: in one cell, or in two beside each other."""
    known = [cell for cell in row.cells if not is_blank(cell)]
    pairs: list[tuple[Cell, Cell]] = list(pairwise(known))
    pairs += [(found[1], found[2]) for cell in known if (found := _NAMED.match(str(cell)))]
    for label, number in pairs:
        if not isinstance(label, str) or len(label) > _LABEL_CHARACTERS or not is_number(number):
            continue
        said = concepts(label)
        if "total" not in said or said & _OF_OTHER_THINGS or is_number(label):
            continue
        of_pieces = bool(said & {"units", "quantity", "item"}) and "retail" not in said
        if of_pieces or said & {"retail", "msrp", "value", "price", "extended"}:
            yield SumSaid(row.line, label, number, of_pieces)


def _compare_said(
    said: SumSaid, sums: Sequence[Sequence[ManifestLine]], money: Money, problems: Problems
) -> bool:
    """Whether the sum could be compared; a warning where it differs."""
    habit = money.habits.get(Field.EXTENDED_MSRP) or money.habits.get(Field.UNIT_MSRP)
    try:
        if said.of_pieces:
            shown = f"{quantity_in(said.number):,} pieces"
            agrees = quantity_in(said.number) in [
                amount
                for part in sums
                for amount in (sum(line.quantity for line in part), len(part))
            ]
            come_to = f"{sum(line.quantity for line in sums[-1]):,}"
        else:
            amount = number_in(said.number, habit) if habit is not None else None
            if amount is None:
                return False
            minor = money.minor(amount)[0]
            shown = format_minor(minor, money.currency)
            totals = [sum(line.extended_msrp_minor for line in part) for part in sums]
            agrees = any(abs(minor - total) <= max(1, len(sums[-1]) // 2) for total in totals)
            come_to = format_minor(totals[-1], money.currency)
    except BadAmount:
        return False
    if agrees:
        problems.note(f"line {said.line}: the sum of {shown} agrees with the lines")
    else:
        message = f"the file says {shown} in all, and the lines come to {come_to}"
        problems.warning(said.line, "", "total_differs", message)
    return True


def _compare_units(
    total: Total,
    sums: Sequence[Sequence[ManifestLine]],
    columns: Columns,
    money: Money,
    problems: Problems,
) -> None:
    column = columns.get(Field.QUANTITY)
    if column is None:
        return
    try:
        said = quantity_in(total.row.at(column.index), money.pieces)
    except BadAmount:
        return
    come_to = [sum(line.quantity for line in part) for part in sums]
    if said in come_to or said in [len(part) for part in sums]:
        problems.note(f"line {total.row.line}: the sum of {said:,} pieces agrees with the lines")
        return
    message = f"the sum says {said:,} pieces, and the lines come to {come_to[-1]:,}"
    problems.warning(total.row.line, column.header, "total_differs", message)


def _compare_money(
    total: Total,
    sums: Sequence[Sequence[ManifestLine]],
    columns: Columns,
    money: Money,
    problems: Problems,
) -> None:
    field = Field.EXTENDED_MSRP if Field.EXTENDED_MSRP in columns else Field.UNIT_MSRP
    try:
        amount = money.read(total.row, columns, field)
        said = None if amount is None else money.minor(amount)[0]
    except BadAmount:
        return
    if said is None:
        return
    come_to = [sum(line.extended_msrp_minor for line in part) for part in sums]
    units = [sum(line.unit_msrp_minor for line in part) for part in sums]
    close = max(1, len(sums[-1]) // 2)  # each line of the file may have been rounded
    agreeing = come_to + (units if field is Field.UNIT_MSRP else [])
    shown = format_minor(said, money.currency)
    if any(abs(said - value) <= close for value in agreeing):
        problems.note(f"line {total.row.line}: the sum of {shown} agrees with the lines")
        return
    message = (
        f"the sum says {shown}, and the lines come to {format_minor(come_to[-1], money.currency)}"
    )
    problems.warning(total.row.line, columns[field].header, "total_differs", message)
