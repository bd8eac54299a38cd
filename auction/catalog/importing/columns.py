"""Which column means what: the best assignment of fields to columns, and how sure it is."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct, structs

from auction.catalog.importing.assignment import best_assignment
from auction.catalog.importing.faults import Unreadable, shown
from auction.catalog.importing.matching import LEAST, scores
from auction.catalog.importing.profiles import Profile, profile_of
from auction.catalog.importing.relations import product_of, share_of_products
from auction.catalog.importing.sheets import Cell
from auction.catalog.importing.vocabulary import FIELDS, Field, header_score
from auction.catalog.importing.words import concepts, plain

_PRICES: Final = (Field.QUANTITY, Field.UNIT_MSRP, Field.EXTENDED_MSRP)
# Two columns that go equally well with a field: half of the confidence is a guess.
_DOUBT: Final = 0.5
_CLEAR_MARGIN: Final = 0.25
_SPEAKS_TOO: Final = 0.4
# Two prices are related by quantities on so many lines, or one of them is not ours.
_RELATED: Final = 0.3
_RELATED_BY_PACK: Final = 0.85
# A header that says "extended retail" is believed, whatever its values are.
_SURE_NAME: Final = 0.8
_SURE_CODE: Final = 0.7


class Column(Struct, frozen=True):
    """A column that was taken for a field, with the confidence in [0, 1] and a close second."""

    index: int
    header: str
    confidence: float
    corrected: bool = False
    instead_of: str = ""
    # Other columns that hold the same where this one is empty: an EAN beside a UPC.
    others: tuple[tuple[int, str], ...] = ()
    # A column of pieces in each of what this one counts: in a case.
    pack: int | None = None


Columns = dict[Field, Column]


def map_columns(
    headers: Sequence[str], columns: Sequence[Sequence[Cell]], corrections: Mapping[str, str]
) -> Columns:
    """The column of each field. ``columns`` are samples of values, one for each header.

    A correction names the header of a field, or '' for "none"; it stands above everything else.
    Raises `Unreadable` for one that is about no field or about no header of the file.
    """
    fixed = corrected_columns(headers, corrections)
    profiles = [profile_of(values) for values in columns]
    liked = [max(header_score(header, field) for field in _PRICES) for header in headers]
    table = scores(headers, profiles, product_of(columns, profiles, liked))
    named = {column for column in fixed.values() if column is not None}
    asked = [
        [
            0.0 if field in fixed or column in named or score < LEAST else score
            for column, score in enumerate(row)
        ]
        for field, row in zip(FIELDS, table, strict=True)
    ]
    found: Columns = {}
    for number, (field, column) in enumerate(zip(FIELDS, best_assignment(asked), strict=True)):
        if field in fixed:
            kept = fixed[field]
            if kept is not None:
                found[field] = Column(kept, headers[kept], 1.0, corrected=True)
        elif column is not None:
            used = {taken.index for taken in found.values()} | {column}
            found[field] = _column(field, headers, table[number], column, used)
    found = _sensible(found, profiles)
    _drop_what_is_no_product(found, columns)
    _add_other_codes(found, headers, profiles)
    _find_pack(found, headers, columns)
    return found


def _drop_what_is_no_product(found: Columns, columns: Sequence[Sequence[Cell]]) -> None:
    """Of two prices that quantities do not relate, the one with the weaker name is another's."""
    of_prices = [found.get(field) for field in _PRICES]
    quantity, unit, extended = of_prices
    if quantity is None or unit is None or extended is None:
        return
    share = share_of_products([columns[c.index] for c in (quantity, unit, extended)])
    if share is None or share >= _RELATED:
        return
    strength = {
        field: header_score(found[field].header, field)
        for field in (Field.EXTENDED_MSRP, Field.UNIT_MSRP)
    }
    weaker = min(strength, key=lambda field: strength[field])
    if strength[weaker] < _SURE_NAME and not found[weaker].corrected:
        del found[weaker]


