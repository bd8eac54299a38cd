"""Pages that are filled from the top: a masthead, facts, tables with totals, a foot on each.

A table's titles stand again on each page that it goes on to, and a row stands on one page unless
it is longer than one. How many pages there are is known at the end: each page has the same small
form in that place.
"""

from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from typing import Final

from msgspec import Struct
from reportlab.lib.colors import HexColor  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from foundation.papers.sizes import Paper
from foundation.papers.typesetting import INCH, INK, RULE, SetText, Style
from settlement.papers.letterhead import Fact, House, Party
from settlement.papers.styles import (
    BODY,
    CELL,
    CELL_NOTE,
    CELL_STRONG,
    COLUMN,
    LABEL,
    LARGE,
    NUMBER,
    SECTION,
    SMALL,
    STRONG,
    TITLE,
    VALUE,
    house_lines,
    party_lines,
    value_lines,
)
from settlement.papers.words import pdf_date

MARGIN: Final = 0.7 * INCH
_FOOT: Final = 0.45 * INCH
_TOTAL: Final = "pages"
_MARK: Final = HexColor("#3244c0")
_PALE: Final = HexColor("#f1f3f6")

# Lines of one cell: a description of 300 characters in a narrow column, with what stands below it.
MAX_CELL_LINES: Final = 40


class Column(Struct, frozen=True):
    """A column of a table. ``share``: of the width, beside the others' shares."""

    title: str
    share: float
    right: bool = False


class Cell(Struct, frozen=True):
    """What stands in a place of a table: a text, and a smaller one below it."""

    text: str
    note: str = ""
    style: Style = CELL


