"""Pallets with goods on them: how each kind of goods is packed, wrapped and labelled."""

import random
from collections.abc import Sequence
from typing import Final, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from softclose.demo.drawing import (
    FINE,
    Box,
    Canvas,
    Colour,
    Face,
    back_to_front,
    colour,
    mixed,
    outline,
    shade,
    strip,
)
from softclose.demo.goods import Goods
from softclose.demo.icons import print_icon

PALLET_X, PALLET_Y, PALLET_Z = 120.0, 100.0, 14.0

WOOD: Final = colour("#c39a67")
WHITE: Final = colour("#ffffff")
CARDBOARD: Final = tuple(map(colour, ("#cfa97c", "#c49c6d", "#d6b48a", "#bd9464")))


class Look(NamedTuple):
    """How the cartons of some goods look: their sign, and the colours of those that are printed."""

    icon: str
    colours: tuple[Colour, ...]
    printed: float  # the share of cartons in these colours; the others are plain


LOOKS: Final[dict[str, Look]] = {
    "Kitchen appliances": Look("kitchen", (colour("#2f7f86"), colour("#e7e2d8")), 0.55),
    "Cordless power tools": Look("tools", (colour("#e2b23a"), colour("#3d4248")), 0.7),
    "Bedding and bath": Look(
        "home", (colour("#b9c7da"), colour("#d9cfe3"), colour("#e8e2d6"), colour("#c4d6cb")), 0.9
    ),
    "Laptops and tablets": Look("electronics", (colour("#44566f"), colour("#eceff2")), 0.5),
    "Toys and games": Look(
        "toys", (colour("#e0694f"), colour("#4a93c9"), colour("#efc14d"), colour("#5fae7b")), 0.85
    ),
    "Strollers, car seats": Look("baby", (colour("#8fc1b5"), colour("#ece9e2")), 0.6),
    "Televisions, cracked": Look("television", (colour("#39414d"), colour("#cfa97c")), 0.6),
    "Apparel, mixed sizes": Look("apparel", (colour("#c49c6d"),), 1.0),
    "Vacuums and floor care": Look("floor care", (colour("#6b5b95"), colour("#e9e6ee")), 0.55),
    "Artificial trees, 7 ft": Look("seasonal", (colour("#3f7a54"), colour("#cfa97c")), 0.6),
    "Furniture and DIY": Look("furniture", (colour("#8a6a4f"), colour("#d8c9b4")), 0.3),
}

CLOTH: Final = tuple(
    map(colour, ("#5b7a99", "#c9cdd2", "#a8574f", "#3f4f5f", "#d9b98c", "#7d9a83", "#8d7aa6"))
)


def boxes_of(rng: random.Random, load: str, height: float) -> list[Box]:
    """The cartons of a load on a pallet at the world's origin, up to this height."""
    if load == "panels":
        return _rows(rng, (1, 6), 2, height)
    if load == "longs":
        return _rows(rng, (1, 3), 5, height)
    if load == "bin":
        return [Box(2, 2, PALLET_Z, PALLET_X - 4, PALLET_Y - 4, height - PALLET_Z)]
    layers = 4 if height < 150 else 5
    return _cartons(rng, layers, height)


def _rows(rng: random.Random, counts: tuple[int, int], layers: int, height: float) -> list[Box]:
    across, along = counts
    dx, dy = (PALLET_X - 6) / across, (PALLET_Y - 6) / along
    dz = (height - PALLET_Z) / layers
    boxes = [
        Box(3 + i * dx, 3 + j * dy, PALLET_Z + k * dz, dx - 0.8, dy - 0.8, dz - 0.4)
        for k in range(layers)
        for i in range(across)
        for j in range(along)
    ]
    # The last ones on top are missing, as on any pallet that was packed by hand.
    return boxes[: len(boxes) - rng.randrange(2)]


