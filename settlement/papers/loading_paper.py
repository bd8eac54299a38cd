"""A pickup release, or the bill of lading that it became, and the labels of pallets, as PDF."""

import re
from collections.abc import Sequence
from io import BytesIO
from typing import Any, Final

from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from auction.catalog.words import weight_words
from foundation.papers.typesetting import GREY, INCH, INK, RULE, Style
from settlement.papers.barcodes import draw_code128, draw_sscc
from settlement.papers.contents import Label, LabelsContent, LoadedLot, LoadingContent, Signed
from settlement.papers.letterhead import Fact
from settlement.papers.pages import MARGIN, Cell, Column, Sheets
from settlement.papers.styles import BODY, LABEL, SMALL, STRONG
from settlement.papers.words import clock, grouped, pdf_date

_LOTS: Final = (
    Column("Lot", 0.7),
    Column("Description", 2.7),
    Column("Pallet ids", 1.9),
    Column("Pallets", 0.7, right=True),
    Column("Units", 0.8, right=True),
    Column("Weight", 1.5, right=True),
    Column("Class", 0.6, right=True),
)
# Of a drawn signature: moves, lines and curves in absolute numbers, as pickups take them.
_PART: Final = re.compile(r"([MLQC]) ?((?:[0-9]{1,3}(?:\.[0-9]{1,3})?[ ,]?)+)")
_NUMBER: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3})?")
_BOX_WIDTH: Final = 600.0
_BOX_HEIGHT: Final = 200.0

_SIGNATURE_HEIGHT: Final = 0.85 * INCH
_BARS_WIDTH: Final = 3.3 * INCH
_BARS_HEIGHT: Final = 0.42 * INCH

LABEL_WIDTH: Final = 4 * INCH
LABEL_HEIGHT: Final = 6 * INCH
_EDGE: Final = 0.2 * INCH

_HOUSE: Final = Style(9, bold=True)
_LOT_WORD: Final = Style(10, colour=GREY)
_LARGEST: Final = 64.0
_TITLE: Final = Style(14, bold=True, leading=1.18)
_COUNT: Final = Style(19, bold=True)
_UNDER: Final = Style(12, bold=True)
_FACT: Final = Style(9.5, bold=True)


def loading_pdf(content: LoadingContent) -> bytes:
    """The document. The same facts are the same bytes."""
    sheets = Sheets(
        house=content.house,
        paper=content.paper,
        title="Pickup release" if content.signed is None else "Bill of lading",
        number=content.number,
        made_at_us=content.made_at_us,
        running=content.consignee.name,
    )
    write_loading(sheets, content)
    return sheets.end()


def write_loading(sheets: Sheets, content: LoadingContent) -> None:
    """All of it below the masthead: on paper of its own, or in a bundle of evidence."""
    sheets.room(1.6 * INCH)
    top = sheets.y
    left = MARGIN + sheets.inner - _BARS_WIDTH
    draw_code128(
        sheets.canvas, content.number, left, top - _BARS_HEIGHT - 12, _BARS_WIDTH, _BARS_HEIGHT
    )
    STRONG.set("Not negotiable").draw(sheets.canvas, MARGIN, top - 12)
    state = (
        "Not signed for yet: the goods are here."
        if content.signed is None
        else "Signed for: the goods have left."
    )
    SMALL.set(state).draw(sheets.canvas, MARGIN, top - 25)
    sheets.y = top - _BARS_HEIGHT - 24
    sheets.parties([("Shipper, goods are at", content.shipper), ("Consignee", content.consignee)])
    sheets.facts(
        [
            Fact("Carrier", content.carrier or "\u2013"),
            Fact("Driver", content.driver or "\u2013"),
            Fact("Truck or trailer", content.trailer or "\u2013"),
            Fact("Seal", content.seal or "\u2013"),
            Fact("Door", content.door),
            Fact("Slot begins", clock(content.slot_at_us, content.zone)),
            Fact("Slot ends", clock(content.slot_ends_at_us, content.zone)),
            Fact("Freight", "Collect: the consignee's carrier"),
        ]
    )
    _lots(sheets, content)
    if content.note:
        sheets.section("Note", 30)
        sheets.text(content.note)
    _signatures(sheets, content)
    sheets.section("The manifests of what is handed over (SHA-256)", 30)
    sheets.listed(
        [Fact(f"Lot {lot.lot}", grouped(lot.manifest_sha256)) for lot in content.lots], beside=70
    )


