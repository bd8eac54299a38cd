"""Text on a canvas: faces that can show it, and lines that fit a width.

Text is drawn as it is, never read as markup. Latin text is set in Helvetica, which every reader
has; other text in DejaVu Sans where that is installed, and letters that it has not (Chinese,
Japanese, Korean) in Droid Sans Fallback. What no face can show is drawn as a mark in its place, so
that who reads it sees that something is missing.
"""

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from reportlab import rl_config  # type: ignore[import-untyped]
from reportlab.lib.colors import HexColor  # type: ignore[import-untyped]
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]
from reportlab.pdfbase.ttfonts import TTFError, TTFont  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

# Photos as they are, not spelled out in letters, which is a quarter more.
rl_config.useA85 = 0

INK: Final = HexColor("#16202a")
GREY: Final = HexColor("#5b6670")
RULE: Final = HexColor("#c9d0d6")

INCH: Final = 72.0
ELLIPSIS: Final = "…"

_FOLDERS: Final = (
    "/usr/share/fonts/truetype/dejavu",
    "/usr/share/fonts/dejavu-sans-fonts",
    "/usr/share/fonts/dejavu",
    "/usr/share/fonts/TTF",
    "/usr/local/share/fonts/dejavu",
    "/Library/Fonts",
)
_OTHER_FOLDERS: Final = (
    "/usr/share/fonts/truetype/droid",
    "/usr/share/fonts-droid-fallback/truetype",
    "/usr/share/fonts/google-droid-sans-fonts",
    "/usr/share/fonts/droid",
    "/usr/local/share/fonts/droid",
)
_OTHER_FILES: Final = ("DroidSansFallbackFull.ttf", "DroidSansFallback.ttf")
_FILES: Final = {False: "DejaVuSans.ttf", True: "DejaVuSans-Bold.ttf"}
_LATIN: Final = {False: "Helvetica", True: "Helvetica-Bold"}
# Stands for a letter that DejaVu Sans has not. Helvetica's is the question mark.
_BOX: Final = "\u25a1"
# Stands for the face of a text that no single one can show.
_MIXED: Final = "mixed"


@cache
def _dejavu(bold: bool) -> tuple[str, frozenset[int]] | None:
    """The face's name and the letters that it has; ``None`` where it is not installed."""
    return _found(_FOLDERS, (_FILES[bold],))


@cache
def _other() -> tuple[str, frozenset[int]] | None:
    """The same of the face for letters that DejaVu Sans has not; it has one weight."""
    return _found(_OTHER_FOLDERS, _OTHER_FILES)


def _found(folders: Sequence[str], files: Sequence[str]) -> tuple[str, frozenset[int]] | None:
    for path in (Path(folder, name) for folder in folders for name in files):
        if path.is_file():
            try:
                font = TTFont(path.stem, str(path))
            except (TTFError, OSError):  # damaged: as if it were not there
                continue
            pdfmetrics.registerFont(font)
            return path.stem, frozenset(font.face.charToGlyph)
    return None


