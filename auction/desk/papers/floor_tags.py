"""Tags for the pallets of a sale as a PDF: one page of 4 x 6 inches for each, as label printers
take them.

A tag is read from afar (the number), up close (the title, the measures), by a telephone (a QR code
that leads to the lot's page) and by a scanner (Code 128 of the sale and the lot). All tags of a lot
have the same codes, which are in the document once.
"""

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Final

import segno
from reportlab.graphics.barcode.code128 import Code128  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from auction.desk.papers.contents import LotTags, TagsHead
from foundation.papers.typesetting import GREY, INCH, INK, Style

WIDTH: Final = 4 * INCH
HEIGHT: Final = 6 * INCH
_MARGIN: Final = 0.22 * INCH
_INNER: Final = WIDTH - 2 * _MARGIN

_SALE: Final = Style(9, bold=True)
_SELLER: Final = Style(8, colour=GREY)
_LOT: Final = Style(11, colour=GREY)
_TITLE: Final = Style(14, bold=True, leading=1.18)
_PALLET: Final = Style(20, bold=True)
_LABEL: Final = Style(7.5, colour=GREY)
_VALUE: Final = Style(10.5, bold=True)
_CODE: Final = Style(7)
_LARGEST: Final = 112.0
_NUMBER_HEIGHT: Final = 86.0

_QR: Final = 1.42 * INCH
_BARS: Final = 0.52 * INCH
# Quiet zones, in modules: ISO/IEC 18004 asks for 4, ISO/IEC 15417 for 10.
_QR_QUIET: Final = 4
_BARS_QUIET: Final = 10
# The widest bar that saves no paper: 0.015 inch is read from an arm's length.
_WIDEST: Final = 0.015 * INCH


def floor_tags_pdf(head: TagsHead, lots: Iterable[LotTags]) -> bytes:
    """The document. The same words are the same bytes."""
    made = BytesIO()
    canvas = Canvas(made, pagesize=(WIDTH, HEIGHT), invariant=1, pageCompression=1)
    canvas.setTitle(f"Floor tags: {head.title}")
    canvas.setAuthor(head.seller)
    for place, lot in enumerate(lots):
        form = f"codes{place}"
        canvas.beginForm(form, 0, 0, WIDTH, HEIGHT)
        _codes(canvas, lot)
        canvas.endForm()
        for pallet in _pallets(lot.pallets):
            _tag(canvas, head, lot, pallet)
            canvas.doForm(form)
            canvas.showPage()
    if canvas.getPageNumber() == 1:
        _SALE.set("This sale has no lots yet.").draw(canvas, _MARGIN, HEIGHT / 2)
    canvas.save()
    return made.getvalue()


def _pallets(count: int) -> Iterator[str]:
    if count == 0:
        yield "Loose cases"
    for number in range(1, count + 1):
        yield f"Pallet {number} of {count}"


def _tag(canvas: Canvas, head: TagsHead, lot: LotTags, pallet: str) -> None:
    y = HEIGHT - _MARGIN - _SALE.size
    _SALE.fitting(head.title, _INNER).draw(canvas, _MARGIN, y)
    if head.seller:
        y -= _SELLER.leading + 1
        _SELLER.fitting(head.seller, _INNER).draw(canvas, _MARGIN, y)
    y -= 7
    canvas.setStrokeColor(INK)
    canvas.setLineWidth(2)
    canvas.line(_MARGIN, y, WIDTH - _MARGIN, y)
    y -= _LOT.leading + 1
    _LOT.set("LOT").draw(canvas, _MARGIN, y)
    size = min(_LARGEST, _LARGEST * _INNER / Style(_LARGEST, bold=True).set(lot.number).width)
    number = Style(size, bold=True).set(lot.number)
    y -= _NUMBER_HEIGHT
    # Figures are 0.72 of their size high: in the middle of their room.
    number.draw(canvas, WIDTH / 2, y + (_NUMBER_HEIGHT - 0.72 * size) / 2, to="centre")
    y -= 8
    for line in _TITLE.first_lines(lot.title or "No title yet", _INNER, 3):
        y -= _TITLE.leading
        line.draw(canvas, _MARGIN, y)
    _beside_code(canvas, lot, pallet)


def _beside_code(canvas: Canvas, lot: LotTags, pallet: str) -> None:
    """Which pallet it is and how large, right of the QR code."""
    left, width = _MARGIN + _QR + 12, _INNER - _QR - 12
    y = _codes_top() - _PALLET.size + 3
    style = _PALLET
    if style.set(pallet).width > width:
        style = Style(_PALLET.size * width / style.set(pallet).width, bold=True)
    style.set(pallet).draw(canvas, left, y)
    y -= 8
    for fact in lot.facts:
        y -= _LABEL.leading
        _LABEL.fitting(fact.title, width).draw(canvas, left, y)
        for line in _VALUE.first_lines(fact.text, width, 2):
            y -= _VALUE.leading
            line.draw(canvas, left, y)
        y -= 3


def _codes_top() -> float:
    return _MARGIN + _CODE.leading + _BARS + 10 + _QR


def _codes(canvas: Canvas, lot: LotTags) -> None:
    canvas.setFillColorRGB(0, 0, 0)
    _qr(canvas, lot.address, _MARGIN, _codes_top() - _QR)
    y = _MARGIN + _CODE.leading
    bars = Code128(lot.code, barHeight=_BARS, barWidth=1, quiet=0)
    module = min(_WIDEST, (_INNER + _MARGIN) / (bars.width + 2 * _BARS_QUIET))
    bars = Code128(lot.code, barHeight=_BARS, barWidth=module, quiet=0)
    bars.drawOn(canvas, (WIDTH - bars.width) / 2, y)
    _CODE.fitting(lot.code, _INNER).draw(canvas, WIDTH / 2, _MARGIN + 1, to="centre")


def _qr(canvas: Canvas, address: str, x: float, y: float) -> None:
    """The code with its top left at the top left of its room; runs of a line are one rectangle."""
    rows = [bytes(row) for row in segno.make(address, error="m", micro=False).matrix]
    # The margin of the tag is the rest of the quiet zone at the left.
    module = _QR / len(rows)
    assert module * _QR_QUIET <= _MARGIN, "the quiet zone is the margin"
    path = canvas.beginPath()
    for down, row in enumerate(rows):
        start = 0
        while (start := row.find(1, start)) >= 0:
            stop = row.find(0, start)
            stop = len(row) if stop < 0 else stop
            bottom = y + _QR - (down + 1) * module
            path.rect(x + start * module, bottom, (stop - start) * module, module)
            start = stop
    canvas.drawPath(path, stroke=0, fill=1)
