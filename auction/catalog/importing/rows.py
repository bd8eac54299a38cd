"""Which rows below a header are goods, and which are totals, headings, page headers and blank."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from auction.catalog.importing.amounts import is_number
from auction.catalog.importing.columns import Columns
from auction.catalog.importing.faults import Problems, shown, some_lines
from auction.catalog.importing.sheets import Row, is_blank
from auction.catalog.importing.tables import (
    Table,
    filled,
    looks_like_header,
    usual_count,
)
from auction.catalog.importing.texts import is_nothing, text_in
from auction.catalog.importing.vocabulary import Field
from auction.catalog.importing.words import plain

_TOTAL: Final = re.compile(
    r"(grand|sub|page|report|overall|running|pallet|lot|load|manifest|category)?[\s-]*"
    r"(totals?|subtotals?|summe|gesamt(?:menge|wert|preis|betrag|anzahl|stuckzahl|uvp|summe)?|zwischensumme|endsumme|insgesamt|somme|totaux|"
    r"sous-total|totale|suma|suma total|razem|subtotale|totaal|subtotaal|averages?|avg|"
    r"durchschnitt)"
    r"([\s:.-]*(general|generale|generaal|units?|items?|qty|quantity|pieces|pcs|retail|msrp|rrp|uvp|"
    r"value|price|amount|ext\.?|extended|cost|weight|pallets?|lines?|usd|eur|gbp)\b)*"
    r"(\s*(for|of|fur|de|del|-|:|#)?\s*(pallet|palette|lot|load|category|page)\b.{0,40})?\s*[:=]?\s*"
    r"[$€£]?[\d.,]*\s*\Z"
)
_TOTAL_AFTER: Final = re.compile(r".{1,50}\b(sub)?totals?\s*:?\Z")
_TOTAL_BEFORE: Final = re.compile(
    r"(sub[ -]?totals?|grand totals?|zwischensumme|sous-total|totals? (for|of|pour|por|fur))\b"
    r".{0,60}\Z"
)
_SOUNDS_LIKE_ONE: Final = re.compile(
    r"tot[ae]|sum|gesamt|somme|razem|averag|avg|durchschnitt", re.IGNORECASE
)
_MEANS: Final = re.compile(r"avg|average|durchschnitt")
_PALLET: Final = re.compile(
    r"\A\s*(?:pallet|palette|palet|pal[eé]|paleta|bancale|pal|plt|skid|gaylord)\b\s*"
    r"(?:id|number|no\.?|nr\.?|#)?\s*[:#\-]?\s*((?=\S*\d)\w[\w\-./]{0,40})"
    r"(?:\s*(?:of|von|de|di|z|van|/)\s*\d+)?(?:\s*(?:[-\u2013,;:(|]).{0,80})?\s*\Z",
    re.IGNORECASE,
)
_PAGE: Final = re.compile(
    r"\A\W*(?:page|seite|pagina|página|strona|pag\.?|p\.)\s*\d+(?:\s*(?:of|von|de|di|sur|van|z|/)"
    r"\s*\d+)?\W*\Z",
    re.IGNORECASE,
)
# Of these a line of goods has at least one; a total has none but its label.
_TELLING: Final = (
    *(Field.GTIN, Field.LPN, Field.ITEM_NUMBER, Field.SERIAL, Field.MODEL, Field.BRAND),
    *(Field.CONDITION, Field.DESCRIPTION),
)
# Labels of a sum stand in one or two cells of those, and in another something may stand.
_MOST_TOLD: Final = 3
_COUNTED: Final = (Field.QUANTITY, Field.UNIT_MSRP, Field.EXTENDED_MSRP)


class Kind(StrEnum):
    """What a row is."""

    LINE = "line"
    BLANK = "blank"
    HEADER = "header"
    TOTAL = "total"
    HEADING = "heading"
    ELSEWHERE = "elsewhere"


@dataclass(slots=True)
class Total:
    """A row of sums with the number of lines before it."""

    row: Row
    label: str
    after: int


@dataclass(slots=True)
class Sorted:
    """The rows of a table by what they are; ``pallets``: of headings, by the row's number."""

    lines: list[Row] = field(default_factory=list)
    totals: list[Total] = field(default_factory=list)
    pallets: dict[int, str] = field(default_factory=dict)
    # The heading that lines stand under, by the row's number: a category, a grade.
    sections: dict[int, str] = field(default_factory=dict)
    # Words below the last line: remarks, and what the goods come to.
    footers: list[Row] = field(default_factory=list)


