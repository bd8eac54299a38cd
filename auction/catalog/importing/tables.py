"""Where the table is in a sheet: its header, of one row or two, below titles and whatever else.

A header is the row whose cells speak of the most fields. A file without one is read by its values,
and its columns are named by their letters.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from auction.catalog.importing.amounts import is_number
from auction.catalog.importing.bounds import HEADER_ROWS, SAMPLE_ROWS
from auction.catalog.importing.sheets import Cell, Row, Sheet, column_letters, is_blank
from auction.catalog.importing.statements import is_row_of_units
from auction.catalog.importing.texts import cleaned, text_in
from auction.catalog.importing.vocabulary import Field, strongest
from auction.catalog.importing.words import plain

# A row speaks of so many fields, and so surely, or it is no header.
_LEAST_FIELDS: Final = 2
_LEAST_EVIDENCE: Final = 1.3
_SPEAKS: Final = 0.4
_NUMBER_COSTS: Final = 0.4
# What a second row of headers must add.
_SECOND_ROW_ADDS: Final = 0.5
_HEADER_CHARACTERS: Final = 80
_REPEATED: Final = 0.8
_CORRECTED: Final = 2.0


@dataclass(slots=True)
class Table:
    """A header and the rows below it. ``header_line`` is 0 where there is no header."""

    sheet: Sheet
    headers: list[str]
    header_line: int
    rows: list[Row]
    # Rows of the header as they stand: pages repeat them.
    header_rows: list[list[str]]
    evidence: float
    # Rows above the header, and of units below it.
    titles: list[Row] = field(default_factory=list)
    # Where columns stood in the sheet, if they were put in the order of another one.
    places: dict[int, int] = field(default_factory=dict)

    def sample(self) -> list[list[Cell]]:
        """Values of each column, from rows all over the table."""
        full = [row for row in self.rows if sum(not is_blank(cell) for cell in row.cells) > 1]
        usual = usual_count(full)
        lines = [row for row in full if filled(row) * 2 >= usual and not self.is_header(row)]
        step = max(1, len(lines) // SAMPLE_ROWS)
        return [[row.at(column) for row in lines[::step]] for column in range(len(self.headers))]

    def is_header(self, row: Row) -> bool:
        """Whether the row says again what the header said."""
        return any(_same(row, header) for header in self.header_rows)


def filled(row: Row) -> int:
    """How many cells hold something."""
    return sum(not is_blank(cell) for cell in row.cells)


def usual_count(rows: Iterable[Row]) -> int:
    """How many cells of a row hold something, as a rule."""
    counts = Counter(map(filled, rows))
    return max(counts, key=lambda count: (counts[count], count), default=0)


def find_table(sheet: Sheet, corrections: Mapping[str, str]) -> Table | None:
    """The table of a sheet; ``None`` if nothing in it looks like one."""
    wanted = {plain(header).strip() for header in corrections.values() if header.strip()}
    best: Table | None = None
    for number, row in enumerate(sheet.rows[:HEADER_ROWS]):
        if filled(row) < _LEAST_FIELDS:
            continue
        for table in _candidates(sheet, number, row, wanted):
            if best is None or table.evidence > best.evidence:
                best = table
    if best is not None and best.evidence >= _LEAST_EVIDENCE:
        return best
    return _by_types(sheet)


def _candidates(sheet: Sheet, number: int, row: Row, wanted: set[str]) -> list[Table]:
    texts = _texts(row)
    evidence = _evidence(row.cells, texts, wanted)
    found = []
    if evidence > 0:
        found.append(_table(sheet, number, texts, [texts], evidence))
    above = sheet.rows[number - 1] if number else None
    if above is not None and filled(above) >= _LEAST_FIELDS and not _numbers(above.cells):
        joined = _joined(above, texts)
        together = _evidence(row.cells, joined, wanted)
        if together >= evidence + _SECOND_ROW_ADDS:
            rows = [_texts(above), texts]
            found.append(_table(sheet, number, joined, rows, together))
    return found


def _texts(row: Row) -> list[str]:
    return [_as_header(cell) for cell in row.cells]


def _as_header(cell: Cell) -> str:
    return cleaned(text_in(cell))[0]


def _numbers(cells: Sequence[Cell]) -> int:
    return sum(not is_blank(cell) and is_number(cell) for cell in cells)


def _evidence(cells: Sequence[Cell], texts: Sequence[str], wanted: set[str]) -> float:
    """How much a row looks like a header; 0 if it is none."""
    best: dict[Field, float] = {}
    corrected = 0
    for text in texts:
        if not text or len(text) > _HEADER_CHARACTERS:
            continue
        corrected += plain(text).strip() in wanted
        field, score = strongest(text)
        if field is not None and score >= _SPEAKS:
            best[field] = max(score, best.get(field, 0.0))
    if len(best) + corrected < _LEAST_FIELDS:
        return 0.0
    evidence = sum(best.values()) + _CORRECTED * corrected
    return max(0.0, evidence - _NUMBER_COSTS * _numbers(cells))


def _joined(above: Row, texts: Sequence[str]) -> list[str]:
    """Headers of two rows: "Retail" over "Unit" and "Total"."""
    joined: list[str] = []
    over = ""
    upper = _texts(above)
    for column in range(max(len(upper), len(texts))):
        own = upper[column] if column < len(upper) else ""
        covered = (above.spread or {}).get(column)
        over = own or (text_in(covered) if covered is not None else over)
        text = texts[column] if column < len(texts) else ""
        both = f"{over} {text}" if text and over and over != text else text or own
        joined.append(both if strongest(both)[1] > strongest(text)[1] + 0.05 else text or own)
    return joined


def _table(
    sheet: Sheet, number: int, texts: Sequence[str], header_rows: list[list[str]], evidence: float
) -> Table:
    above = number + 1 - len(header_rows)
    titles = [row for row in sheet.rows[:above] if any(row.cells)]
    below = number + 1
    while below < len(sheet.rows) and is_row_of_units(sheet.rows[below]):
        titles.append(sheet.rows[below])
        below += 1
    rows = sheet.rows[below:]
    width = max(len(texts), _width_without_names(rows))
    names = [*texts, *[""] * (width - len(texts))]
    while width and not names[width - 1] and not _has_values(rows, width - 1):
        width -= 1
    headers = _distinct([text[:_HEADER_CHARACTERS] for text in names[:width]])
    return Table(sheet, headers, sheet.rows[number].line, rows, header_rows, evidence, titles)


def _width_without_names(rows: Sequence[Row]) -> int:
    """How wide nearly all rows are: the last columns of a header may lack a name."""
    widths = Counter(len(row.cells) for row in rows[:SAMPLE_ROWS] if filled(row) > 1)
    width = max(widths, key=lambda entry: widths[entry], default=0)
    return width if widths[width] >= _REPEATED * widths.total() else 0


def _has_values(rows: Sequence[Row], column: int) -> bool:
    return any(not is_blank(row.at(column)) for row in rows[:SAMPLE_ROWS])


def _distinct(texts: Sequence[str]) -> list[str]:
    """Headers that can be told apart: unnamed and repeated ones get their column's letters."""
    counts = Counter(texts)
    return [
        text if text and counts[text] == 1 else f"{text} (column {column_letters(column)})".strip()
        for column, text in enumerate(texts)
    ]


