"""What is looked at before a parser sees a workbook, and the copy of it that the parser gets.

A workbook is a ZIP of XML. The parts that hold cells are inflated here, counted while they
inflate, looked through for what must not be there, and written into an archive of our own: what is
parsed is what was looked at, whatever the upload's two directories said. Everything else of it
(macros, drawings, links) is never unpacked.
"""

import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Final

from msgspec import Struct

from auction.catalog.importing.bounds import (
    MAX_CELLS,
    MAX_CLAIMED_BYTES,
    MAX_COLUMNS,
    MAX_INFLATED_BYTES,
    MAX_PARTS,
    MAX_ROWS,
)
from auction.catalog.importing.currencies import currency_in
from auction.catalog.importing.faults import Unreadable, shown

_PIECE: Final = 2**18
_READ: Final = re.compile(
    r"(\[Content_Types\]\.xml|_rels/\.rels|xl/[^/]+\.xml|xl/_rels/workbook\.xml\.rels"
    r"|xl/worksheets/[^/]+\.xml)\Z",
    re.IGNORECASE,
)
_SHEET: Final = re.compile(r"xl/worksheets/([^/]+)\.xml\Z", re.IGNORECASE)
_DTD: Final = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
# A cell that holds something, and its place: "<c .../>" only has a format.
_CELL: Final = re.compile(
    rb"<(?:\w+:)?c\s[^<>]*?\br\s*=\s*[\"']([A-Za-z]{1,7})(\d{1,9})[\"'](?:[^<>]*[^<>/])?>"
)
_UNPLACED: Final = re.compile(rb"<(?:\w+:)?c(?:>|\s(?![^<>]*\br\s*=))")
_PLACE: Final = re.compile(rb"\br\s*=\s*[\"']([A-Za-z]{1,7})(\d{1,9})[\"']")
_ROW: Final = re.compile(rb"<(?:\w+:)?row\s[^<>]*?\br\s*=\s*[\"'](\d{1,9})[\"'][^<>]*[^/<>]>")
_NO_VALUE: Final = re.compile(
    rb"<c\s([^<>]*)>\s*<f[^<>]*(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>"
)
_HAS_ERRORS: Final = re.compile(rb"\bt\s*=\s*[\"']e[\"']")
_ERROR: Final = re.compile(
    rb"<c\s([^<>]*\bt\s*=\s*[\"']e[\"'][^<>]*)>.{0,400}?<v>([^<]{0,20})</v>", re.DOTALL
)
_FORMAT: Final = re.compile(rb"<numFmt\b[^<>]*>")
_MOST_NAMED: Final = 2_000

# Tell-tale places of what must be unpacked, unlocked or saved in another way first.
_OTHER_KINDS: Final = (
    ("xl/workbook.bin", "binary_workbook", "this is a binary workbook (XLSB); save it as XLSX"),
    ("content.xml", "open_document", "this is an OpenDocument spreadsheet; save it as XLSX"),
    ("word/document.xml", "not_a_spreadsheet", "this is a Word document; save its table as XLSX"),
)


class CellNote(Struct, frozen=True):
    """A cell about which something was found, by its place in the file."""

    line: int
    column: str
    code: str
    message: str


class Guarded(Struct):
    """A workbook that may be parsed, and what was seen in it."""

    data: bytes
    cells: dict[str, list[CellNote]]  # by the part of the sheet
    notes: list[str]
    currencies: frozenset[str]


def guarded(data: bytes) -> Guarded:
    """A copy of a workbook in XLSX that holds only cells. Raises `Unreadable`."""
    if data.count(b"PK\x01\x02") > MAX_PARTS:
        raise Unreadable("too_many_parts", f"the workbook has more than {MAX_PARTS:,} parts")
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return _copied(archive)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, OSError, ValueError) as error:
        if isinstance(error, Unreadable):
            raise
        raise damaged() from None
    except (NotImplementedError, RuntimeError):  # an unknown compression; encryption
        raise password() from None
    except Exception as error:
        if type(error).__name__ == "error":  # zlib's
            raise damaged() from None
        raise


def damaged() -> Unreadable:
    """The error for a file that ends early or is otherwise broken."""
    message = "the workbook is damaged or was cut short; open it in a spreadsheet and save it again"
    return Unreadable("damaged", message)


def password() -> Unreadable:
    """The error for a file that is locked."""
    return Unreadable("password", "the workbook is locked with a password; save it without one")


def _copied(archive: zipfile.ZipFile) -> Guarded:
    parts = archive.infolist()
    names = [part.filename for part in parts]
    _check_kind({name.lower() for name in names})
    _check_parts(parts, names)
    found = Guarded(b"", {}, [], frozenset())
    if any(name.lower().startswith("xl/externallinks/") for name in names):
        found.notes.append("links to other workbooks were not followed; their last values count")
    out, left = BytesIO(), MAX_INFLATED_BYTES
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as copy:
        for part in parts:
            if not _READ.match(part.filename):
                continue
            content = _inflated(archive, part, left)
            left -= len(content)
            _look_through(part.filename, content, found)
            copy.writestr(part.filename, content)
    found.data = out.getvalue()
    return found