def sort_rows(table: Table, columns: Columns, problems: Problems) -> Sorted:
    """What each row is. What is left out is noted, and within the goods it is a warning."""
    usual = usual_count(row for row in table.rows[:2_000] if filled(row) > 1)
    kinds = [_kind(row, table, columns, usual) for row in table.rows]
    _leave_out_other_tables(table, kinds, problems)
    last = max((at for at, kind in enumerate(kinds) if kind is Kind.LINE), default=-1)
    last = _without_footer(table.rows, kinds, last, columns, usual)
    found = Sorted()
    left_out: dict[Kind, list[int]] = {kind: [] for kind in Kind}
    named = _PALLET.match(table.sheet.name)
    pallet = named[1] if named is not None else ""
    section = ""
    in_sections = _has_sections(table.rows, kinds)
    for at, (row, kind) in enumerate(zip(table.rows, kinds, strict=True)):
        if kind is Kind.LINE:
            found.lines.append(row)
            if pallet:
                found.pallets[row.line] = pallet
            if section:
                found.sections[row.line] = section
            continue
        if kind is not Kind.BLANK or at < last:
            left_out[kind].append(row.line)
        if kind is Kind.TOTAL:
            found.totals.append(Total(row, _label(row), len(found.lines)))
        elif kind is Kind.HEADING and in_sections and at < last and _is_section(row):
            section = _words(row)
            problems.note(f"line {row.line} is a heading: {shown(section)}")
        elif kind is Kind.HEADING:
            found.footers += [row] if at > last else []
            pallet = _heading(row, at < last, pallet, problems)
    _note(left_out, problems)
    return found


def _kind(row: Row, table: Table, columns: Columns, usual: int) -> Kind:
    count = filled(row)
    if count == 0:
        return Kind.BLANK
    if table.is_header(row):
        return Kind.HEADER
    if _is_total(row, columns):
        return Kind.TOTAL
    if count == 1 and usual >= 3 and not _only_number(row):
        return Kind.HEADING
    return Kind.LINE


def _leave_out_other_tables(table: Table, kinds: list[Kind], problems: Problems) -> None:
    """Another header behind a blank row begins another table: what the goods come to, say."""
    elsewhere = False
    for at, row in enumerate(table.rows):
        if kinds[at] is Kind.HEADER:
            elsewhere = False
        elif at and kinds[at] is Kind.LINE and kinds[at - 1] is not Kind.LINE and not elsewhere:
            elsewhere = looks_like_header(row)
            if elsewhere:
                message = (
                    f"another table begins here, with {shown(text_in(row.at(0)))}; it was left "
                    "out: if it holds goods, import it as a file of its own"
                )
                problems.note(f"line {row.line}: {message}")
        if elsewhere:
            kinds[at] = Kind.ELSEWHERE


def _only_number(row: Row) -> bool:
    return all(is_number(cell) for cell in row.cells if not is_blank(cell))