def _cartons(rng: random.Random, layers: int, height: float) -> list[Box]:
    boxes: list[Box] = []
    z = PALLET_Z
    for layer in range(layers):
        dz = (
            (height - z) / (layers - layer) * rng.uniform(0.86, 1.1)
            if layer < layers - 1
            else (height - z)
        )
        across, along = rng.choice(((2, 2), (3, 2), (2, 3), (3, 3)))
        dx, dy = (PALLET_X - 6) / across, (PALLET_Y - 6) / along
        for i in range(across):
            for j in range(along):
                low = dz * rng.uniform(0.8, 1.0) if layer == layers - 1 else dz
                boxes.append(Box(3 + i * dx, 3 + j * dy, z, dx - 0.9, dy - 0.9, low - 0.4))
        z += dz
    return boxes


def draw_pallet(canvas: Canvas, x: float = 0, y: float = 0) -> None:
    """The wood: three runners, boards below and above."""
    for j in range(3):
        place = y + j * (PALLET_Y - 12) / 2
        canvas.box(Box(x, place, 0, PALLET_X, 12, 10), shade(WOOD, 0.86))
    for i in range(7):
        board = Box(x + i * (PALLET_X - 13) / 6, y, 10, 13, PALLET_Y, PALLET_Z - 10)
        canvas.box(board, shade(WOOD, 0.98 + 0.04 * (i % 2)))


def draw_load(
    canvas: Canvas, rng: random.Random, goods: Goods, boxes: Sequence[Box], tag: str
) -> None:
    """The cartons, wrapped, with a label on the right."""
    look = LOOKS[goods.title]
    for box in back_to_front(boxes):
        draw_carton(canvas, rng, look, box, worn=goods.source == "customer returns")
    if goods.load == "bin":
        _fill_bin(canvas, rng, boxes[0])
    hull = _hull(boxes)
    wrap(canvas, rng, hull)
    _, right, _ = canvas.faces(hull)
    share = 34 / hull.dz
    canvas.stick(label(tag, goods), right, (0.3, 0.62 - share, 0.72, 0.62))


def _hull(boxes: Sequence[Box]) -> Box:
    x, y, z = min(b.x for b in boxes), min(b.y for b in boxes), min(b.z for b in boxes)
    return Box(
        x,
        y,
        z,
        max(b.x + b.dx for b in boxes) - x,
        max(b.y + b.dy for b in boxes) - y,
        max(b.z + b.dz for b in boxes) - z,
    )


def draw_carton(canvas: Canvas, rng: random.Random, look: Look, box: Box, *, worn: bool) -> None:
    """A carton with tape and, if it is printed, its sign."""
    printed = rng.random() < look.printed
    base = rng.choice(look.colours) if printed else rng.choice(CARDBOARD)
    base = shade(base, rng.uniform(0.95, 1.05))
    left, right, top = canvas.box(box, base)
    tape = mixed(base, WHITE, 0.35)
    canvas.polygon(strip(top, 0.0, 0.44, 1.0, 0.56), tape, 150)
    for face, light, along in ((left, 0.93, box.dx), (right, 0.79, box.dy)):
        canvas.polygon(strip(face, 0.45, 0.8, 0.55, 1.0), shade(tape, light), 150)
        wide = along / box.dz
        if 0.45 < wide < 3.2:
            ink, ground = shade(ink_on(base), light), shade(base, light)
            print_icon(canvas, _squared(face, wide), look.icon, ink, ground, 0.62)
    if worn and rng.random() < 0.35:
        _dent(canvas, rng, rng.choice((left, right)), base)


def ink_on(ground: Colour) -> Colour:
    """What is printed in on this colour: light on dark, dark on light."""
    red, green, blue = ground
    if 0.3 * red + 0.59 * green + 0.11 * blue < 120:
        return mixed(ground, WHITE, 0.78)
    return mixed(ground, (40, 46, 54), 0.62)


