"""Workbooks: XLSX and the older XLS, each sheet as rows of cells.

Formulas count with the value that the spreadsheet last computed. A merged cell's value stands in
each row that it reaches down to; what it covers to the right is known beside the row, for headers.
"""

import datetime
from collections.abc import Sequence
from io import BytesIO
from typing import Any, Final

import python_calamine
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from auction.catalog.importing.bounds import MAX_CELLS, MAX_COLUMNS, MAX_ROWS, MAX_SHEETS
from auction.catalog.importing.faults import Unreadable, shown
from auction.catalog.importing.sheets import Cell, Row, Sheet, Source, is_blank
from auction.catalog.importing.workbook_guard import CellNote, Guarded, damaged, guarded, password

ZIP: Final = b"PK\x03\x04"
OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MAX_MERGED: Final = 50_000


def read_xlsx(data: bytes) -> Source:
    """A workbook of today's kind. Raises `Unreadable`."""
    safe = guarded(data)
    del data
    source = Source("xlsx", [], safe.notes, currencies=safe.currencies)
    source.sheets = _sheets(safe.data, safe)
    return source


def read_xls(data: bytes) -> Source:
    """A workbook of Excel 97 to 2003. Raises `Unreadable`."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise password()
    if "_VBA_PROJECT".encode("utf-16-le") in data:
        message = "the workbook holds macros, which are not taken; save it as XLSX without macros"
        raise Unreadable("macros", message)
    if "Workbook".encode("utf-16-le") not in data and "Book".encode("utf-16-le") not in data:
        raise Unreadable("not_a_spreadsheet", "this is an Office document, but no spreadsheet")
    return Source("xls", _sheets(data, None))


def _sheets(data: bytes, safe: Guarded | None) -> list[Sheet]:
    try:
        with python_calamine.load_workbook(BytesIO(data)) as workbook:
            return _all_sheets(workbook, safe)
    except PasswordError:
        raise password() from None
    except (CalamineError, OSError, ValueError, KeyError, IndexError) as error:
        if isinstance(error, Unreadable):
            raise
        raise damaged() from None


def _all_sheets(workbook: CalamineWorkbook, safe: Guarded | None) -> list[Sheet]:
    listed = workbook.sheets_metadata
    if len(listed) > MAX_SHEETS:
        message = f"the workbook has {len(listed):,} sheets, and may have {MAX_SHEETS}; split it"
        raise Unreadable("too_many_sheets", message)
    sheets: list[Sheet] = []
    left = MAX_CELLS
    for number, meta in enumerate(listed):
        if meta.typ is not python_calamine.SheetTypeEnum.WorkSheet:
            continue
        read = workbook.get_sheet_by_index(number)
        height, width = read.total_height, read.total_width
        left -= height * width
        _check_size(meta.name, height, width, left)
        hidden = meta.visible is not python_calamine.SheetVisibleEnum.Visible
        rows = _rows(read)
        _fill_merged(rows, read.merged_cell_ranges or ())
        sheets.append(Sheet(meta.name, rows, hidden=hidden))
    if safe is not None:
        _add_notes(sheets, safe, len(listed))
    return sheets


def _check_size(name: str, height: int, width: int, left: int) -> None:
    if width > MAX_COLUMNS:
        message = f"sheet {shown(name)} has {width:,} columns, and may have {MAX_COLUMNS}"
        raise Unreadable("too_many_columns", message, 1)
    if height > MAX_ROWS or left < 0:
        message = f"sheet {shown(name)} has {height:,} rows, which is too much; split the file"
        raise Unreadable("too_many_rows", message, MAX_ROWS + 1)


def _rows(sheet: CalamineSheet) -> list[Row]:
    """All rows from the first, each from column A on."""
    same: dict[str, str] = {}  # a category stands on every line: one text is enough
    before: list[Cell] = [""] * (sheet.start[1] if sheet.start is not None else 0)
    rows: list[Row] = []
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        kept = [same.setdefault(cell, cell) if type(cell) is str else _cell(cell) for cell in cells]
        while kept and kept[-1] == "":
            kept.pop()
        rows.append(Row(number, before + kept))
    return rows


def _cell(value: Any) -> Cell:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < 2**53
        return int(value) if whole else value if value == value else ""
    if isinstance(value, int):
        return value
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return "" if value is None else str(value)


def _fill_merged(
    rows: list[Row], merged: Sequence[tuple[tuple[int, int], tuple[int, int]]]
) -> None:
    left = MAX_CELLS
    filled: dict[int, set[int]] = {}
    for (top, first), (lowest, furthest) in merged[:_MAX_MERGED]:
        bottom, last = min(lowest, len(rows) - 1), min(furthest, MAX_COLUMNS)
        left -= max(0, bottom - top + 1) * max(0, last - first + 1)
        if left < 0 or top >= len(rows) or is_blank(value := rows[top].at(first)):
            continue
        for row in rows[top + 1 : bottom + 1]:
            if is_blank(row.at(first)):
                row.cells += [""] * (first + 1 - len(row.cells))
                row.cells[first] = value
                filled.setdefault(row.line - 1, set()).add(first)
        for column in range(first + 1, last + 1):
            for row in rows[top : bottom + 1]:
                if row.spread is None:
                    row.spread = {}
                row.spread[column] = value
    for number, columns in filled.items():
        rows[number].filled = frozenset(columns)


def _add_notes(sheets: list[Sheet], safe: Guarded, listed: int) -> None:
    """What was seen in cells, where it is certain which part holds which sheet."""
    for number, sheet in enumerate(sheets, start=1):
        names = (f"xl/worksheets/sheet{number}.xml", "xl/worksheets/sheet.xml")
        found = [safe.cells[name] for name in names if name in safe.cells]
        notes: list[CellNote] = found[0] if found and len(safe.cells) == listed else []
        sheet.warnings += [(note.line, note.column, note.code, note.message) for note in notes]
