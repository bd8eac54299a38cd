"""Which column means what: the best assignment of fields to columns, and how sure it is."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from auction.catalog.importing.assignment import best_assignment
from auction.catalog.importing.faults import Unreadable, shown
from auction.catalog.importing.matching import LEAST, scores
from auction.catalog.importing.profiles import Profile, profile_of
from auction.catalog.importing.relations import product_of
from auction.catalog.importing.sheets import Cell
from auction.catalog.importing.vocabulary import FIELDS, Field, header_score
from auction.catalog.importing.words import plain

_PRICES: Final = (Field.QUANTITY, Field.UNIT_MSRP, Field.EXTENDED_MSRP)
# Two columns that go equally well with a field: half of the confidence is a guess.
_DOUBT: Final = 0.5
_CLEAR_MARGIN: Final = 0.25
_SPEAKS_TOO: Final = 0.4


class Column(Struct, frozen=True):
    """A column that was taken for a field, with the confidence in [0, 1] and a close second."""

    index: int
    header: str
    confidence: float
    corrected: bool = False
    instead_of: str = ""


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
    return _sensible(found, profiles)


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
