"""Text of cells made fit to be kept: one line, no control characters, nothing that turns it round.

Invisible and direction-changing characters let a text look like another one; they are taken out
and the line is named. Spreadsheets' wrappings of text (``="0123"``, a leading apostrophe) go too.
"""

import re
import unicodedata
from typing import Final

from auction.catalog.importing.bounds import MAX_CELL_CHARACTERS
from auction.catalog.importing.sheets import Cell, as_text

_WRAPPED: Final = re.compile(r'\A\s*=\s*"([^"]*)"\s*\Z')
_SPACES: Final = re.compile(r"\s+")
# Bidirectional controls, zero-width characters, the byte order mark, tags, halves of surrogates.
_INVISIBLE: Final = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff]"
)
_CONTROL: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_FORMULA: Final = re.compile(r"\A\s*(=\s*[\w'\"(+\-@]|@\w+\s*\(|[+\-]\s*[A-Za-z]+[|(!])")

_NOTHING: Final = (
    "n/a, na, #n/a, n.a., n.a, none, null, nil, unknown, unbekannt, -, --, ---, ., ?, tbd, nan, "
    "#value!, #ref!, #name?, #div/0!, #null!, #num!, (blank), blank, inconnu, desconocido, k.a., "
    "n/v, nv, not available, does not apply, not applicable, no upc, no barcode, nicht verfügbar"
)
NOTHING: Final = frozenset(_NOTHING.split(", "))


def text_in(cell: Cell) -> str:
    """The text of a cell as it stands, unwrapped, on one line."""
    if not isinstance(cell, str):
        return as_text(cell)
    # Nearly every cell is fit as it is; there are a million of them.
    fit = cell.isprintable() and cell[:1] not in "='" and "  " not in cell and cell[-1] != " "
    return cell if fit and cell[0] != " " else _unwrapped(cell)


def _unwrapped(text: str) -> str:
    text = text[: MAX_CELL_CHARACTERS * 2]
    wrapped = _WRAPPED.match(text)
    if wrapped is not None:
        text = wrapped[1]
    elif text[:1] == "'" and len(text) > 1 and "'" not in text[1:]:
        text = text[1:]
    return _SPACES.sub(" ", text).strip()


def is_nothing(text: str) -> bool:
    """Whether the text is a way to say that nothing is known."""
    return not text or text.casefold() in NOTHING


def cleaned(text: str) -> tuple[str, bool]:
    """The text without what cannot be seen, and whether anything was taken out."""
    if text.isascii() and text.isprintable():
        return text, False
    kept = _INVISIBLE.sub("", _CONTROL.sub(" ", text))
    return _SPACES.sub(" ", unicodedata.normalize("NFC", kept)).strip(), len(kept) != len(
        text
    ) or bool(_CONTROL.search(text))


def ascii_digits(text: str) -> str:
    """Digits of every script, and full-width forms, as ASCII."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))
    return "".join(
        str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in text
    )


def looks_like_formula(text: str) -> bool:
    """Whether a spreadsheet could take this text for a formula."""
    return text.startswith(("=", "@", "+", "-")) and bool(_FORMULA.match(text))
