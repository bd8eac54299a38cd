"""Text files of rows: which character parts the cells, and cells whose quotes are not in order.

An inch mark is a quote: ``26" BIKE``, ``"26" BIKE, RED"``. So a quoted cell that the rules of
RFC 4180 cannot read is read by itself: a quote ends it only before a delimiter or the line's end,
and a quote that nothing closes is an inch mark. One bad line never swallows the next ones.
"""

import csv
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import Final

from auction.catalog.importing.bounds import MAX_CELLS, MAX_COLUMNS, MAX_LINE_BYTES
from auction.catalog.importing.decoding import Text, text_of
from auction.catalog.importing.faults import Unreadable
from auction.catalog.importing.sheets import Cell, Row, Sheet, Source
from auction.catalog.importing.vocabulary import strongest

DELIMITERS: Final = (",", ";", "\t", "|")
_SAMPLE_LINES: Final = 300
# A cell with line breaks in it goes on over some lines; more is a quote that is not closed.
_MAX_JOINED: Final = 30
_NAMES: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


def read_delimited(data: bytes) -> Source:
    """A text file as a sheet. Raises `Unreadable`."""
    before = csv.field_size_limit(MAX_LINE_BYTES * (_MAX_JOINED + 1))  # of the whole process
    try:
        return _read(data)
    finally:
        csv.field_size_limit(before)


def _read(data: bytes) -> Source:
    text = text_of(data)
    lines = list(text)
    delimiter, skipped = _declared(lines)
    if not delimiter:
        delimiter = _delimiter_of(lines)
    width = _usual_width(_records(lines[:_SAMPLE_LINES], delimiter, 0))
    rows = _records(lines, delimiter, width)[skipped:]
    _check_size(rows)
    sheet = Sheet("", rows, warnings=_warnings(text, rows))
    encoding = {"utf-8": "UTF-8", "utf-16": "UTF-16", "cp1252": "Windows-1252"}[text.encoding]
    notes = [f"read as {encoding} text with a {_NAMES[delimiter]} between cells"]
    return Source("csv", [sheet], notes, delimiter)


def _declared(lines: Sequence[str]) -> tuple[str, int]:
    """What Excel writes in the first line for itself: ``sep=;``."""
    first = lines[0].strip().strip('"') if lines else ""
    if first[:4].casefold() == "sep=" and first[4:5] in DELIMITERS:
        return first[4], 1
    if lines and lines[0][:5].casefold() == "sep=\t":
        return "\t", 1
    return "", 0


def _delimiter_of(lines: Sequence[str]) -> str:
    """The delimiter that makes rows of one width, and words of headers."""
    sample = lines[:_SAMPLE_LINES]
    return max(DELIMITERS, key=lambda delimiter: _fitness(sample, delimiter))


def _fitness(lines: Sequence[str], delimiter: str) -> float:
    rows = [row.cells for row in _records(lines, delimiter, 0)]
    counts = Counter(len(cells) for cells in rows if any(map(str.strip, map(str, cells))))
    width = max(counts, key=lambda count: (count > 1, counts[count]), default=1)
    if width < 2:
        return 0.0
    alike = counts[width] / counts.total()
    headers = max((_header_words(cells) for cells in rows[:100]), default=0.0)
    return headers + 2 * alike + min(width, 30) / 100


def _header_words(cells: Sequence[Cell]) -> float:
    found = [strongest(str(cell)) for cell in cells[:MAX_COLUMNS] if len(str(cell)) <= 60]
    return float(len({field for field, score in found if score >= 0.5}))


def _usual_width(rows: Sequence[Row]) -> int:
    counts = Counter(len(row.cells) for row in rows if len(row.cells) > 1)
    return max(counts, key=lambda width: counts[width], default=0)


def _records(lines: Sequence[str], delimiter: str, width: int) -> list[Row]:
    """The rows; each has the number of the line that it begins on."""
    rows: list[Row] = []
    number = 0
    while number < len(lines):
        line = lines[number]
        taken, repaired = 1, False
        if '"' not in line:
            cells: list[str] = line.split(delimiter)
        else:
            strict = _strict(lines, number, delimiter, width)
            if strict is None:
                cells, repaired = _lenient(line, delimiter, width), True
            else:
                cells, taken = strict
        rows.append(Row(number + 1, list(cells), repaired=repaired))
        number += taken
    return rows