class Style:
    """A size and weight of text."""

    def __init__(
        self, size: float, *, bold: bool = False, colour: Any = INK, leading: float = 1.28
    ) -> None:
        self.size, self.bold, self.colour, self.leading = size, bold, colour, size * leading

    def set(self, text: str) -> "SetText":
        """The text in a face that can show it."""
        plain = "".join(letter if letter.isprintable() else " " for letter in text)
        try:
            plain.encode("cp1252")
        except UnicodeEncodeError:
            found = _dejavu(self.bold)
        else:
            return SetText(plain, _LATIN[self.bold], self)
        if found is None:
            shown = plain.encode("cp1252", "replace").decode("cp1252")
            return SetText(shown, _LATIN[self.bold], self)
        face, letters = found
        missing = {letter for letter in plain if ord(letter) not in letters}
        other = _other() if missing else None
        if other is not None and any(ord(letter) in other[1] for letter in missing):
            missing = {letter for letter in missing if ord(letter) not in other[1]}
            face = _MIXED
        shown = "".join(_BOX if letter in missing else letter for letter in plain)
        return SetText(shown, face, self)

    def lines(self, text: str, width: float) -> "Iterator[SetText]":
        """The text in lines that are no wider; a word that is, is broken. Its own breaks stay."""
        for paragraph in text.splitlines():
            whole = self.set(paragraph)
            for line in _wrapped(whole, width):
                yield SetText(line, whole.face, self)

    def first_lines(self, text: str, width: float, most: int) -> "list[SetText]":
        """As ``lines``, the last of so many ending in an ellipsis where more would follow."""
        shown: list[SetText] = []
        for line in self.lines(text, width):
            if len(shown) == most:
                shown[-1] = self.fitting(f"{shown[-1].text} {ELLIPSIS}", width)
                break
            shown.append(line)
        return shown

    def fitting(self, text: str, width: float) -> "SetText":
        """The text in one line, shortened to the width."""
        whole = self.set(text)
        kept = whole.text
        while kept and whole.width_of(kept) > width:
            kept = kept.rstrip(f" {ELLIPSIS}")[:-1].rstrip() + ELLIPSIS
            if kept == ELLIPSIS:
                break
        return SetText(kept, whole.face, self)


class SetText:
    """A line of text in a face that can show it."""

    def __init__(self, text: str, face: str, style: Style) -> None:
        self.text, self.face, self.style = text, face, style

    @property
    def width(self) -> float:
        """In points."""
        return self.width_of(self.text)

    def width_of(self, text: str) -> float:
        """Of a text in the same face."""
        return sum(_width(run, face, self.style.size) for face, run in self._runs(text))

    def draw(self, canvas: Canvas, x: float, y: float, *, to: str = "left") -> None:
        """On the canvas, the base line at ``y``; ``to``: left, centre or right of ``x``."""
        canvas.setFillColor(self.style.colour)
        shift = {"left": 0.0, "centre": 0.5, "right": 1.0}[to]
        at = x - shift * self.width if shift else x
        for face, run in self._runs(self.text):
            canvas.setFont(face, self.style.size)
            canvas.drawString(at, y, run)
            if self.face == _MIXED:
                at += _width(run, face, self.style.size)

    def _runs(self, text: str) -> Sequence[tuple[str, str]]:
        """The text in pieces of one face each."""
        if self.face != _MIXED:
            return ((self.face, text),)
        usual, other = _dejavu(self.style.bold), _other()
        assert usual is not None and other is not None, "they were there when it was set"
        faces = (usual[0] if ord(letter) in usual[1] else other[0] for letter in text)
        pieces = groupby(zip(faces, text, strict=True), key=itemgetter(0))
        return [(face, "".join(letter for _, letter in piece)) for face, piece in pieces]


@lru_cache(maxsize=50_000)
def _width(text: str, face: str, size: float) -> float:
    width: float = pdfmetrics.stringWidth(text, face, size)
    return width


def _wrapped(whole: SetText, width: float) -> Iterator[str]:
    line, used, space = "", 0.0, whole.width_of(" ")
    for word in whole.text.split():
        wide = whole.width_of(word)
        if line and used + space + wide <= width:
            line, used = f"{line} {word}", used + space + wide
            continue
        if line:
            yield line
        while wide > width and len(word) > 1:
            kept = _kept(whole, word, width)
            yield word[:kept]
            word = word[kept:]  # noqa: PLW2901 - what is left of it
            wide = whole.width_of(word)
        line, used = word, wide
    yield line


def _kept(whole: SetText, word: str, width: float) -> int:
    """How many letters of a long word fit; one at the least."""
    used = 0.0
    for place, letter in enumerate(word):
        used += whole.width_of(letter)
        if used > width and place:
            return place
    return len(word)