def _lots(sheets: Sheets, content: LoadingContent) -> None:
    sheets.section("To be loaded" if content.signed is None else "Loaded", 60)
    sheets.table(_LOTS)
    for lot in content.lots:
        sheets.row(
            [
                lot.lot,
                Cell(lot.title, lot.condition),
                Cell("  ".join(lot.pallets)),
                _pallets(lot),
                f"{lot.units:,}" if _is_whole(lot) else f"part of {lot.units:,}",
                weight_words(lot.weight_g) or "not known",
                lot.freight_class,
            ]
        )
    pallets = sum(len(lot.pallets) for lot in content.lots)
    weights = [lot.weight_g for lot in content.lots if lot.weight_g]
    known = weight_words(sum(weights)) if len(weights) == len(content.lots) else "not known"
    whole = all(map(_is_whole, content.lots))
    units = f"{sum(lot.units for lot in content.lots):,}" if whole else ""
    sheets.total(["", "On this truck", "", f"{pallets:,}", units, known, ""])
    sheets.end_table(2)
    sheets.text(
        "Weights are those of the catalogue; of a part of a lot, its pallets' share. "
        "Classes are NMFC freight classes.",
        SMALL,
    )


def _is_whole(lot: LoadedLot) -> bool:
    return len(lot.pallets) == lot.of_pallets


def _pallets(lot: LoadedLot) -> str:
    count = f"{len(lot.pallets):,}"
    return count if _is_whole(lot) else f"{count} of {lot.of_pallets:,}"


def _signatures(sheets: Sheets, content: LoadingContent) -> None:
    sheets.section("Handed over in apparent good order, save as noted", 2.2 * INCH)
    width = (sheets.inner - 24) / 2
    boxes = [
        ("Driver, for the carrier and the consignee", content.signed, content.driver),
        ("For the shipper", None, content.released_by),
    ]
    top = sheets.y - 4
    canvas = sheets.canvas
    for place, (title, signed, name) in enumerate(boxes):
        x = MARGIN + place * (width + 24)
        LABEL.fitting(title, width).draw(canvas, x, top - 8)
        low = top - 14 - _SIGNATURE_HEIGHT
        canvas.setStrokeColor(RULE)
        canvas.setLineWidth(0.75)
        canvas.rect(x, low, width, _SIGNATURE_HEIGHT, stroke=1, fill=0)
        if signed is not None:
            _signature(canvas, signed, x + 6, low + 4, width - 12, _SIGNATURE_HEIGHT - 8)
        said = signed.name if signed is not None else name
        BODY.fitting(said or "Name in letters", width * 0.47).draw(canvas, x, low - 12)
        if signed is not None:
            at = SMALL.fitting(clock(signed.at_us, content.zone), width * 0.5)
            at.draw(canvas, x + width, low - 12, to="right")
        else:
            SMALL.set("Date, time").draw(canvas, x + width, low - 12, to="right")
    sheets.y = top - 14 - _SIGNATURE_HEIGHT - 26


def _signature(
    canvas: Canvas, signed: Signed, x: float, y: float, width: float, height: float
) -> None:
    """The line that was drawn; of a typed one, the name."""
    if not signed.path:
        Style(18).fitting(f"/s/ {signed.name}", width).draw(canvas, x + 4, y + height / 2 - 6)
        return
    scale = min(width / _BOX_WIDTH, height / _BOX_HEIGHT)
    canvas.saveState()
    canvas.translate(x, y + _BOX_HEIGHT * scale)
    canvas.scale(scale, -scale)
    canvas.setStrokeColor(INK)
    canvas.setLineWidth(3)
    canvas.setLineCap(1)
    canvas.setLineJoin(1)
    path, at = canvas.beginPath(), (0.0, 0.0)
    for letter, numbers in _PART.findall(signed.path):
        found = [float(number) for number in _NUMBER.findall(numbers)]
        at = _along(path, letter, found, at)
    canvas.drawPath(path, stroke=1, fill=0)
    canvas.restoreState()


