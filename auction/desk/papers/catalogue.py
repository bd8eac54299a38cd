"""The catalogue of a sale as a PDF: a cover with the terms, then its lots, page after page.

Lots are set as they come and none is kept: what grows with their number is the document alone. A
lot stands on one page where it can; a long one goes on, with its number above.
"""

from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from typing import Final

from PIL import Image
from reportlab.lib.utils import ImageReader  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from auction.desk.papers.contents import CatalogueHead, CatalogueLot, Fact
from foundation.papers.typesetting import GREY, INCH, INK, RULE, SetText, Style

_MARGIN: Final = 0.75 * INCH
_FOOT: Final = 0.5 * INCH
_HEAD: Final = 0.6 * INCH

_COVER_TITLE: Final = Style(30, bold=True, leading=1.15)
_COVER_SELLER: Final = Style(14)
_COVER_NOTE: Final = Style(11, bold=True)
_SECTION: Final = Style(14, bold=True)
_LABEL: Final = Style(7.5, colour=GREY)
_VALUE: Final = Style(9.5, bold=True)
_BODY: Final = Style(9)
_CLAUSE: Final = Style(9, bold=True)
_NUMBER: Final = Style(20, bold=True, leading=1.0)
_TITLE: Final = Style(12, bold=True, leading=1.2)
_SMALL: Final = Style(8, colour=GREY)

# The number of a lot stands left of all that is said of it.
_NUMBER_WIDTH: Final = 0.95 * INCH
_PHOTO: Final = 1.55 * INCH
_GAP: Final = 12.0
_COLUMNS: Final = 3
# What a lot keeps together at the least: its title and what is counted.
_TOGETHER: Final = 14
_TOTAL: Final = "pages"


class Row:
    """A line of a page: texts at their distances from the left, and how much lower the next is."""

    def __init__(self, height: float, *texts: tuple[float, SetText]) -> None:
        self.height, self.texts = height, texts


def catalogue_pdf(head: CatalogueHead, lots: Iterable[CatalogueLot]) -> bytes:
    """The document. The same words are the same bytes."""
    made = BytesIO()
    canvas = Canvas(made, pagesize=head.paper.points, invariant=1, pageCompression=1)
    canvas.setTitle(head.title)
    canvas.setAuthor(head.seller)
    pages = _Pages(canvas, head)
    pages.cover(head)
    for lot in lots:
        pages.lot(lot)
    pages.end()
    return made.getvalue()


class _Pages:
    """A document that is filled from the top."""

    def __init__(self, canvas: Canvas, head: CatalogueHead) -> None:
        self._canvas, self._number = canvas, 1
        self._width, self._height = head.paper.points
        self._inner = self._width - 2 * _MARGIN
        self._top, self._bottom = self._height - _MARGIN, _MARGIN + 0.15 * INCH
        self._y = self._top
        self._running = f"{head.title} \u00b7 {head.seller}" if head.seller else head.title
        self._lots = False

    def cover(self, head: CatalogueHead) -> None:
        """Title, times and terms, on as many pages as they take."""
        canvas = self._canvas
        canvas.setFillColor(INK)
        canvas.rect(_MARGIN, self._top - 4, self._inner, 4, stroke=0, fill=1)
        self._y -= 0.55 * INCH
        self._write(_rows(_SMALL, "AUCTION CATALOGUE", self._inner), after=8)
        self._write(_rows(_COVER_TITLE, head.title, self._inner), after=8)
        said = " \u00b7 ".join(filter(None, (head.seller, head.place)))
        self._write(_rows(_COVER_SELLER, said, self._inner), after=8)
        if head.note:
            self._write(_rows(_COVER_NOTE, head.note, self._inner), after=4)
        self._y -= 6
        self._rule()
        self._write(_grid(head.facts, 0, self._inner), after=6)
        self._rule()
        if head.summary:
            self._write(_rows(_BODY, head.summary, self._inner), after=10)
        if head.terms:
            self._room(80)
            self._write(_rows(_SECTION, "Terms of this sale", self._inner), after=6)
        for clause in head.terms:
            rows = _rows(_CLAUSE, clause.title, self._inner)
            self._keep([*rows, *_rows(_BODY, clause.text, self._inner)], after=7)

    def lot(self, lot: CatalogueLot) -> None:
        """The next lot: its photo at the right, below a rule."""
        if not self._lots:
            self._turn()
        self._lots = True
        photo = _photo(lot.photo)
        rows = list(_of_lot(lot, self._inner, with_photo=photo is not None))
        high = 0.0
        if photo is not None:
            wide, pixels = photo.getSize()
            scale = _PHOTO / max(wide, pixels)
            wide, high = wide * scale, pixels * scale
        whole = sum(row.height for row in rows)
        if max(whole, high) > (self._top - self._bottom) / 2:
            whole = sum(row.height for row in rows[:_TOGETHER])
        self._room(max(whole, high) + _GAP)
        if self._y < self._top:
            self._y -= _GAP / 2
            self._rule()
        top, page = self._y, self._number
        if photo is not None:
            left = _MARGIN + self._inner - wide
            self._canvas.drawImage(photo, left, top - high, wide, high)
        self._write(rows, above=f"Lot {lot.number}, continued")
        if self._number == page:
            self._y = min(self._y, top - high)
        self._y -= 4

    def end(self) -> None:
        """The last page, and on each of them how many there are."""
        self._foot()
        self._canvas.showPage()
        self._canvas.beginForm(_TOTAL)
        _SMALL.set(str(self._number)).draw(self._canvas, 0, 0)
        self._canvas.endForm()
        self._canvas.save()

    def _keep(self, rows: Sequence[Row], after: float = 0) -> None:
        """Write the rows, the first of them on one page."""
        self._room(sum(row.height for row in rows[:4]))
        self._write(rows, after)

    def _write(self, rows: Iterable[Row], after: float = 0, above: str = "") -> None:
        for row in rows:
            if self._y - row.height < self._bottom:
                self._turn()
                if above:
                    self._y -= _SMALL.leading
                    _SMALL.set(above).draw(self._canvas, _MARGIN, self._y)
                    self._y -= 6
            self._y -= row.height
            for distance, text in row.texts:
                # From above, so that texts of a size stand on one line.
                text.draw(self._canvas, _MARGIN + distance, self._y + row.height - text.style.size)
        self._y -= after

    def _room(self, height: float) -> None:
        if self._y - height < self._bottom and self._y < self._top:
            self._turn()

    def _rule(self) -> None:
        self._canvas.setStrokeColor(RULE)
        self._canvas.setLineWidth(0.75)
        self._canvas.line(_MARGIN, self._y, _MARGIN + self._inner, self._y)
        self._y -= _GAP

    def _turn(self) -> None:
        self._foot()
        self._canvas.showPage()
        self._number += 1
        self._y = self._top

    def _foot(self) -> None:
        canvas, right = self._canvas, _MARGIN + self._inner
        text = _SMALL.fitting(self._running, self._inner - 1.6 * INCH)
        text.draw(canvas, _MARGIN, _FOOT)
        # How many there are is known at the end: each page has the same small form in that place.
        place = right - _SMALL.set("0000").width
        _SMALL.set(f"Page {self._number} of ").draw(canvas, place, _FOOT, to="right")
        canvas.saveState()
        canvas.translate(place, _FOOT)
        canvas.doForm(_TOTAL)
        canvas.restoreState()


