"""Weights with their units, as whole grams."""

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from auction.catalog.importing.texts import ascii_digits

# International avoirdupois pound and its sixteenth, exactly (1959).
_GRAMS: Final = {
    "lb": Decimal("453.59237"),
    "oz": Decimal("28.349523125"),
    "kg": Decimal(1000),
    "g": Decimal(1),
    "mg": Decimal("0.001"),
    "t": Decimal(1_000_000),
}
_NAMES: Final = {
    **dict.fromkeys(("lb", "lbs", "lb.", "lbs.", "pound", "pounds", "#", "pfund"), "lb"),
    **dict.fromkeys(("oz", "oz.", "ounce", "ounces"), "oz"),
    **dict.fromkeys(("kg", "kgs", "kg.", "kilo", "kilos", "kilogram", "kilograms"), "kg"),
    **dict.fromkeys(("kilogramm", "kilogramme", "kilogrammes", "kilogramos"), "kg"),
    **dict.fromkeys(("g", "gr", "gram", "grams", "gramm", "grammes", "gramos", "g."), "g"),
    **dict.fromkeys(("mg", "milligram", "milligrams"), "mg"),
    **dict.fromkeys(("t", "ton", "tons", "tonne", "tonnes"), "t"),
}
_WEIGHT: Final = re.compile(r"\A([-+]?[\d.,' ]+?)\s*([A-Za-z#]+\.?)\Z")
_IN_HEADER: Final = re.compile(
    r"(?<![a-z])(lbs?|pounds?|kgs?|kilograms?|kilo|oz|ounces?|grams?|gramm)(?![a-z])"
)


def weight_unit(text: str) -> str | None:
    """The unit that a word means: ``lb``, ``oz``, ``kg``, ``g``, ``mg`` or ``t``."""
    return _NAMES.get(text.strip().casefold())


def unit_in_header(header: str) -> str | None:
    """The unit that a header such as ``Weight (lbs)`` names."""
    found = _IN_HEADER.search(header.casefold().replace("_", " "))
    return None if found is None else weight_unit(found[0])


def split_weight(text: str) -> tuple[str, str | None]:
    """``12.5 lb`` as its number and its unit; the unit is ``None`` where none stands."""
    found = _WEIGHT.match(ascii_digits(text).strip())
    if found is None:
        return text, None
    return found[1], weight_unit(found[2])


def grams(amount: Decimal, unit: str) -> int:
    """A weight in whole grams, rounded half up, and at least one for what weighs something."""
    weighed = int((amount * _GRAMS[unit]).to_integral_value(ROUND_HALF_UP))
    return max(weighed, 1) if amount > 0 else weighed