def _strict(
    lines: Sequence[str], start: int, delimiter: str, width: int
) -> tuple[list[str], int] | None:
    """The record that begins on this line, and its lines; ``None`` if its quotes are not right."""
    joined = ""
    for taken, line in enumerate(islice(lines, start, start + _MAX_JOINED), start=1):
        joined = f"{joined}\n{line}" if taken > 1 else line
        if len(joined) > MAX_LINE_BYTES:
            return None
        if taken > 1 and '"' not in line:
            continue  # it cannot be closed here
        cells = _parsed(joined, delimiter)
        if cells is None and _is_wrong(joined, delimiter):
            return None
        if cells is not None:
            suits = not width or len(cells) == width or (taken == 1 and len(cells) < width)
            if not suits:
                spaced = _parsed(joined, delimiter, skip_spaces=True)
                if spaced is not None and len(spaced) == width:
                    return spaced, taken
            return (cells, taken) if suits or (taken == 1 and not _stray(joined, cells)) else None
    return None


def _stray(line: str, cells: Sequence[str]) -> bool:
    """Whether quotes were left in the cells: the line was cut in the wrong places."""
    return any('"' in cell for cell in cells) and '""' not in line


def _parsed(text: str, delimiter: str, *, skip_spaces: bool = False) -> list[str] | None:
    reader = csv.reader(
        text.splitlines(keepends=True),
        delimiter=delimiter,
        strict=True,
        skipinitialspace=skip_spaces,
    )
    try:
        records = list(reader)
    except csv.Error:
        return None
    return records[0] if len(records) == 1 else None


def _is_wrong(text: str, delimiter: str) -> bool:
    """Whether more lines could not make it right: something stands behind a closing quote."""
    try:
        list(csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True))
    except csv.Error as error:
        return "unexpected end of data" not in str(error)
    return False


def _lenient(line: str, delimiter: str, width: int) -> list[str]:
    """The cells of a line whose quotes are not in order."""
    cells = _by_closing_quotes(line, delimiter)
    if not width or len(cells) == width:
        return cells
    apart = [cell.strip().strip('"') for cell in line.split(delimiter)]
    return apart if len(apart) == width else cells


def _by_closing_quotes(line: str, delimiter: str) -> list[str]:
    cells: list[str] = []
    at = 0
    while at <= len(line):
        start = at
        while line[start : start + 1] == " ":
            start += 1
        end = _closing(line, start + 1, delimiter) if line[start : start + 1] == '"' else -1
        if end >= 0:
            cells.append(line[start + 1 : end].replace('""', '"'))
            at = line.find(delimiter, end)
        else:
            at, begin = line.find(delimiter, at), at
            cells.append((line[begin:] if at < 0 else line[begin:at]).replace('""', '"'))
        if at < 0:
            break
        at += 1
    return cells


def _closing(line: str, start: int, delimiter: str) -> int:
    """Where the quote is that stands before a delimiter or the end; -1: there is none."""
    at = line.find('"', start)
    while at >= 0:
        behind = line[at + 1 :].lstrip(" ") if line[at + 1 : at + 2] == " " else line[at + 1 :]
        if not behind or behind[0] == delimiter:
            return at
        at = line.find('"', at + 1)
    return -1


def _check_size(rows: Sequence[Row]) -> None:
    cells = 0
    for row in rows:
        cells += len(row.cells)
        if len(row.cells) > MAX_COLUMNS:
            message = (
                f"line {row.line} has {len(row.cells):,} columns, and a manifest at most "
                f"{MAX_COLUMNS}; is it another kind of file?"
            )
            raise Unreadable("too_many_columns", message, row.line)
    if cells > MAX_CELLS:
        message = f"the file has {cells:,} cells, and a manifest at most {MAX_CELLS:,}; split it"
        raise Unreadable("too_many_cells", message)


def _warnings(text: Text, rows: Sequence[Row]) -> list[tuple[int, str, str, str]]:
    warnings: list[tuple[int, str, str, str]] = []
    for line in (row.line for row in rows if row.repaired):
        message = "its quotes are not in order; it was read with them as inch marks: look at it"
        warnings.append((line, "", "quotes_repaired", message))
    for line in text.damaged:
        message = "some characters are damaged; save the file as UTF-8 from where it was made"
        warnings.append((line, "", "damaged_characters", message))
    return warnings
