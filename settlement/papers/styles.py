"""How each kind of text on a document looks, and how one that is too long is set.

The house's name and a fact are set smaller where that keeps them on one line, else in some lines.
"""

from collections.abc import Iterator
from typing import Final

from foundation.papers.typesetting import GREY, SetText, Style
from settlement.papers.letterhead import Party

HOUSE: Final = Style(15, bold=True)
_LEAST_NAME: Final = 10.0
TITLE: Final = Style(20, bold=True, leading=1.1)
NUMBER: Final = Style(10, colour=GREY)
SECTION: Final = Style(11, bold=True)
LABEL: Final = Style(7.5, colour=GREY)
VALUE: Final = Style(9.5, bold=True, leading=1.25)
BODY: Final = Style(9)
STRONG: Final = Style(9, bold=True)
SMALL: Final = Style(7.5, colour=GREY)
CELL: Final = Style(8.5, leading=1.25)
CELL_STRONG: Final = Style(8.5, bold=True, leading=1.25)
CELL_NOTE: Final = Style(7.2, colour=GREY, leading=1.25)
COLUMN: Final = Style(7.2, bold=True, colour=GREY, leading=1.2)
LARGE: Final = Style(13, bold=True)


def house_lines(text: str, width: float) -> list[SetText]:
    """The house's name: smaller where it fits into one line then, else in some small lines."""
    size = HOUSE.size * width / max(1, HOUSE.set(text).width)
    if size >= _LEAST_NAME:
        return [Style(min(size, HOUSE.size), bold=True).set(text)]
    return Style(_LEAST_NAME, bold=True).first_lines(text, width, 4)


def value_lines(text: str, width: float) -> list[SetText]:
    """A fact: a little smaller where it fits into one line then, else in some lines."""
    wide = VALUE.set(text).width
    if width < wide <= 1.25 * width:
        return [Style(VALUE.size * width / wide, bold=True).set(text)]
    return VALUE.first_lines(text, width, 5)


def party_lines(title: str, party: Party, width: float) -> Iterator[SetText]:
    """Who it is and its address, below what it is here."""
    yield LABEL.fitting(title, width)
    yield from VALUE.first_lines(party.name, width, 4)
    for line in party.lines:
        yield from BODY.first_lines(line, width, 3)
