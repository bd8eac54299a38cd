"""A signature as it was drawn or typed. Pure.

A drawn one is the path of an SVG in a box of 600 x 200: moves and lines, curves of two kinds, and
absolute numbers, no more, so that what is printed later is a line and nothing else.
"""

import re
from typing import Annotated, Final

from msgspec import Meta, Struct

from auction.terms import STORABLE

WIDTH: Final = 600
HEIGHT: Final = 200
# A long signature of a shaky hand, a point every few milliseconds.
MAX_PATH: Final = 40_000
# Fewer points are a slip of the finger.
LEAST_POINTS: Final = 6

_NUMBER: Final = r"[0-9]{1,3}(?:\.[0-9]{1,3})?"
_POINT: Final = rf"{_NUMBER}[ ,]{_NUMBER}"
# Each part is one letter and its points; nothing in it can be read in two ways.
_PART: Final = re.compile(
    rf" ?(?:[ML] ?{_POINT}|Q ?{_POINT} {_POINT}|C ?{_POINT} {_POINT} {_POINT})"
)
_PAIR: Final = re.compile(rf"({_NUMBER})[ ,]({_NUMBER})")


class Signature(Struct, frozen=True, forbid_unknown_fields=True):
    """Who signed; ``path`` empty: the name was typed."""

    name: Annotated[str, Meta(min_length=2, max_length=120, pattern=STORABLE)]
    path: Annotated[str, Meta(max_length=MAX_PATH)] = ""


def fault_of(signature: Signature) -> str | None:
    """What is wrong with a signature; ``None``: nothing."""
    if sum(letter.isalpha() for letter in signature.name) < 2:
        return "A name has at least two letters."
    if not signature.name.isprintable():
        return "A name has no control characters."
    return _path_fault(signature.path) if signature.path else None


def _path_fault(path: str) -> str | None:
    if not path.startswith("M"):
        return "A drawn signature begins with a move."
    place = 0
    while place < len(path):
        part = _PART.match(path, place)
        if part is None:
            return f"The drawn signature cannot be read at its character {place + 1}."
        place = part.end()
    points = [(float(x), float(y)) for x, y in _PAIR.findall(path)]
    if len(points) < LEAST_POINTS:
        return "The drawn signature is only a dot. Draw it again."
    if any(x > WIDTH or y > HEIGHT for x, y in points):
        return f"The drawn signature leaves its box of {WIDTH} x {HEIGHT}."
    return None
