"""Sizes of paper, and which of them a country's printers hold."""

from enum import StrEnum
from typing import Final

from reportlab.lib.pagesizes import A4, LETTER  # type: ignore[import-untyped]

# Where letters are 8.5 x 11 inches (Unicode CLDR, measurementData, paperSize US-Letter).
_LETTER: Final = frozenset(
    {"BZ", "CA", "CL", "CO", "CR", "GT", "MX", "NI", "PA", "PH", "PR", "SV", "US", "VE"}
)


class Paper(StrEnum):
    """A size of paper."""

    A4 = "A4"
    LETTER = "LETTER"

    @property
    def points(self) -> tuple[float, float]:
        """Width and height, upright."""
        width, height = _POINTS[self]
        return width, height


_POINTS: Final = {Paper.A4: A4, Paper.LETTER: LETTER}


def paper_of(country: str) -> Paper:
    """What printers hold in this country (ISO 3166-1)."""
    return Paper.LETTER if country in _LETTER else Paper.A4