def _of_lot(lot: CatalogueLot, inner: float, *, with_photo: bool) -> Iterator[Row]:
    width = inner - _NUMBER_WIDTH - (_PHOTO + _GAP if with_photo else 0)
    number = _NUMBER
    if number.set(lot.number).width > _NUMBER_WIDTH - 8:
        number = Style(_NUMBER.size * (_NUMBER_WIDTH - 8) / number.set(lot.number).width, bold=True)
    beside = [(0.0, number.set(lot.number))]
    for line in _TITLE.lines(lot.title or "No title yet", width):
        yield Row(_TITLE.leading, *beside, (_NUMBER_WIDTH, line))
        beside = []
    yield Row(5)
    yield from _grid(lot.facts, _NUMBER_WIDTH, width)
    if lot.description:
        yield Row(2)
        yield from _rows(_BODY, lot.description, width, _NUMBER_WIDTH)
        yield Row(3)
    for note in lot.notes:
        yield from _noted(note, width)


def _noted(note: Fact, width: float) -> Iterator[Row]:
    """A long fact: its title at the left, its text beside it."""
    beside = 66.0
    title = _LABEL.fitting(note.title, beside - 6)
    for place, line in enumerate(_BODY.lines(note.text, width - beside)):
        titled = [(_NUMBER_WIDTH, title)] if place == 0 else []
        yield Row(_BODY.leading, *titled, (_NUMBER_WIDTH + beside, line))
    yield Row(1.5)


def _grid(facts: Sequence[Fact], left: float, width: float) -> Iterator[Row]:
    """Short facts in columns, each below its title."""
    column = width / _COLUMNS
    for start in range(0, len(facts), _COLUMNS):
        shown = facts[start : start + _COLUMNS]
        titles = [_LABEL.fitting(fact.title, column - 8) for fact in shown]
        values = [_VALUE.first_lines(fact.text, column - 8, 3) for fact in shown]
        distances = [left + place * column for place in range(len(shown))]
        yield Row(_LABEL.leading, *zip(distances, titles, strict=True))
        for place in range(max(map(len, values))):
            texts = zip(distances, values, strict=True)
            yield Row(_VALUE.leading, *((at, ls[place]) for at, ls in texts if place < len(ls)))
        yield Row(4)


def _rows(style: Style, text: str, width: float, left: float = 0.0) -> list[Row]:
    return [Row(style.leading, (left, line)) for line in style.lines(text, width)]


def _photo(data: bytes | None) -> ImageReader | None:
    """A picture that can be drawn; one that is damaged is left out, as if there were none."""
    if data is None:
        return None
    try:
        with Image.open(BytesIO(data), formats=("JPEG",)) as picture:
            picture.verify()
        return ImageReader(BytesIO(data))
    except Exception:  # noqa: BLE001 - whatever the bytes lead a decoder to; the paper shows it
        return None
