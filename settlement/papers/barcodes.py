"""Bar codes on paper: Code 128, and the SSCC of GS1 in it.

An SSCC is a pallet's number for everybody: an extension digit, the company's GS1 prefix, a serial
number and a check digit, 18 in all (GS1 General Specifications, 2.2.1 and 7.9.1). On a label it
stands behind the application identifier 00 in a Code 128 that begins with FNC1.
"""

import re
from typing import Final

from reportlab.graphics.barcode.code128 import Code128  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from auction.catalog.goods import gtin_check_digit
from foundation.papers.typesetting import INCH, Style

SSCC_DIGITS: Final = 18
# A company's prefix as GS1 gives it; the serial number has the digits that are left.
_PREFIX: Final = re.compile(r"[0-9]{4,12}")
# A narrow bar that is read from an arm's length, and the least that office printers hold:
# 0.25 mm (GS1 asks for 0.495 mm on labels of logistics, which 4 inches take).
WIDEST: Final = 0.0195 * INCH
LEAST: Final = 0.0098 * INCH
# ISO/IEC 15417: ten narrow bars of white at each side.
QUIET: Final = 10
_FNC1: Final = "\xf1"

UNDER: Final = Style(8.5)


def is_prefix(digits: str) -> bool:
    """Whether this can be a company's GS1 prefix."""
    return _PREFIX.fullmatch(digits) is not None


def sscc_of(prefix: str, serial: int) -> str:
    """The SSCC of a pallet. ``ValueError`` where the prefix leaves no room for the serial number.

    Serial numbers go on into the extension digit, so that a prefix lasts ten times as long.
    """
    if not is_prefix(prefix):
        raise ValueError(f"{prefix!r} is not a GS1 prefix")
    room = SSCC_DIGITS - 2 - len(prefix)
    extension, number = divmod(serial, 10**room)
    if serial < 0 or extension > 9:
        raise ValueError(f"serial {serial} does not fit behind the prefix {prefix}")
    digits = f"{extension}{prefix}{number:0{room}}"
    return digits + gtin_check_digit(digits)


def is_sscc(digits: str) -> bool:
    """Whether these are the digits of an SSCC with its right check digit."""
    plain = digits.isascii() and digits.isdigit() and len(digits) == SSCC_DIGITS
    return plain and gtin_check_digit(digits[:-1]) == digits[-1]


def draw_code128(
    canvas: Canvas,
    text: str,
    x: float,
    y: float,
    width: float,
    height: float,
    under: Style = UNDER,
) -> None:
    """The text as Code 128 in a room of this width, its quiet zones included, and below it in
    letters. ``ValueError`` where it would be too fine to be read."""
    _draw(canvas, (text, text), x, y, width, height, under)


def draw_sscc(
    canvas: Canvas,
    sscc: str,
    x: float,
    y: float,
    width: float,
    height: float,
    under: Style = UNDER,
) -> None:
    """An SSCC as GS1-128, and below it as people read it: ``(00) ...``."""
    assert is_sscc(sscc), "it was made by `sscc_of`"
    _draw(canvas, (f"{_FNC1}00{sscc}", f"(00) {sscc}"), x, y, width, height, under)


def _draw(
    canvas: Canvas,
    said: tuple[str, str],
    x: float,
    y: float,
    width: float,
    height: float,
    under: Style,
) -> None:
    text, shown = said
    modules = Code128(text, barHeight=height, barWidth=1, quiet=0).width + 2 * QUIET
    module = min(WIDEST, width / modules)
    if module < LEAST:
        raise ValueError(f"{shown}: its bars are too fine in {width / INCH:.1f} inches")
    bars = Code128(text, barHeight=height, barWidth=module, quiet=0)
    canvas.setFillColorRGB(0, 0, 0)
    bars.drawOn(canvas, x + (width - bars.width) / 2, y + under.leading)
    under.fitting(shown, width).draw(canvas, x + width / 2, y + 1.5, to="centre")
