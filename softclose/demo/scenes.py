"""Pictures of lots: drawn, the same for the same seed, and plainly no photographs."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Final, NamedTuple

from PIL import Image, ImageFont

from auction.ids import LotId
from softclose.demo.drawing import FINE, HEIGHT, WIDTH, Box, Canvas, colour, flat, shade, strip
from softclose.demo.goods import Goods
from softclose.demo.icons import print_icon
from softclose.demo.loads import (
    CARDBOARD,
    LOOKS,
    PALLET_X,
    PALLET_Y,
    WHITE,
    boxes_of,
    draw_load,
    draw_pallet,
    ink_on,
    label,
)

WALL: Final = colour("#eef2f5"), colour("#dde4ea")
FLOOR: Final = colour("#d3d9df"), colour("#bcc4cc")
HORIZON: Final = 0.56


class Picture(NamedTuple):
    """A picture of a lot, and what it shows for who cannot see it."""

    image: Image.Image
    alt: str


def pictures(goods: Goods, lot_id: LotId, seed: int) -> Iterator[Picture]:
    """All pictures of a lot, the best first."""
    what = f"of {goods.title.lower()}"
    if goods.load == "truck":
        yield Picture(_dock(goods, lot_id, seed), f"Illustration: six of 24 wrapped pallets {what}")
        yield Picture(_trailer(goods, lot_id, seed), "Illustration: the open trailer, loaded")
    else:
        packed = {"bin": "an open bin", "panels": "a pallet of flat cartons"}
        load = packed.get(goods.load, "a wrapped pallet")
        yield Picture(
            _pallet(goods, lot_id, seed, 0), f"Illustration: {load} {what}, from the right"
        )
        yield Picture(
            _pallet(goods, lot_id, seed, 1), f"Illustration: {load} {what}, from the left"
        )
    yield Picture(_cartons(goods, lot_id, seed), f"Illustration: cartons {what} with the label")


def _rng(goods: Goods, lot_id: LotId, seed: int, view: str) -> random.Random:
    return random.Random(f"{seed}/{lot_id}/{view}")  # noqa: S311 - to be repeated, not secret


def _room(canvas: Canvas, rng: random.Random) -> None:
    """A wall with racks, and a floor."""
    canvas.gradient(0, HORIZON, *WALL)
    canvas.gradient(HORIZON, 1, *FLOOR)
    shift = rng.randrange(-60, 60)
    for level in range(3):
        top = 60 + level * 118
        for bay in range(-1, 6):
            left = shift + bay * 214
            for _ in range(rng.randrange(1, 4)):
                x = left + 14 + rng.randrange(110)
                high = rng.randrange(34, 84)
                tone = shade(rng.choice(CARDBOARD), 1.28)
                canvas.rectangle(
                    x, top + 106 - high, x + rng.randrange(40, 86), top + 106, tone, 120
                )
        canvas.rectangle(0, top + 106, WIDTH, top + 113, colour("#e6cdb4"))
    for bay in range(-1, 7):
        left = shift + bay * 214
        canvas.rectangle(left, 40, left + 9, HEIGHT * HORIZON, colour("#c3cfdb"))
    canvas.rectangle(0, HEIGHT * HORIZON - 5, WIDTH, HEIGHT * HORIZON, colour("#c4ccd4"))
    line = [(-40, 660), (WIDTH + 40, 420), (WIDTH + 40, 432), (-40, 676)]
    canvas.polygon([(x * FINE, y * FINE) for x, y in line], colour("#e9d58d"), 150)


def _sign(canvas: Canvas) -> None:
    """What it is: nobody should take it for a photograph."""
    font = ImageFont.load_default(15 * FINE)
    place = (14 * FINE, (HEIGHT - 28) * FINE)
    canvas.draw.text(place, "illustration", font=font, fill=(70, 78, 88, 170))


def _pallet(goods: Goods, lot_id: LotId, seed: int, view: int) -> Image.Image:
    rng = _rng(goods, lot_id, seed, f"pallet {view}")
    height = goods.height_mm / 10
    scale = min(3.3, 670 / (height + 110))
    middle = WIDTH / 2 + (-30 if view else 20)
    canvas = Canvas(scale, (middle, HEIGHT * 0.95 - 110 * scale))
    _room(canvas, rng)
    ground = [canvas.at(x, y, 0) for x, y in ((-6, -6), (126, -10), (150, 116), (10, 122))]
    canvas.soft_shadow(ground, 0.45, 4)
    draw_pallet(canvas)
    # The same load from its other side: packed by the same hand, seen by another light.
    boxes = boxes_of(_rng(goods, lot_id, seed, "boxes"), goods.load, height)
    if view:
        boxes = [_turned(box) for box in boxes]
    draw_load(canvas, rng, goods, boxes, f"LOT {lot_id}")
    _sign(canvas)
    return canvas.finished()


def _turned(box: Box) -> Box:
    """Half a turn around the middle of the pallet."""
    return box._replace(x=PALLET_X - box.x - box.dx, y=PALLET_Y - box.y - box.dy)


def _cartons(goods: Goods, lot_id: LotId, seed: int) -> Image.Image:
    """The front of the load, from near by."""
    rng, look = _rng(goods, lot_id, seed, "front"), LOOKS[goods.title]
    canvas = Canvas(1, (0, 0))
    canvas.gradient(0, 1, shade(CARDBOARD[0], 0.55), shade(CARDBOARD[0], 0.45))
    bottom = HEIGHT + rng.randrange(10, 60)
    while bottom > -20:
        high = rng.randrange(190, 270)
        left = -rng.randrange(20, 160)
        while left < WIDTH:
            wide = rng.randrange(240, 380)
            printed = rng.random() < look.printed
            base = rng.choice(look.colours) if printed else rng.choice(CARDBOARD)
            base = shade(base, rng.uniform(0.94, 1.06))
            face = flat(left + 3, bottom - 3, left + wide - 3, bottom - high + 3)
            canvas.polygon(strip(face, 0, 0, 1, 1), base)
            canvas.polygon(strip(face, 0, 0, 1, 0.04), shade(base, 0.8))
            canvas.polygon(strip(face, 0.455, 0.78, 0.545, 1), shade(base, 1.16), 170)
            ink = ink_on(base)
            square = flat(
                *(left + wide / 2 - high / 2 + 12, bottom - 10),
                *(left + wide / 2 + high / 2 - 12, bottom - high + 14),
            )
            print_icon(canvas, square, look.icon, ink, base, 0.6)
            left += wide
        bottom -= high
    for turn in range(7):
        y = turn * 120 + rng.randrange(-30, 30)
        band = [(0, y), (WIDTH, y - 46), (WIDTH, y - 40), (0, y + 8)]
        canvas.polygon([(a * FINE, b * FINE) for a, b in band], WHITE, 46)
    for _ in range(6):
        x, y = rng.randrange(WIDTH), rng.randrange(HEIGHT - 200)
        gleam = [(x, y), (x + 26, y), (x - 60, y + 230), (x - 86, y + 230)]
        canvas.polygon([(a * FINE, b * FINE) for a, b in gleam], WHITE, 52)
    canvas.rectangle(0, 0, WIDTH, HEIGHT, colour("#f3f8fb"), 24)
    canvas.stick(label(f"LOT {lot_id}", goods), flat(560, 640, 900, 372), (0, 0, 1, 1))
    _sign(canvas)
    return canvas.finished()


def _dock(goods: Goods, lot_id: LotId, seed: int) -> Image.Image:
    """Pallets in two rows on the floor."""
    rng = _rng(goods, lot_id, seed, "dock")
    scale = 1.2
    canvas = Canvas(scale, (WIDTH * 0.51, HEIGHT * 0.64))
    _room(canvas, rng)
    spots = [(x, y) for x in (-190, -50, 90) for y in (-150, 10)]
    for x, y in spots:
        corners = ((x - 5, y - 5), (x + 126, y - 6), (x + 142, y + 112), (x + 8, y + 116))
        canvas.soft_shadow([canvas.at(a, b, 0) for a, b in corners], 0.4, 3)
    for number, (x, y) in enumerate(sorted(spots, key=sum)):
        draw_pallet(canvas, x, y)
        height = goods.height_mm / 10 * rng.uniform(0.82, 1.0)
        load = rng.choice(("cartons", "cartons", "cartons", "longs", "panels"))
        boxes = [b._replace(x=b.x + x, y=b.y + y) for b in boxes_of(rng, load, height)]
        draw_load(canvas, rng, replace(goods, load=load), boxes, f"{lot_id}-{number + 1:02}")
    _sign(canvas)
    return canvas.finished()


def _trailer(goods: Goods, lot_id: LotId, seed: int) -> Image.Image:
    """The back of the trailer with its doors open."""
    rng, look = _rng(goods, lot_id, seed, "trailer"), LOOKS[goods.title]
    canvas = Canvas(1, (0, 0))
    canvas.gradient(0, 0.72, colour("#dfe8f0"), colour("#eef2f5"))
    canvas.gradient(0.72, 1, colour("#b9bfc6"), colour("#a3a9b1"))
    for side in (-1, 1):  # doors, folded back
        inner, outer = 500 + side * 262, 500 + side * 438
        door = [(inner, 92), (outer, 58), (outer, 566), (inner, 560)]
        canvas.polygon([(x * FINE, y * FINE) for x, y in door], colour("#e9edf0"))
        for bar in (0.3, 0.7):
            x = inner + (outer - inner) * bar
            canvas.rectangle(x - 3, 84, x + 3, 552, colour("#b4bcc4"))
    canvas.rectangle(230, 78, 770, 572, colour("#c9d0d6"))
    canvas.rectangle(248, 98, 752, 556, colour("#2c323a"))
    canvas.shaded(262, 110, 738, 548, colour("#22272e"), colour("#565c63"))
    for column in range(2):
        left = 268 + column * 238
        bottom = 536
        canvas.rectangle(left + 4, bottom - 14, left + 226, bottom, shade(CARDBOARD[1], 0.8))
        bottom -= 14
        while bottom > 190:
            high = rng.randrange(64, 108)
            x = left
            while x < left + 226:
                wide = min(rng.randrange(70, 130), left + 230 - x)
                printed = rng.random() < look.printed
                base = shade(
                    rng.choice(look.colours if printed else CARDBOARD), rng.uniform(0.92, 1.04)
                )
                face = flat(x + 1, bottom - 1, x + wide - 1, bottom - high + 1)
                canvas.polygon(strip(face, 0, 0, 1, 1), base)
                if wide > 60:
                    ink = shade(base, 0.6)
                    middle = x + wide / 2
                    square = flat(middle - 26, bottom - 12, middle + 26, bottom - 64)
                    print_icon(canvas, square, look.icon, ink, base, 0.9)
                x += wide
            bottom -= high
        canvas.rectangle(left, 150, left + 230, 536, colour("#f4f8fb"), 40)
        for turn in range(8):
            y = 180 + turn * 46
            canvas.rectangle(left, y, left + 230, y + 2, WHITE, 70)
    canvas.rectangle(222, 560, 778, 596, colour("#8f98a1"))
    for x in (270, 730):
        canvas.rectangle(x - 22, 568, x + 22, 586, colour("#c8473d"))
    for x in (320, 680):
        canvas.rectangle(x - 44, 596, x + 44, 676, colour("#2b2f34"))
    tag = label(f"{lot_id}-24", goods)
    canvas.stick(tag, flat(330, 420, 440, 334), (0, 0, 1, 1))
    _sign(canvas)
    return canvas.finished()
