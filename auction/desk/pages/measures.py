"""Lengths and weights as people type them, kept as millimetres and grams. Pure.

Without a unit it is inches and pounds, as on every dock in the US. What is shown in a field means
the same number of millimetres or grams when it is read again.
"""

import re
from fractions import Fraction
from typing import Final

_INCH_MM: Final = Fraction(254, 10)
_POUND_G: Final = Fraction(45_359_237, 100_000)

_LENGTHS: Final = {
    "": _INCH_MM,
    **dict.fromkeys(("in", "inch", "inches", '"', "''"), _INCH_MM),
    **dict.fromkeys(("ft", "foot", "feet", "'"), _INCH_MM * 12),
    "mm": Fraction(1),
    "cm": Fraction(10),
    "m": Fraction(1_000),
}
_WEIGHTS: Final = {
    "": _POUND_G,
    **dict.fromkeys(("lb", "lbs", "pound", "pounds", "#"), _POUND_G),
    **dict.fromkeys(("oz", "ounce", "ounces"), _POUND_G / 16),
    "g": Fraction(1),
    "kg": Fraction(1_000),
    **dict.fromkeys(("ton", "tons"), _POUND_G * 2_000),
}
# Digits, with commas between thousands and a point before a part, then perhaps a unit.
_TYPED: Final = re.compile(
    r"(?P<number>[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]{1,4})?|[0-9]{1,12}(?:\.[0-9]{1,4})?)"
    r"\s*(?P<unit>[a-z]+|'|''|\"|\#)?\.?",
    re.IGNORECASE,
)


class NotAMeasure(ValueError):
    """What was typed is no length or weight; the message says so to who typed it."""


def length_mm(typed: str) -> int:
    """``48``, ``48 in``, ``4 ft`` and ``121.9 cm`` as millimetres. Raises `NotAMeasure`."""
    return _read(typed, _LENGTHS, "48, 48 in or 122 cm")


def weight_g(typed: str) -> int:
    """``573``, ``573 lb`` and ``260 kg`` as grams. Raises `NotAMeasure`."""
    return _read(typed, _WEIGHTS, "573, 573 lb or 260 kg")


def inches(mm: int) -> str:
    """As it stands in a field of inches: ``48``, ``47.24``."""
    return _shortest(mm, _INCH_MM)


def pounds(grams: int) -> str:
    """As it stands in a field of pounds: ``573.2``."""
    return _shortest(grams, _POUND_G)


def _read(typed: str, units: dict[str, Fraction], example: str) -> int:
    found = _TYPED.fullmatch(typed.strip())
    unit = None if found is None else units.get((found["unit"] or "").lower())
    if found is None or unit is None:
        raise NotAMeasure(f"Write it as {example}.")
    value = _rounded(Fraction(found["number"].replace(",", "")) * unit)
    if value < 1:
        raise NotAMeasure("It has to be more than nothing.")
    return value


def _shortest(value: int, unit: Fraction) -> str:
    """The fewest digits that mean this value again."""
    for digits in range(5):
        text = f"{float(Fraction(value) / unit):.{digits}f}"
        if _rounded(Fraction(text) * unit) == value:
            break
    return text


def _rounded(value: Fraction) -> int:
    return int(value + Fraction(1, 2))