def _is_total(row: Row, columns: Columns) -> bool:
    telling = {columns[name].index for name in _TELLING if name in columns}
    told = [
        column
        for column in telling
        if not is_nothing(text_in(row.at(column))) and column not in row.filled
    ]
    if len(told) > _MOST_TOLD:
        return False
    labels = [
        column
        for column, cell in enumerate(row.cells)
        if isinstance(cell, str) and len(cell) <= 100 and is_total_label(cell)
    ]
    if labels:
        return len(set(told) - set(labels)) <= 1
    if told or not columns.keys() & set(_COUNTED):
        return False
    # Sums without a word: numbers where quantities and prices stand, and nothing that tells goods.
    # What has a price for one piece is a line from which the rest is missing.
    unit = columns.get(Field.UNIT_MSRP)
    if (
        unit is not None
        and len(columns.keys() & set(_COUNTED)) > 1
        and not is_blank(row.at(unit.index))
    ):
        return False
    others = [
        column
        for column, cell in enumerate(row.cells)
        if not is_blank(cell) and column not in row.filled
    ]
    counted = {columns[name].index for name in _COUNTED if name in columns}
    return bool(others) and set(others) <= counted and len(telling) > 0


def is_total_label(text: str) -> bool:
    """Whether a cell says that its row is a sum: ``Total``, ``Zwischensumme``, ``Grand total:``."""
    if _SOUNDS_LIKE_ONE.search(text) is None:
        return False
    said = " ".join(plain(text).split())
    return any(form.match(said) for form in (_TOTAL, _TOTAL_AFTER, _TOTAL_BEFORE))


def is_mean_label(text: str) -> bool:
    """Whether it is an average: nothing to compare sums with."""
    return bool(_MEANS.search(plain(text)))


def _label(row: Row) -> str:
    for cell in row.cells:
        if isinstance(cell, str) and is_total_label(cell):
            return text_in(cell)
    return ""


def _without_footer(
    rows: Sequence[Row], kinds: list[Kind], last: int, columns: Columns, usual: int
) -> int:
    """Rows at the end with one or two words and nothing that goods have are no goods."""
    goods = {columns[name].index for name in (*_COUNTED, Field.GTIN, Field.LPN) if name in columns}
    while last >= 0 and usual >= 5 and goods:
        row = rows[last]
        if filled(row) > 2 or any(not is_blank(row.at(column)) for column in goods):
            break
        kinds[last] = Kind.HEADING
        last = max((at for at in range(last) if kinds[at] is Kind.LINE), default=-1)
    return last


def _words(row: Row) -> str:
    return " ".join(text_in(cell) for cell in row.cells if not is_blank(cell))


def _is_section(row: Row) -> bool:
    text = _words(row)
    return _PALLET.match(text) is None and _PAGE.match(text) is None


def _has_sections(rows: Sequence[Row], kinds: Sequence[Kind]) -> bool:
    """Whether headings part the lines: the first stands above all lines, and others follow."""
    at = [at for at, row in enumerate(rows) if kinds[at] is Kind.HEADING and _is_section(row)]
    first = next((at for at, kind in enumerate(kinds) if kind is Kind.LINE), len(rows))
    return len(at) > 1 and at[0] < first < at[1]


def _heading(row: Row, within: bool, pallet: str, problems: Problems) -> str:
    """The pallet of the lines that follow."""
    text = _words(row)
    named = _PALLET.match(text)
    if named is not None:
        problems.note(f"line {row.line} is a heading: the lines below it are of pallet {named[1]}")
        return named[1]
    if within and _PAGE.match(text) is None:
        message = (
            f"{shown(text)} stands alone in its row; it was left out: if it is goods, fill it in"
        )
        problems.warning(row.line, "", "text_only_row", message)
    else:
        problems.note(f"line {row.line} is no line of goods: {shown(text)}")
    return pallet


def _note(left_out: dict[Kind, list[int]], problems: Problems) -> None:
    for kind, what in (
        (Kind.BLANK, "blank and left out"),
        (Kind.HEADER, "the header again and left out"),
        (Kind.TOTAL, "sums and left out"),
    ):
        lines = left_out[kind]
        if lines:
            verb = "is" if len(lines) == 1 else "are"
            problems.note(f"{some_lines(lines)} {verb} {what}")
