"""What is printed on cartons: a sign for each kind of goods, of polygons in a square."""

from collections.abc import Sequence
from math import cos, pi, sin
from typing import Final

from softclose.demo.drawing import Canvas, Colour, Face, Point

# A polygon, and whether it is printed or left out of what is below it.
Layer = tuple[Sequence[Point], bool]


def _disc(x: float, y: float, r: float, start: float = 0, turn: float = 360) -> list[Point]:
    """A disc, or a slice of one; degrees go against the clock from the right."""
    steps = 24
    angles = [(start + turn * step / steps) * pi / 180 for step in range(steps + 1)]
    return [(x + r * cos(angle), y + r * sin(angle)) for angle in angles]


def _bar(left: float, bottom: float, right: float, top: float) -> list[Point]:
    return [(left, bottom), (right, bottom), (right, top), (left, top)]


def _ring(x: float, y: float, outer: float, inner: float) -> list[Layer]:
    return [(_disc(x, y, outer), True), (_disc(x, y, inner), False)]


ICONS: Final[dict[str, list[Layer]]] = {
    "kitchen": [
        *_ring(0.74, 0.56, 0.17, 0.1),
        ([(0.26, 0.2), (0.74, 0.2), (0.66, 0.74), (0.34, 0.74)], True),
        ([(0.3, 0.46), (0.32, 0.6), (0.12, 0.72), (0.1, 0.66)], True),
        (_bar(0.38, 0.76, 0.62, 0.8), True),
        (_disc(0.5, 0.85, 0.05), True),
        (_bar(0.36, 0.28, 0.64, 0.32), False),
    ],
    "tools": [
        (_bar(0.22, 0.56, 0.68, 0.78), True),
        ([(0.68, 0.6), (0.76, 0.64), (0.76, 0.7), (0.68, 0.74)], True),
        (_bar(0.76, 0.655, 0.94, 0.685), True),
        ([(0.26, 0.56), (0.44, 0.56), (0.4, 0.28), (0.24, 0.28)], True),
        (_bar(0.16, 0.16, 0.46, 0.27), True),
        (_bar(0.3, 0.64, 0.6, 0.69), False),
    ],
    "home": [
        (_bar(0.16, 0.2, 0.84, 0.38), True),
        (_bar(0.16, 0.41, 0.84, 0.58), True),
        (_disc(0.3, 0.71, 0.11), True),
        (_disc(0.7, 0.71, 0.11), True),
        (_bar(0.3, 0.6, 0.7, 0.82), True),
        (_bar(0.2, 0.27, 0.8, 0.29), False),
        (_bar(0.2, 0.48, 0.8, 0.5), False),
    ],
    "electronics": [
        (_bar(0.22, 0.38, 0.78, 0.8), True),
        (_bar(0.27, 0.43, 0.73, 0.75), False),
        ([(0.1, 0.24), (0.9, 0.24), (0.78, 0.35), (0.22, 0.35)], True),
        ([(0.3, 0.46), (0.42, 0.46), (0.6, 0.72), (0.48, 0.72)], True),
    ],
    "toys": [
        (_disc(0.28, 0.74, 0.13), True),
        (_disc(0.72, 0.74, 0.13), True),
        (_disc(0.5, 0.5, 0.32), True),
        (_disc(0.39, 0.56, 0.045), False),
        (_disc(0.61, 0.56, 0.045), False),
        (_disc(0.5, 0.4, 0.13), False),
        (_disc(0.5, 0.44, 0.045), True),
    ],
    "baby": [
        ([(0.5, 0.52), *_disc(0.5, 0.52, 0.34, 60, 120)], True),
        ([(0.16, 0.5), (0.8, 0.5), (0.66, 0.3), (0.3, 0.3)], True),
        ([(0.76, 0.5), (0.82, 0.5), (0.96, 0.72), (0.9, 0.74)], True),
        *_ring(0.34, 0.2, 0.09, 0.045),
        *_ring(0.64, 0.2, 0.09, 0.045),
    ],
    "television": [
        (_bar(0.1, 0.34, 0.9, 0.82), True),
        (_bar(0.14, 0.38, 0.86, 0.78), False),
        ([(0.36, 0.34), (0.64, 0.34), (0.72, 0.22), (0.28, 0.22)], True),
        ([(0.5, 0.78), (0.54, 0.66), (0.48, 0.6), (0.56, 0.46), (0.5, 0.6), (0.55, 0.66)], True),
        ([(0.53, 0.64), (0.7, 0.7), (0.74, 0.66), (0.69, 0.67)], True),
        ([(0.5, 0.6), (0.34, 0.52), (0.28, 0.54), (0.34, 0.5)], True),
    ],
    "apparel": [
        (
            [
                *[(0.32, 0.84), (0.08, 0.66), (0.2, 0.5), (0.29, 0.57), (0.29, 0.16), (0.71, 0.16)],
                *[(0.71, 0.57), (0.8, 0.5), (0.92, 0.66), (0.68, 0.84)],
            ],
            True,
        ),
        (_disc(0.5, 0.85, 0.12), False),
    ],
    "floor care": [
        ([(0.5, 0.3), (0.56, 0.3), (0.82, 0.9), (0.76, 0.9)], True),
        ([(0.44, 0.28), (0.62, 0.28), (0.74, 0.6), (0.54, 0.6)], True),
        ([(0.12, 0.14), (0.66, 0.14), (0.62, 0.28), (0.2, 0.28)], True),
        (_bar(0.18, 0.19, 0.58, 0.22), False),
    ],
    "seasonal": [
        ([(0.5, 0.94), (0.32, 0.68), (0.68, 0.68)], True),
        ([(0.5, 0.78), (0.24, 0.44), (0.76, 0.44)], True),
        ([(0.5, 0.56), (0.16, 0.2), (0.84, 0.2)], True),
        (_bar(0.45, 0.08, 0.55, 0.2), True),
    ],
    "furniture": [
        (_bar(0.28, 0.5, 0.34, 0.92), True),
        (_bar(0.28, 0.66, 0.66, 0.92), True),
        (_bar(0.34, 0.72, 0.6, 0.86), False),
        (_bar(0.6, 0.5, 0.66, 0.92), True),
        (_bar(0.24, 0.42, 0.76, 0.52), True),
        (_bar(0.26, 0.1, 0.32, 0.42), True),
        (_bar(0.68, 0.1, 0.74, 0.42), True),
    ],
}


def print_icon(
    canvas: Canvas, face: Face, name: str, ink: Colour, ground: Colour, size: float = 0.7
) -> None:
    """Print a sign in the middle of a face. ``ground``: the colour of the face."""
    margin = (1 - size) / 2
    for points, printed in ICONS[name]:
        placed = [face(margin + u * size, margin + v * size) for u, v in points]
        canvas.polygon(placed, ink if printed else ground)