def _squared(face: Face, wide: float) -> Face:
    """The square in the middle of a face that is ``wide`` times as wide as high."""
    if wide >= 1:
        return lambda u, v: face(0.5 + (u - 0.5) / wide, v)
    return lambda u, v: face(u, 0.5 + (v - 0.5) * wide)


def _dent(canvas: Canvas, rng: random.Random, face: Face, base: Colour) -> None:
    u, v = rng.choice(((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)))
    inner_u = u + (0.22 if u == 0 else -0.22) * rng.uniform(0.6, 1.0)
    inner_v = v + (0.26 if v == 0 else -0.26) * rng.uniform(0.6, 1.0)
    points = [face(u, v), face(inner_u, v), face(u, inner_v)]
    canvas.polygon(points, shade(base, 0.6), 150)


def _fill_bin(canvas: Canvas, rng: random.Random, box: Box) -> None:
    """Bagged clothes in a bin that is open at the top."""
    _, _, top = canvas.faces(box)
    canvas.polygon(strip(top, 0.03, 0.03, 0.97, 0.97), shade(CARDBOARD[1], 0.5))
    for row in range(5):
        for column in range(6):
            cloth = shade(rng.choice(CLOTH), rng.uniform(0.9, 1.1))
            u, v = 0.05 + column * 0.15, 0.79 - row * 0.18
            bulge = rng.uniform(0.01, 0.03)
            pack = strip(top, u, v - bulge, u + 0.16, v + 0.16 + bulge)
            canvas.polygon(pack, cloth)
            canvas.polygon(strip(top, u + 0.02, v + 0.1, u + 0.12, v + 0.13), WHITE, 90)
            canvas.draw.line([*pack, pack[0]], fill=(*shade(cloth, 0.7), 120), width=FINE)


def wrap(canvas: Canvas, rng: random.Random, hull: Box) -> None:
    """Stretch film: a veil, its turns around the load, and light on it."""
    left, right, top = canvas.faces(hull)
    for face, veil in ((left, 46), (right, 34), (top, 30)):
        canvas.polygon(outline(face), colour("#f4f8fb"), veil)
    for face in (left, right):
        turns = 9
        for turn in range(turns):
            v = turn / turns + rng.uniform(0.0, 0.03)
            slant = 0.05 if face is left else -0.05
            edge = [face(0, v), face(1, v + slant)]
            canvas.draw.line(edge, fill=(255, 255, 255, 58), width=FINE * 2)
        for _ in range(5):
            u, v = rng.uniform(0.02, 0.8), rng.uniform(0.05, 0.6)
            high, wide = rng.uniform(0.16, 0.34), rng.uniform(0.015, 0.05)
            gleam = [
                *(face(u, v), face(u + wide, v)),
                *(face(u + wide + 0.09, v + high), face(u + 0.09, v + high)),
            ]
            canvas.polygon(gleam, WHITE, rng.randrange(36, 78))
    corner = [right(0, 0), right(0, 1)]
    canvas.draw.line(corner, fill=(255, 255, 255, 120), width=FINE * 3)


def label(tag: str, goods: Goods) -> Image.Image:
    """The paper on a load: which lot it is, bars, and what is in it."""
    paper = Image.new("RGBA", (420, 330), (252, 252, 250, 255))
    pen = ImageDraw.Draw(paper)
    pen.rectangle((0, 0, 419, 329), outline=(150, 155, 160), width=3)
    pen.rectangle((0, 0, 420, 64), fill=(33, 60, 92))
    pen.text((18, 12), "HARBOR RETURNS", font=_font(36), fill="white")
    pen.text((18, 76), tag, font=_font(70), fill=(25, 28, 33))
    rng = random.Random(tag)  # noqa: S311 - bars that mean nothing
    x = 18
    while x < 396:
        width = rng.choice((2, 2, 4, 6))
        pen.rectangle((x, 170, x + width - 1, 262), fill=(25, 28, 33))
        x += width + rng.choice((3, 3, 5))
    pen.text((18, 276), goods.title[:24], font=_font(32), fill=(60, 65, 72))
    return paper


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
