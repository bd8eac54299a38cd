"""A file from bytes to lines: the whole way, in one process, without any I/O.

Only `worker` calls it with what strangers send: it runs where memory and time are limited.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from auction.catalog.goods import ManifestLine
from auction.catalog.importing.columns import Columns, map_columns
from auction.catalog.importing.faults import Problems, Unreadable, shown
from auction.catalog.importing.lines import (
    LineReader,
    check_count,
    numbered,
    warn_of_doubles,
    warn_of_the_unusual,
)
from auction.catalog.importing.money import Money, money_of
from auction.catalog.importing.reading import read_source
from auction.catalog.importing.results import ColumnUsed, Head, Manifest, sums_of
from auction.catalog.importing.rows import Sorted, sort_rows
from auction.catalog.importing.same_goods import aligned, goods_of, repeating
from auction.catalog.importing.sheets import Source, column_letters
from auction.catalog.importing.statements import currency_stated
from auction.catalog.importing.tables import Table, find_table
from auction.catalog.importing.totals import compare_totals
from auction.catalog.importing.vocabulary import Field
from auction.money import MAX_MINOR

Report = Callable[[int, int], None]
"""Called with steps done and all steps."""

_STEPS = 4
# Of these a manifest has at least one, beside something that names the goods.
_TELLS_GOODS = (Field.QUANTITY, Field.UNIT_MSRP, Field.EXTENDED_MSRP, Field.GTIN, Field.LPN)
_NAMES_GOODS = (Field.DESCRIPTION, Field.BRAND, Field.MODEL, Field.ITEM_NUMBER, Field.GTIN)


@dataclass(slots=True)
class _Found:
    """A sheet that looks like a manifest."""

    table: Table
    columns: Columns
    worth: float


def _ignore(_: int, __: int) -> None:
    pass


def manifest_in(
    data: bytes,
    corrections: Mapping[str, str] | None = None,
    currency: str | None = None,
    report: Report = _ignore,
) -> Manifest:
    """A file as a manifest, its errors and warnings.

    ``corrections``: field -> header, '' for none. ``currency``: of amounts that do not say it.
    Raises `Unreadable`.
    """
    problems = Problems()
    source = read_source(data)
    report(1, _STEPS)
    chosen = _chosen(source, corrections or {}, problems)
    report(2, _STEPS)
    for note in source.notes:
        problems.note(note)
    first = chosen[0]
    problems.header_line = first.table.header_line
    _warn_of_columns(first, problems)
    sorted_rows = []
    for found in chosen:
        _enter(found, chosen, problems)
        sorted_rows.append(sort_rows(found.table, found.columns, problems))
    report(3, _STEPS)
    money = money_of(
        [row for rows in sorted_rows for row in rows.lines],
        first.columns,
        problems,
        default=currency,
        hints=source.currencies,
        delimiter=source.delimiter,
        stated=currency_stated(first.table.titles),
    )
    lines: list[tuple[int, ManifestLine | None]] = []
    alone = len(chosen) == 1  # else a title may speak of all sheets together
    fits = check_count(sum(len(rows.lines) for rows in sorted_rows), problems)
    for found, rows in zip(chosen, sorted_rows, strict=True) if fits else ():
        _enter(found, chosen, problems)
        lines += _lines(found, rows, money, problems, alone=alone)
    report(4, _STEPS)
    return _manifest(source, chosen, money, lines, problems)


def _chosen(source: Source, corrections: Mapping[str, str], problems: Problems) -> list[_Found]:
    """The sheets that are the manifest: the best one, and others with the same headers."""
    found: list[_Found] = []
    faults: list[Unreadable] = []
    for sheet in source.sheets:
        table = None if sheet.hidden and len(source.sheets) > 1 else find_table(sheet, corrections)
        if table is None:
            continue
        try:
            columns = map_columns(table.headers, table.sample(), corrections)
        except Unreadable as fault:
            faults.append(fault)
            continue
        if _is_manifest(columns):
            found.append(_Found(table, columns, _worth(table, columns)))
    if not found:
        raise _none_found(source, faults)
    best = max(found, key=lambda entry: entry.worth)
    chosen: list[_Found] = []
    for entry in found:
        table = aligned(entry.table, best.table, best.columns)
        if table is not None:  # one mapping for all of them
            chosen.append(_Found(table, best.columns, entry.worth))
    _note_others(source, found, chosen, problems)
    chosen = _without_repeats(chosen, problems)
    chosen.sort(key=lambda entry: source.sheets.index(entry.table.sheet))
    return chosen


def _without_repeats(chosen: list[_Found], problems: Problems) -> list[_Found]:
    """Without the sheets of pallets where one sheet has all of them: goods count once."""
    if len(chosen) == 1:
        return chosen
    whole = repeating([goods_of(entry.table, entry.columns) for entry in chosen])
    if whole is None:
        return chosen
    kept = chosen[whole]
    for entry in chosen:
        if entry is not kept:
            message = (
                f"the goods of sheet {shown(entry.table.sheet.name)} stand on sheet "
                f"{shown(kept.table.sheet.name)} too; they count once"
            )
            problems.warning(entry.table.header_line, "", "sheet_repeated", message)
    return [kept]


def _is_manifest(columns: Columns) -> bool:
    return bool(columns.keys() & set(_TELLS_GOODS)) and bool(columns.keys() & set(_NAMES_GOODS))


def _worth(table: Table, columns: Columns) -> float:
    """The more fields it has and the more rows, the more a sheet is the manifest."""
    rows = sum(1 for row in table.rows if row.cells)
    return sum(column.confidence for column in columns.values()) * min(rows, 100)


def _none_found(source: Source, faults: Sequence[Unreadable]) -> Unreadable:
    if faults:
        return faults[0]
    seen = next((row for sheet in source.sheets for row in sheet.rows if any(row.cells)), None)
    if seen is None:
        return Unreadable("empty", "the file has no row with anything in it", 1)
    start = ", ".join(shown(cell) for cell in seen.cells[:5])
    message = (
        "no header of a manifest was found (such as Description, Quantity, UPC, Retail); line "
        f"{seen.line} reads {start}. Name the columns in a row above the goods, or correct them"
    )
    return Unreadable("no_header", message, seen.line)


def _note_others(
    source: Source, found: Sequence[_Found], chosen: Sequence[_Found], problems: Problems
) -> None:
    taken = {entry.table.sheet.name for entry in chosen}
    looking = {entry.table.sheet.name: entry for entry in found}
    for sheet in source.sheets:
        if sheet.name in taken:
            continue
        entry = looking.get(sheet.name)
        if entry is None or sum(map(bool, sheet.rows)) < 2:
            hidden = "hidden sheet" if sheet.hidden else "sheet"
            problems.note(f"{hidden} {shown(sheet.name)} is no manifest and was left out")
        else:
            message = (
                f"sheet {shown(sheet.name)} has other columns than "
                f"{shown(chosen[0].table.sheet.name)} and was left out; if it holds goods too, "
                "import it as a file of its own"
            )
            problems.warning(entry.table.header_line, "", "sheet_left_out", message)


def _enter(found: _Found, chosen: Sequence[_Found], problems: Problems) -> None:
    problems.sheet = found.table.sheet.name if len(chosen) > 1 else ""
    problems.header_line = found.table.header_line


def _warn_of_columns(found: _Found, problems: Problems) -> None:
    if not found.table.header_line:
        message = "the file has no header; its columns were told by their values: look at them"
        problems.warning(0, "", "no_header", message)
    for field, column in found.columns.items():
        if column.instead_of:
            problems.note(
                f"{field} was read from {shown(column.header)} and not from "
                f"{shown(column.instead_of)}"
            )
    if Field.QUANTITY not in found.columns:
        message = "no column of quantities was found: each line is one piece"
        problems.warning(found.table.header_line, "", "no_quantity_column", message)
    if not found.columns.keys() & {Field.UNIT_MSRP, Field.EXTENDED_MSRP}:
        message = "no column of retail prices was found: all MSRPs are 0"
        problems.warning(found.table.header_line, "", "no_msrp_column", message)


def _lines(
    found: _Found, rows: Sorted, money: Money, problems: Problems, *, alone: bool
) -> list[tuple[int, ManifestLine | None]]:
    _warn_of_cells(found, rows, problems)
    reader = LineReader(found.columns, found.table, money, problems)
    reader.details.decide_habit(rows.lines)
    lines = reader.read(rows)
    warn_of_doubles(lines, found.columns, problems)
    warn_of_the_unusual(lines, found.columns, problems)
    titles = found.table.titles if alone else []
    compare_totals(rows, titles, lines, found.columns, money, problems)
    return lines


def _warn_of_cells(found: _Found, rows: Sorted, problems: Problems) -> None:
    """What was seen while the file was read, where it is about lines and about columns in use."""
    places = found.table.places
    headers = {
        column_letters(places.get(column.index, column.index)): column.header
        for column in found.columns.values()
    }
    of_goods = {row.line for row in rows.lines}
    for line, letters, code, message in found.table.sheet.warnings:
        if line in of_goods and (not letters or letters in headers):
            problems.warning(line, headers.get(letters, ""), code, message)


def _manifest(
    source: Source,
    chosen: Sequence[_Found],
    money: Money,
    lines: Sequence[tuple[int, ManifestLine | None]],
    problems: Problems,
) -> Manifest:
    problems.sheet = ""
    good = [(row, line) for row, line in lines if line is not None]
    sums = sums_of([line for _, line in good])
    if sums.retail_minor > MAX_MINOR:
        problems.error(0, "", "total_too_large", "the MSRPs come to more than any amount")
    if problems.error_count:
        good = []  # all or nothing
    first = chosen[0]
    used = {column.index for column in first.columns.values()}
    head = Head(
        kind=source.kind,
        sheets=[entry.table.sheet.name for entry in chosen if entry.table.sheet.name],
        header_line=first.table.header_line,
        headers=first.table.headers,
        columns=[
            ColumnUsed(field, c.header, c.confidence, c.corrected, c.instead_of)
            for field, c in first.columns.items()
        ],
        unused=[h for index, h in enumerate(first.table.headers) if index not in used],
        currency=money.currency,
        sums=sums,
        faulty_lines=sum(line is None for _, line in lines),
        notes=problems.notes,
        error_count=problems.error_count,
        warning_count=problems.warning_count,
    )
    return Manifest(
        head,
        numbered([line for _, line in good]),
        [row for row, _ in good],
        problems.errors,
        problems.warnings,
    )