def _check_kind(names: set[str]) -> None:
    for name, code, message in _OTHER_KINDS:
        if name in names:
            raise Unreadable(code, message)
    if any(name.endswith("vbaproject.bin") for name in names):
        message = "the workbook holds macros, which are not taken; save it as XLSX without macros"
        raise Unreadable("macros", message)
    if "xl/workbook.xml" not in names:
        message = "this is a ZIP archive and no workbook; unpack it and import what is in it"
        raise Unreadable("not_a_spreadsheet", message)


def _check_parts(parts: list[zipfile.ZipInfo], names: list[str]) -> None:
    if any(part.flag_bits & 0x1 for part in parts):
        raise password()
    if len({name.lower() for name in names}) != len(names):
        raise Unreadable("damaged", "the workbook holds two parts of the same name")
    if sum(part.file_size for part in parts) > MAX_CLAIMED_BYTES:
        raise _bomb(max(parts, key=lambda part: part.file_size).filename)


def _bomb(name: str) -> Unreadable:
    return Unreadable(
        "too_large",
        f"the workbook's part {shown(name)} is larger than a manifest can be once it is "
        f"unpacked ({MAX_INFLATED_BYTES // 2**20} MiB at most)",
    )


def _inflated(archive: zipfile.ZipFile, part: zipfile.ZipInfo, left: int) -> bytes:
    if part.file_size > left:
        raise _bomb(part.filename)
    pieces: list[bytes] = []
    with archive.open(part) as stream:
        while piece := stream.read(_PIECE):
            left -= len(piece)
            if left < 0:
                raise _bomb(part.filename)
            pieces.append(piece)
    return b"".join(pieces)


def _look_through(name: str, content: bytes, found: Guarded) -> None:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in content[:64]:
        raise Unreadable("damaged", f"the workbook's part {shown(name)} is not UTF-8")
    if _DTD.search(content):
        message = f"the workbook's part {shown(name)} declares XML entities, as no spreadsheet does"
        raise Unreadable("xml_entities", message)
    if name.lower() == "xl/styles.xml":
        found.currencies = frozenset(_currencies(content))
    if (sheet := _SHEET.match(name)) is not None:
        _check_extent(sheet[1], content)
        found.cells[name.lower()] = _cell_notes(content)


def _check_extent(sheet: str, content: bytes) -> None:
    """That the cells which hold something make a rectangle that can be a manifest."""
    last_row, last_column, place = 0, 0, ""
    seen: dict[bytes, int] = {}
    for cell in _CELL.finditer(content):
        letters, digits = cell.groups()
        row = int(digits)
        if letters not in seen:
            seen[letters] = _column_number(letters)
        column = seen[letters]
        if row > last_row or column > last_column:
            last_row, last_column = max(row, last_row), max(column, last_column)
            place = f"{letters.decode()}{row}"
    if _UNPLACED.search(content):
        last_row = max(last_row, max((int(row[1]) for row in _ROW.finditer(content)), default=0))
    where = f"sheet {shown(sheet)}: the cells reach {place or 'row ' + str(last_row)}"
    if last_column > MAX_COLUMNS:
        message = f"{where}, and a manifest has at most {MAX_COLUMNS} columns"
        raise Unreadable("too_many_columns", message, 1)
    if last_row > MAX_ROWS or last_row * last_column > MAX_CELLS:
        message = f"{where}, which is more than a manifest of {MAX_ROWS:,} rows; split the file"
        raise Unreadable("too_many_rows", message, MAX_ROWS + 1)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = 26 * number + letter - ord("A") + 1
    return number


def _cell_notes(content: bytes) -> list[CellNote]:
    notes: list[CellNote] = []
    for cell in _limited(_NO_VALUE, content) if b"<f" in content else ():
        message = "the formula has no value; open the file in a spreadsheet, let it count, save it"
        notes += _noted(cell[1], "formula_without_value", message)
    for cell in _limited(_ERROR, content) if _HAS_ERRORS.search(content) else ():
        what = shown(cell[2].decode("utf-8", "replace"))
        notes += _noted(
            cell[1], "error_value", f"the cell holds the error {what}; it is left empty"
        )
    return notes


def _limited(pattern: re.Pattern[bytes], content: bytes) -> Iterator[re.Match[bytes]]:
    for count, match in enumerate(pattern.finditer(content)):
        if count == _MOST_NAMED:
            return
        yield match


def _noted(attributes: bytes, code: str, message: str) -> list[CellNote]:
    found = _PLACE.search(attributes)
    if found is None:
        return []
    return [CellNote(int(found[2]), found[1].decode().upper(), code, message)]


def _currencies(styles: bytes) -> Iterator[str]:
    """Currencies that the formats of numbers name."""
    for form in _limited(_FORMAT, styles):
        text = form[0].decode("utf-8", "replace").replace("&quot;", '"').replace("[$", "")
        found = currency_in(text.partition("formatCode=")[2][:100])
        if found is not None:
            yield found