def looks_like_header(row: Row) -> bool:
    """Whether a row speaks of fields as strongly as a header does, and holds no number."""
    if filled(row) < _LEAST_FIELDS or _numbers(row.cells):
        return False
    return _evidence(row.cells, _texts(row), set()) >= _LEAST_EVIDENCE


def _same(row: Row, header: Sequence[str]) -> bool:
    named = sum(map(bool, header))
    same = other = 0
    for column, text in enumerate(header):
        if not text or is_blank(cell := row.at(column)):
            continue
        if cell == text or _as_header(cell) == text:
            same += 1
        else:
            other += 1
            if other > (1 - _REPEATED) * named:
                return False  # of nearly every line, after a few cells
    if same < 2 or same * 2 < named:
        return False
    return same >= _REPEATED * named or same == filled(row)


def _by_types(sheet: Sheet) -> Table | None:
    """A table without words that are known: by where texts end and numbers begin."""
    full = [row for row in sheet.rows if filled(row) >= 3]
    usual = usual_count(full[:SAMPLE_ROWS])
    lines = [number for number, row in enumerate(sheet.rows) if filled(row) == usual >= 3]
    if not lines:
        return None
    first = lines[0]
    head = sheet.rows[first]
    below = [sheet.rows[number] for number in lines[1:20]]
    if below and not _numbers(head.cells) and all(_numbers(row.cells) for row in below):
        texts = _texts(head)
        return _table(sheet, first, texts, [texts], 0.5)
    if not any(_numbers(row.cells) for row in [head, *below]):
        return None
    width = max(len(row.cells) for row in sheet.rows[first : first + 50])
    headers = [f"column {column_letters(column)}" for column in range(width)]
    return Table(sheet, headers, 0, sheet.rows[first:], [], 0.3)
