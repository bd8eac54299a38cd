"""Drawing boxes in space: a dimetric view from above, painted back to front.

The world is in centimetres: x goes to the lower right of the picture, y to the lower left, z up.
The canvas is twice as large as the picture, so that edges are smooth once it is made smaller.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 1_000, 750
FINE: Final = 2  # canvas pixels a pixel of the picture

Colour = tuple[int, int, int]
Point = tuple[float, float]
# From a place on a face, (0, 0) its lower left corner and (1, 1) its upper right, to the canvas.
Face = Callable[[float, float], Point]


def colour(text: str) -> Colour:
    """``#rrggbb``."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def shade(base: Colour, factor: float) -> Colour:
    """Darker (below 1) or lighter (above)."""
    red, green, blue = (max(0, min(255, round(part * factor))) for part in base)
    return red, green, blue


def mixed(first: Colour, second: Colour, share: float) -> Colour:
    """Between two colours; ``share`` of the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


class Box(NamedTuple):
    """A box in space: its corner that is farthest from the eye, and its measures."""

    x: float
    y: float
    z: float
    dx: float
    dy: float
    dz: float


class Canvas:
    """A picture in the making. ``scale``: canvas pixels a centimetre; ``origin``: of the world."""

    def __init__(self, scale: float, origin: Point) -> None:
        self.image = Image.new("RGB", (WIDTH * FINE, HEIGHT * FINE))
        self.draw = ImageDraw.Draw(self.image, "RGBA")
        self.scale, self.origin = scale * FINE, (origin[0] * FINE, origin[1] * FINE)

    def finished(self) -> Image.Image:
        """The picture."""
        return self.image.reduce(FINE)

    # --- The plane ---------------------------------------------------------------------------

    def gradient(self, top: float, bottom: float, first: Colour, last: Colour) -> None:
        """A band across the picture, from one height (0 is the top, 1 the bottom) to another."""
        self.shaded(0, top * HEIGHT, WIDTH, bottom * HEIGHT, first, last)

    def shaded(
        self, left: float, top: float, right: float, bottom: float, first: Colour, last: Colour
    ) -> None:
        """A rectangle, by pixels of the picture, from one colour above to another below."""
        width, height = round((right - left) * FINE), round((bottom - top) * FINE)
        column = Image.new("RGB", (1, 2), first)
        column.putpixel((0, 1), last)
        column = column.resize((1, height), Image.Resampling.BILINEAR)
        place = (round(left * FINE), round(top * FINE))
        self.image.paste(column.resize((width, height), Image.Resampling.NEAREST), place)

    def polygon(self, points: Sequence[Point], fill: Colour, alpha: int = 255) -> None:
        """Filled, and as thin as is wished."""
        self.draw.polygon(points, fill=(*fill, alpha))

    def rectangle(
        self, left: float, top: float, right: float, bottom: float, fill: Colour, alpha: int = 255
    ) -> None:
        """By pixels of the picture."""
        edges = (left * FINE, top * FINE, right * FINE, bottom * FINE)
        self.draw.rectangle(edges, fill=(*fill, alpha))

    def soft_shadow(self, points: Sequence[Point], strength: float, blur: float) -> None:
        """A polygon of darkness with soft edges."""
        coarse, margin = 10, 8
        xs, ys = [x / coarse for x, _ in points], [y / coarse for _, y in points]
        left, top = int(min(xs)) - margin, int(min(ys)) - margin
        mask = Image.new("L", (int(max(xs)) - left + margin, int(max(ys)) - top + margin))
        moved = [(x - left, y - top) for x, y in zip(xs, ys, strict=True)]
        ImageDraw.Draw(mask).polygon(moved, fill=round(255 * strength))
        mask = mask.filter(ImageFilter.GaussianBlur(blur))
        size = (mask.width * coarse, mask.height * coarse)
        mask = mask.resize(size, Image.Resampling.BILINEAR)
        self.image.paste((38, 44, 52), (left * coarse, top * coarse), mask)

    def stick(self, picture: Image.Image, face: Face, corners: tuple[float, ...]) -> None:
        """A flat picture onto a face: ``corners`` are left, bottom, right and top on it."""
        left, bottom, right, top = corners
        start, along, down = face(left, top), face(right, top), face(left, bottom)
        across = (along[0] - start[0], along[1] - start[1])
        below = (down[0] - start[0], down[1] - start[1])
        area = across[0] * below[1] - across[1] * below[0]
        width, height = picture.size
        # From a pixel of the canvas back to one of the picture.
        inverse = (
            width * below[1] / area,
            -width * below[0] / area,
            width * (start[1] * below[0] - start[0] * below[1]) / area,
            -height * across[1] / area,
            height * across[0] / area,
            height * (start[0] * across[1] - start[1] * across[0]) / area,
        )
        xs = [start[0], along[0], down[0], along[0] + below[0]]
        ys = [start[1], along[1], down[1], along[1] + below[1]]
        x0, y0 = int(min(xs)), int(min(ys))
        size = (int(max(xs)) - x0 + 2, int(max(ys)) - y0 + 2)
        a, b, c, d, e, f = inverse
        moved = (a, b, c + a * x0 + b * y0, d, e, f + d * x0 + e * y0)
        method, filtering = Image.Transform.AFFINE, Image.Resampling.BILINEAR
        laid = picture.convert("RGBA").transform(size, method, moved, filtering)
        self.image.paste(laid, (x0, y0), laid)

    # --- Space -------------------------------------------------------------------------------

    def at(self, x: float, y: float, z: float) -> Point:
        """Where a place of the world is on the canvas."""
        across, down = (x - y) * 0.866, (x + y) * 0.5 - z
        return self.origin[0] + across * self.scale, self.origin[1] + down * self.scale

    def faces(self, box: Box) -> tuple[Face, Face, Face]:
        """The faces that are seen: on the left, on the right, on top."""
        x, y, z, dx, dy, dz = box
        return (
            lambda u, v: self.at(x + dx * u, y + dy, z + dz * v),
            lambda u, v: self.at(x + dx, y + dy * (1 - u), z + dz * v),
            lambda u, v: self.at(x + dx * u, y + dy * (1 - v), z + dz),
        )

    def box(self, box: Box, base: Colour) -> tuple[Face, Face, Face]:
        """A plain box; its faces, for what is on them."""
        left, right, top = faces = self.faces(box)
        for face, light in ((left, 0.93), (right, 0.79), (top, 1.1)):
            self.polygon(outline(face), shade(base, light))
        edge = (*shade(base, 0.62), 120)
        for face in faces:
            self.draw.line([*outline(face), face(0, 0)], fill=edge, width=FINE)
        return faces


def outline(face: Face) -> list[Point]:
    """The corners of a face."""
    return [face(0, 0), face(1, 0), face(1, 1), face(0, 1)]


def strip(face: Face, left: float, bottom: float, right: float, top: float) -> list[Point]:
    """A rectangle on a face."""
    return [face(left, bottom), face(right, bottom), face(right, top), face(left, top)]


def flat(left: float, bottom: float, right: float, top: float) -> Face:
    """A face that is seen from the front, between these pixels of the picture."""
    return lambda u, v: (
        (left + (right - left) * u) * FINE,
        (bottom + (top - bottom) * v) * FINE,
    )


def back_to_front(boxes: Iterable[Box]) -> list[Box]:
    """In the order in which boxes that do not meet are painted."""
    return sorted(boxes, key=lambda box: (round(box.z, 3), round(box.x + box.y, 3)))
