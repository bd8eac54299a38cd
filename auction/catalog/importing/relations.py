"""Which columns are quantity, unit price and extended price: the last is the others' product.

Headers say "Retail" for either price. Where the product holds for nearly all rows, and some have
more than one piece, the values say which is which.
"""

from collections.abc import Sequence
from decimal import Decimal
from itertools import combinations
from math import prod
from typing import Final

from msgspec import Struct

from auction.catalog.importing.amounts import BadAmount, habit_of, number_in
from auction.catalog.importing.profiles import Profile
from auction.catalog.importing.sheets import Cell

_CENT: Final = Decimal("0.01")
# Columns of numbers that are looked at: every pair of them is multiplied.
_MOST_NUMBERS: Final = 12
_ROWS: Final = 300
_TELLING_ROWS: Final = 2
_HOLDS: Final = 0.85
_LEAST_ROWS: Final = 3


class Product(Struct, frozen=True):
    """``quantity`` x ``unit`` = ``extended``, as numbers of columns."""

    quantity: int
    unit: int
    extended: int


def product_of(
    columns: Sequence[Sequence[Cell]], profiles: Sequence[Profile], liked: Sequence[float]
) -> Product | None:
    """The columns of which one is the product of two others, if their values show it.

    ``liked``: how well a column's header goes with prices and quantities; the best liked counts.
    """
    numeric = [
        column
        for column, profile in enumerate(profiles)
        if profile.number >= 0.6 and not profile.counting and profile.long_gtin < 0.5
    ]
    numeric.sort(key=lambda column: -liked[column])
    numeric = sorted(numeric[:_MOST_NUMBERS])
    numbers = {column: _numbers(columns[column]) for column in numeric}
    found: list[tuple[float, Product]] = []
    for one, other in combinations(numeric, 2):
        for extended in numeric:
            if extended in (one, other):
                continue
            product = _ordered(one, other, extended, profiles)
            if product is not None and _holds(numbers, product):
                worth = liked[one] + liked[other] + liked[extended]
                found.append((worth, product))
    return max(found, key=lambda entry: entry[0])[1] if found else None


def _numbers(cells: Sequence[Cell]) -> list[Decimal | None]:
    habit = habit_of(cells)
    numbers: list[Decimal | None] = []
    for cell in cells[:_ROWS]:
        try:
            numbers.append(number_in(cell, habit))
        except BadAmount:
            numbers.append(None)
    return numbers


def share_of_products(columns: Sequence[Sequence[Cell]]) -> float | None:
    """On what share of rows the last column is the product of the others; ``None``: too few."""
    *factors, products = [_numbers(cells) for cells in columns]
    kept = rows = 0
    for *parts, product in zip(*factors, products, strict=True):
        if product is None or None in parts:
            continue
        made = prod(part for part in parts if part is not None)
        rows += 1
        kept += abs(made - product) <= (abs(parts[0] or 0) + 1) * _CENT / 2
    return kept / rows if rows >= _LEAST_ROWS else None


def _ordered(one: int, other: int, extended: int, profiles: Sequence[Profile]) -> Product | None:
    """The factor of whole numbers is the quantity; with two of them, the one with less variety."""
    able = [column for column in (one, other) if profiles[column].whole >= 0.8]
    if not able:
        return None
    quantity = min(able, key=lambda column: (profiles[column].priced, profiles[column].distinct))
    return Product(quantity, other if quantity == one else one, extended)


def _holds(numbers: dict[int, list[Decimal | None]], product: Product) -> bool:
    kept = telling = rows = 0
    for quantity, unit, extended in zip(
        numbers[product.quantity], numbers[product.unit], numbers[product.extended], strict=True
    ):
        if quantity is None or unit is None or extended is None or quantity == 0:
            continue
        rows += 1
        if abs(quantity * unit - extended) <= (abs(quantity) + 1) * _CENT / 2:
            kept += 1
            telling += quantity > 1 and unit > 0
    return rows >= 3 and telling >= _TELLING_ROWS and kept >= _HOLDS * rows
