"""What is wrong with a file: why it cannot be read, and problems of its lines."""

from typing import Final

from msgspec import Struct

from auction.catalog.importing.bounds import MAX_NOTES, MAX_REPORTED

SHOWN_CHARACTERS: Final = 60


class Unreadable(ValueError):
    """The file cannot be read as a manifest. The message names the place and the way out.

    ``line`` is the row as a person sees it, 0: it is about the whole file.
    """

    def __init__(self, code: str, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.code, self.line = code, line


class Problem(Struct, frozen=True, kw_only=True, gc=False):
    """One problem of one line.

    ``line`` is the number of the row in the file as a person sees it, from 1 (0: the whole file),
    in ``sheet`` if the file has several; ``column`` is the header.
    """

    line: int
    column: str = ""
    code: str
    message: str
    sheet: str = ""


class Problems:
    """Errors, warnings and notes as they are found; bounded, the rest is counted."""

    def __init__(self) -> None:
        self.errors: list[Problem] = []
        self.warnings: list[Problem] = []
        self.notes: list[str] = []
        self.error_count = 0
        self.warning_count = 0
        # Set while the lines of one of several sheets are read.
        self.sheet = ""
        # Of the table that is read: what is wrong with a column stands there.
        self.header_line = 0
        self._faulty: set[tuple[str, int]] = set()

    def error(self, line: int, column: str, code: str, message: str) -> None:
        """Something that keeps the file from being imported."""
        self.error_count += 1
        self._faulty.add((self.sheet, line))
        if len(self.errors) < MAX_REPORTED:
            self.errors.append(self._problem(line, column, code, message))

    def warning(self, line: int, column: str, code: str, message: str) -> None:
        """Something that a person should look at."""
        self.warning_count += 1
        if len(self.warnings) < MAX_REPORTED:
            self.warnings.append(self._problem(line, column, code, message))

    def note(self, text: str) -> None:
        """What was done with the file, for who wants to know."""
        if len(self.notes) < MAX_NOTES:
            self.notes.append(text)

    def is_faulty(self, line: int) -> bool:
        """Whether an error was found on this line of this sheet."""
        return (self.sheet, line) in self._faulty

    def _problem(self, line: int, column: str, code: str, message: str) -> Problem:
        return Problem(line=line, column=column, code=code, message=message, sheet=self.sheet)


def shown(value: object) -> str:
    """A value in a message: short, and without what would upset a terminal."""
    text = str(value)
    short = text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "..."
    return f"'{short}'" if short.isprintable() else repr(short)


def some_lines(numbers: list[int], most: int = 5) -> str:
    """``lines 4, 7 and 12`` or ``lines 4, 7, 12 and 240 more``."""
    if len(numbers) == 1:
        return f"line {numbers[0]}"
    named = numbers[:most]
    if len(numbers) > len(named):
        return f"lines {', '.join(map(str, named))} and {len(numbers) - len(named):,} more"
    return f"lines {', '.join(map(str, named[:-1]))} and {named[-1]}"
