"""Sheets of cells: what every kind of file is read into."""

from dataclasses import dataclass, field

Cell = str | int | float
"""What stands in a cell. A blank one is ''; a number is one only where the file has one."""


@dataclass(slots=True)
class Row:
    """A row with the number that a person sees beside it.

    ``filled`` are columns whose value is of a merged cell that began in a row above; ``spread``
    are those of a merged cell that began further left.
    """

    line: int
    cells: list[Cell]
    filled: frozenset[int] = frozenset()
    spread: dict[int, Cell] | None = None
    # How the quotes had to be read against the rules, if they had.
    repaired: bool = False

    def at(self, column: int) -> Cell:
        """The cell in this column, also beyond the row's end."""
        return self.cells[column] if column < len(self.cells) else ""


@dataclass(slots=True)
class Sheet:
    """A sheet of a workbook, or a text file."""

    name: str
    rows: list[Row]
    hidden: bool = False
    # What looks wrong already: (line, column letter, code, message).
    warnings: list[tuple[int, str, str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Source:
    """A file that has been read: its sheets, and what is known of it besides."""

    kind: str  # csv, xlsx, xls
    sheets: list[Sheet]
    notes: list[str] = field(default_factory=list)
    delimiter: str = ""
    # Currencies that the formats of numbers name.
    currencies: frozenset[str] = frozenset()


def is_blank(cell: Cell) -> bool:
    """Whether nothing is to be seen in the cell."""
    return cell == "" or (isinstance(cell, str) and cell.isspace())


def column_letters(column: int) -> str:
    """The name of a column, counted from 0, in a spreadsheet: A, B, ..., Z, AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def as_text(cell: Cell) -> str:
    """A cell as a person would type it: 12.0 is 12."""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    return str(cell)