def _along(
    path: Any, letter: str, found: Sequence[float], at: tuple[float, float]
) -> tuple[float, float]:
    """A part of the line, drawn on a path; where it ends."""
    if letter == "M":
        path.moveTo(*found[:2])
    elif letter == "L":
        path.lineTo(*found[:2])
    elif letter == "C":
        path.curveTo(*found[:6])
    else:  # a quadratic curve as a cubic one
        (x0, y0), (x1, y1, x2, y2) = at, found[:4]
        first = (x0 + 2 / 3 * (x1 - x0), y0 + 2 / 3 * (y1 - y0))
        second = (x2 + 2 / 3 * (x1 - x2), y2 + 2 / 3 * (y1 - y2))
        path.curveTo(*first, *second, x2, y2)
    return found[-2], found[-1]


def labels_pdf(content: LabelsContent) -> bytes:
    """A label of 4 x 6 inches for each pallet. The same facts are the same bytes."""
    made = BytesIO()
    canvas = Canvas(made, pagesize=(LABEL_WIDTH, LABEL_HEIGHT), invariant=1, pageCompression=1)
    at = pdf_date(content.made_at_us)
    canvas.setTitle(f"Pallet labels: {content.sale}, lot {content.lot}")
    canvas.setAuthor(content.house.name)
    canvas.setDateFormatter(lambda *_: at)
    for label in content.labels:
        _label(canvas, content, label)
        canvas.showPage()
    canvas.save()
    return made.getvalue()


def _label(canvas: Canvas, content: LabelsContent, label: Label) -> None:
    inner = LABEL_WIDTH - 2 * _EDGE
    y = LABEL_HEIGHT - _EDGE - _HOUSE.size
    _HOUSE.fitting(content.seller, inner).draw(canvas, _EDGE, y)
    y -= SMALL.leading + 1
    SMALL.fitting(f"{content.sale} \u00b7 {content.place}", inner).draw(canvas, _EDGE, y)
    y -= 6
    canvas.setStrokeColor(INK)
    canvas.setLineWidth(2)
    canvas.line(_EDGE, y, LABEL_WIDTH - _EDGE, y)
    y = _lot_and_count(canvas, content, label, y)
    for line in _TITLE.first_lines(content.title, inner, 3 - bool(label.sscc)):
        y -= _TITLE.leading
        line.draw(canvas, _EDGE, y)
    y -= 6
    column = inner / 3
    for place, fact in enumerate(content.facts[:3]):
        x = _EDGE + place * column
        LABEL.fitting(fact.title, column - 6).draw(canvas, x, y - LABEL.size)
        for row, line in enumerate(_FACT.first_lines(fact.text, column - 6, 2)):
            line.draw(canvas, x, y - LABEL.size - 12 - row * _FACT.leading)
    _bars(canvas, label, inner)


def _lot_and_count(canvas: Canvas, content: LabelsContent, label: Label, y: float) -> float:
    inner = LABEL_WIDTH - 2 * _EDGE
    _LOT_WORD.set("LOT").draw(canvas, _EDGE, y - 14)
    count = f"{label.number} of {label.of}"
    wide = inner * 0.62
    whole = Style(_LARGEST, bold=True).set(content.lot).width
    size = min(_LARGEST, _LARGEST * wide / whole)
    Style(size, bold=True).set(content.lot).draw(canvas, _EDGE, y - 16 - 0.78 * _LARGEST)
    _LOT_WORD.set("PALLET").draw(canvas, LABEL_WIDTH - _EDGE, y - 14, to="right")
    _COUNT.fitting(count, inner * 0.36).draw(canvas, LABEL_WIDTH - _EDGE, y - 38, to="right")
    return y - 22 - 0.78 * _LARGEST


def _bars(canvas: Canvas, label: Label, inner: float) -> None:
    """The codes below; with an SSCC two, of which that of GS1 is the lowest, as GS1 asks."""
    wide, x = LABEL_WIDTH - 8, 4.0
    if not label.sscc:
        draw_code128(canvas, label.pallet_id, x, 8, wide, 1.9 * INCH, _UNDER)
        return
    draw_sscc(canvas, label.sscc, x, 8, wide, 1.25 * INCH, _UNDER)
    y = 8 + 1.25 * INCH + _UNDER.leading + 8
    canvas.setStrokeColor(RULE)
    canvas.setLineWidth(0.75)
    canvas.line(_EDGE, y, _EDGE + inner, y)
    draw_code128(canvas, label.pallet_id, x, y + 6, wide, 0.85 * INCH, _UNDER)