class Sheets:
    """A document that is filled from the top. ``made_at_us``: the time that it bears."""

    def __init__(
        self,
        *,
        house: House,
        paper: Paper,
        title: str,
        number: str,
        made_at_us: int,
        running: str = "",
        wide: bool = False,
    ) -> None:
        width, height = paper.points
        self.width, self.height = (height, width) if wide else (width, height)
        self._made = BytesIO()
        self.canvas = Canvas(
            self._made, pagesize=(self.width, self.height), invariant=1, pageCompression=1
        )
        self._house, self._title, self._number = house, title, number
        self._running = running
        self._page = 1
        self.inner = self.width - 2 * MARGIN
        self._bottom = MARGIN + 0.12 * INCH
        self.y = self.height - MARGIN
        self._table: Sequence[Column] = ()
        self._describe(made_at_us)
        self._masthead()

    def _describe(self, made_at_us: int) -> None:
        canvas, made = self.canvas, pdf_date(made_at_us)
        canvas.setTitle(f"{self._title} {self._number}".strip())
        canvas.setAuthor(self._house.name)
        canvas.setCreator("Softclose")
        canvas.setSubject(self._running)
        canvas.setDateFormatter(lambda *_: made)

    def _masthead(self) -> None:
        """The house at the left, what this is at the right."""
        canvas, top = self.canvas, self.y
        mark = 24.0
        _mark(canvas, MARGIN, top - mark, mark)
        y = top - 17
        for name in house_lines(self._house.name, self.inner * 0.5 - mark - 8):
            name.draw(canvas, MARGIN + mark + 8, y)
            y -= name.style.leading
        y = min(y + 12, top - mark) - 6
        for line in (*self._house.lines, self._house.contact):
            if line:
                y -= SMALL.leading
                SMALL.fitting(line, self.inner * 0.5).draw(canvas, MARGIN, y)
        right, low = MARGIN + self.inner, top
        for title in TITLE.first_lines(self._title, self.inner * 0.48, 3):
            low -= TITLE.leading
            title.draw(canvas, right, low + 3, to="right")
        if self._number:
            low -= NUMBER.leading
            NUMBER.fitting(self._number, self.inner * 0.48).draw(canvas, right, low, to="right")
        self.y = min(y, low) - 10
        self.rule(heavy=True)

    # What is written.

    def parties(self, parties: Sequence[tuple[str, Party]]) -> None:
        """Who is concerned, side by side."""
        column = self.inner / max(1, len(parties))
        cells = [list(party_lines(title, party, column - 14)) for title, party in parties]
        high = max((sum(line.style.leading for line in lines) for lines in cells), default=0)
        self.room(high)
        for place, lines in enumerate(cells):
            y = self.y
            for line in lines:
                y -= line.style.leading
                line.draw(self.canvas, MARGIN + place * column, y)
        self.y -= high + 12

    def facts(self, facts: Sequence[Fact], columns: int = 4) -> None:
        """Short facts in columns, each below its title."""
        column = self.inner / columns
        for start in range(0, len(facts), columns):
            shown = facts[start : start + columns]
            cells = [value_lines(fact.text, column - 10) for fact in shown]
            high = LABEL.leading + max(map(len, cells), default=0) * VALUE.leading
            self.room(high)
            for place, (fact, lines) in enumerate(zip(shown, cells, strict=True)):
                x, y = MARGIN + place * column, self.y - LABEL.size
                LABEL.fitting(fact.title, column - 12).draw(self.canvas, x, y)
                y -= 2
                for line in lines:
                    y -= VALUE.leading
                    line.draw(self.canvas, x, y)
            self.y -= high + 8
        self.y -= 2

    def section(self, text: str, needs: float = 60) -> None:
        """A heading, with at least so much of what follows on its page."""
        self._table = ()
        self.y -= 6
        self.room(SECTION.leading + needs)
        self.y -= SECTION.leading
        SECTION.fitting(text, self.inner).draw(self.canvas, MARGIN, self.y + 2)
        self.y -= 5

    def text(self, text: str, style: Style = BODY, *, after: float = 6) -> None:
        """A text in as many lines as it takes."""
        self._table = ()
        for line in style.lines(text, self.inner):
            self.room(style.leading)
            self.y -= style.leading
            line.draw(self.canvas, MARGIN, self.y + style.leading - style.size)
        self.y -= after

    def listed(self, facts: Iterable[Fact], beside: float = 130) -> None:
        """Long facts: their titles at the left, their texts beside them."""
        self._table = ()
        for fact in facts:
            titles = list(CELL_NOTE.first_lines(fact.title, beside - 10, MAX_CELL_LINES))
            texts = list(BODY.lines(fact.text, self.inner - beside)) or [BODY.set("")]
            self.room(BODY.leading * min(3, max(len(texts), len(titles))))
            for place in range(max(len(titles), len(texts))):
                self.room(BODY.leading)
                self.y -= BODY.leading
                at = self.y + BODY.leading - BODY.size
                if place < len(titles):
                    titles[place].draw(self.canvas, MARGIN, at)
                if place < len(texts):
                    texts[place].draw(self.canvas, MARGIN + beside, at)
            self.y -= 3
        self.y -= 4

    def table(self, columns: Sequence[Column]) -> None:
        """Begin a table; its titles stand again on every page that it goes on to."""
        self.room(60)
        self._table = columns
        self._titles()

    def row(self, cells: Sequence[Cell | str], *, strong: bool = False) -> None:
        """A row of the table."""
        lines = [list(self._cell(*pair, strong=strong)) for pair in self._placed(cells)]
        high = max(sum(line.style.leading for line in each) for each in lines) + 5
        whole = self.height - 2 * MARGIN - 80
        self.room(min(high, whole))
        if high > whole:
            self._long_row(lines)
            return
        for place, each in enumerate(lines):
            y = self.y - 2.5
            for line in each:
                y -= line.style.leading
                self._draw_in(place, line, y + line.style.leading - line.style.size)
        self.y -= high
        self._hair()

    def total(self, cells: Sequence[Cell | str]) -> None:
        """A row that sums up those above it."""
        lines = [list(self._cell(*pair, strong=True)) for pair in self._placed(cells)]
        high = max(sum(line.style.leading for line in each) for each in lines) + 7
        self.room(high)
        self.canvas.setFillColor(_PALE)
        self.canvas.rect(MARGIN, self.y - high, self.inner, high, stroke=0, fill=1)
        self._line(INK, 0.9)
        for place, each in enumerate(lines):
            y = self.y - 3.5
            for line in each:
                y -= line.style.leading
                self._draw_in(place, line, y + line.style.leading - line.style.size)
        self.y -= high + 2

    def end_table(self, after: float = 10) -> None:
        """What follows is beside no table."""
        self._table = ()
        self.y -= after

    def sums(self, rows: Sequence[tuple[str, str, bool]], width: float = 250) -> None:
        """Figures that come to something, at the right: title, figure, whether it is the sum."""
        self._table = ()
        self.room(sum(25 if strong else 15 for *_, strong in rows) + 4)
        right = MARGIN + self.inner
        for title, shown, strong in rows:
            if strong:
                self.y -= 3
                self.canvas.setStrokeColor(INK)
                self.canvas.setLineWidth(0.9)
                self.canvas.line(right - width, self.y, right, self.y)
                self.y -= 3
            style = LARGE if strong else BODY
            self.y -= 16 if strong else 14
            (STRONG if strong else BODY).fitting(title, width * 0.6).draw(
                self.canvas, right - width, self.y + 2
            )
            style.set(shown).draw(self.canvas, right, self.y + 2, to="right")
            self.y -= 3 if strong else 0
        self.y -= 10

    def rule(self, *, heavy: bool = False) -> None:
        """A line across the page."""
        self._line(INK if heavy else RULE, 1.6 if heavy else 0.75)
        self.y -= 12

    def room(self, height: float) -> None:
        """Go on to the next page where there is less than this."""
        if self.y - height < self._bottom:
            self.turn()

    def turn(self) -> None:
        """The next page, and on it what this is and the table's titles."""
        self._foot()
        self.canvas.showPage()
        self._page += 1
        self.y = self.height - MARGIN + 6
        said = " \u00b7 ".join(filter(None, (f"{self._title} {self._number}", self._running)))
        SMALL.fitting(said, self.inner * 0.74).draw(self.canvas, MARGIN, self.y)
        SMALL.fitting(self._house.name, self.inner * 0.25).draw(
            self.canvas, MARGIN + self.inner, self.y, to="right"
        )
        self.y -= 7
        self._line(RULE, 0.75)
        self.y -= 10
        if self._table:
            self._titles()

    def end(self) -> bytes:
        """The document: the last page, and on each of them how many there are."""
        self._foot()
        self.canvas.showPage()
        self.canvas.beginForm(_TOTAL)
        SMALL.set(str(self._page)).draw(self.canvas, 0, 0)
        self.canvas.endForm()
        self.canvas.save()
        return self._made.getvalue()

    # How.

    def _foot(self) -> None:
        canvas, right = self.canvas, MARGIN + self.inner
        SMALL.fitting(self._house.foot, self.inner - 1.6 * INCH).draw(canvas, MARGIN, _FOOT)
        place = right - SMALL.set("00").width
        SMALL.set(f"Page {self._page} of ").draw(canvas, place, _FOOT, to="right")
        canvas.saveState()
        canvas.translate(place, _FOOT)
        canvas.doForm(_TOTAL)
        canvas.restoreState()

    def _titles(self) -> None:
        titles = [
            list(COLUMN.first_lines(column.title, self._width(place) - 4, 3))
            for place, column in enumerate(self._table)
        ]
        high = max(map(len, titles)) * COLUMN.leading
        for place, lines in enumerate(titles):
            y = self.y - (high - len(lines) * COLUMN.leading)
            for line in lines:
                y -= COLUMN.leading
                self._draw_in(place, line, y + 2)
        self.y -= high + 2
        self._line(INK, 0.9)
        self.y -= 1

    def _placed(self, cells: Sequence[Cell | str]) -> Iterator[tuple[int, Cell]]:
        assert len(cells) == len(self._table), "a cell for each column"
        for place, cell in enumerate(cells):
            yield place, Cell(cell) if isinstance(cell, str) else cell

    def _cell(self, place: int, cell: Cell, *, strong: bool) -> Iterator[SetText]:
        width = self._width(place) - 6
        style = CELL_STRONG if strong else cell.style
        right = self._table[place].right
        if right and style.set(cell.text).width > width:
            # A figure is never broken: it is set smaller.
            wide = style.set(cell.text).width
            style = Style(style.size * width / wide, bold=style.bold, leading=style.leading / 8.5)
        yield from style.first_lines(cell.text, width + 1, MAX_CELL_LINES)
        if cell.note:
            yield from CELL_NOTE.first_lines(cell.note, width, MAX_CELL_LINES)

    def _long_row(self, lines: Sequence[Sequence[SetText]]) -> None:
        """A row that is longer than a page, line by line."""
        for step in range(max(map(len, lines))):
            now = [each[step] if step < len(each) else None for each in lines]
            high = max(line.style.leading for line in now if line is not None)
            self.room(high)
            self.y -= high
            for place, line in enumerate(now):
                if line is not None:
                    self._draw_in(place, line, self.y + high - line.style.size)
        self.y -= 5
        self._hair()

    def _draw_in(self, place: int, line: SetText, y: float) -> None:
        x = MARGIN + sum(self._width(before) for before in range(place))
        if self._table[place].right:
            line.draw(self.canvas, x + self._width(place) - 2, y, to="right")
        else:
            line.draw(self.canvas, x + 2, y)

    def _width(self, place: int) -> float:
        shares = sum(column.share for column in self._table)
        return self.inner * self._table[place].share / shares

    def _hair(self) -> None:
        self._line(RULE, 0.4)

    def _line(self, colour: object, width: float) -> None:
        self.canvas.setStrokeColor(colour)
        self.canvas.setLineWidth(width)
        self.canvas.line(MARGIN, self.y, MARGIN + self.inner, self.y)


def _mark(canvas: Canvas, x: float, y: float, size: float) -> None:
    """The mark of the pages (foundation/static/mark.svg), in a square of this size."""
    unit = size / 32
    canvas.saveState()
    canvas.translate(x, y + size)
    canvas.scale(unit, -unit)
    canvas.setFillColor(_MARK)
    canvas.roundRect(0, 0, 32, 32, 8, stroke=0, fill=1)
    canvas.setStrokeColorRGB(1, 1, 1)
    canvas.setLineWidth(3)
    canvas.setLineCap(1)
    path = canvas.beginPath()
    path.moveTo(6.5, 9)
    path.curveTo(14, 9, 14.5, 22.5, 24.5, 22.5)
    canvas.drawPath(path, stroke=1, fill=0)
    canvas.setFillColorRGB(1, 1, 1)
    canvas.circle(24.5, 22.5, 3, stroke=0, fill=1)
    canvas.restoreState()