def _add_other_codes(found: Columns, headers: Sequence[str], profiles: Sequence[Profile]) -> None:
    """UPC, EAN and GTIN side by side: a line has the one or the other."""
    column = found.get(Field.GTIN)
    if column is None or column.corrected:
        return
    used = {taken.index for taken in found.values()}
    others = tuple(
        (index, header)
        for index, header in enumerate(headers)
        if index not in used
        and header_score(header, Field.GTIN) >= _SURE_CODE
        and profiles[index].gtin_like > 0
    )
    found[Field.GTIN] = structs.replace(column, others=others)


def _find_pack(found: Columns, headers: Sequence[str], columns: Sequence[Sequence[Cell]]) -> None:
    """Cases, and pieces in each: where prices show it, or both headers say it."""
    quantity = found.get(Field.QUANTITY)
    if quantity is None or quantity.corrected:
        return
    used = {taken.index for taken in found.values()}
    unit, extended = found.get(Field.UNIT_MSRP), found.get(Field.EXTENDED_MSRP)
    for index, header in enumerate(headers):
        if index in used or not {"pack", "container", "containers"} & concepts(header):
            continue
        three = [columns[quantity.index], columns[index]]
        if unit is not None and extended is not None:
            prices = [columns[unit.index], columns[extended.index]]
            share = share_of_products([*three, *prices])
            plain_share = share_of_products([three[0], *prices])
            related = (share or 0) >= _RELATED_BY_PACK and (plain_share or 0) < _RELATED_BY_PACK
        else:
            related = "containers" in concepts(quantity.header) and _is_pack(header)
        if related:
            found[Field.QUANTITY] = structs.replace(quantity, pack=index)
            return


def _is_pack(header: str) -> bool:
    said = concepts(header)
    return "pack" in said or {"container", "units"} <= said


def _column(
    field: Field, headers: Sequence[str], row: Sequence[float], column: int, used: set[int]
) -> Column:
    rivals = [
        (score, other)
        for other, score in enumerate(row)
        if other not in used and header_score(headers[other], field) >= _SPEAKS_TOO
    ]
    second, rival = max(rivals, default=(0.0, -1), key=lambda entry: entry[0])
    score = min(1.0, row[column])
    instead = ""
    if second >= LEAST:
        instead = headers[rival]
        doubt = max(0.0, 1 - (row[column] - second) / _CLEAR_MARGIN)
        score *= 1 - _DOUBT * min(1.0, doubt) * 0.5
    return Column(column, headers[column], round(score, 2), instead_of=instead)


def _sensible(found: Columns, profiles: Sequence[Profile]) -> Columns:
    """Without what only makes sense beside something else."""
    unit = found.get(Field.WEIGHT_UNIT)
    if unit is not None and Field.WEIGHT not in found and not unit.corrected:
        del found[Field.WEIGHT_UNIT]
    return found


def corrected_columns(
    headers: Sequence[str], corrections: Mapping[str, str]
) -> dict[Field, int | None]:
    """The columns that a person has named; ``None``: the field has none."""
    fixed: dict[Field, int | None] = {}
    for name, header in corrections.items():
        if name not in {field.value for field in FIELDS}:
            fields = ", ".join(FIELDS)
            raise Unreadable("unknown_field", f"{shown(name)} is no field; there are: {fields}")
        fixed[Field(name)] = _find(headers, header) if header.strip() else None
    named = [column for column in fixed.values() if column is not None]
    if len(named) != len(set(named)):
        raise Unreadable("column_twice", "a column can be corrected to one field only")
    return fixed


def _find(headers: Sequence[str], wanted: str) -> int:
    for same in (lambda text: text, lambda text: " ".join(plain(text).split())):
        for column, header in enumerate(headers):
            if same(header) == same(wanted):
                return column
    there = ", ".join(shown(header) for header in headers[:40])
    raise Unreadable("unknown_header", f"there is no column {shown(wanted)}; the file has {there}")
