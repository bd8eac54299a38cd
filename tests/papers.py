"""PDFs as a reader that is not ours takes them apart: their pages, and the texts drawn on them.

Only what our papers use: streams in zlib or as they are, strings in WinAnsi (cp1252). A text in
DejaVu Sans has bytes of its subset instead, and is not found here.
"""

import re
import zlib
from typing import Any, Final

from auction.desk.papers.contents import CatalogueHead, CatalogueLot, Fact, LotTags
from foundation.papers.sizes import Paper

_STREAM: Final = re.compile(rb"stream\r?\n(.*?)\r?\n?endstream", re.DOTALL)
_SHOWN: Final = re.compile(rb"\(((?:[^()\\]|\\.)*)\) Tj", re.DOTALL)
_ESCAPE: Final = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)


def page_count(pdf: bytes) -> int:
    """How many pages a document has."""
    return len(re.findall(rb"/Type /Page\b(?!s)", pdf))


def drawn(pdf: bytes) -> list[str]:
    """The texts that are drawn, in their order: a line of a page each."""
    return [
        _ESCAPE.sub(_plain, text).decode("cp1252")
        for stream in _STREAM.findall(pdf)
        for text in _SHOWN.findall(_inflated(stream))
    ]


def streams(pdf: bytes) -> list[bytes]:
    """What the streams of a document hold, in their order."""
    return [_inflated(stream) for stream in _STREAM.findall(pdf)]


def everything(pdf: bytes) -> bytes:
    """All bytes of a document, with what its streams hold."""
    return b"\n".join([pdf, *map(_inflated, _STREAM.findall(pdf)), "\n".join(drawn(pdf)).encode()])


def a_head(**changes: Any) -> CatalogueHead:
    """A cover."""
    settings: dict[str, Any] = {
        "paper": Paper.LETTER,
        "title": "Returns of March",
        "seller": "Harbor Returns",
        "place": "Joliet, IL, US",
        "note": "",
        "summary": "",
        "facts": [Fact("Opens", "Sun 1 Nov 2026, 16:00 CST")],
        "terms": [Fact("Pickup", "By appointment.")],
    }
    return CatalogueHead(**(settings | changes))


def a_paper_lot(**changes: Any) -> CatalogueLot:
    """A lot that takes a part of a page."""
    settings: dict[str, Any] = {
        "number": "12A",
        "title": "Kitchen appliances",
        "facts": [Fact("Opening bid", "$100")],
        "description": "Toasters that customers sent back.",
        "notes": [Fact("Restrictions", "Not to be sold abroad")],
        "photo": None,
    }
    return CatalogueLot(**(settings | changes))


def some_tags(**changes: Any) -> LotTags:
    """The tags of a lot of two pallets."""
    settings: dict[str, Any] = {
        "number": "12A",
        "title": "Kitchen appliances",
        "pallets": 2,
        "facts": [Fact("Weight", "573 lb (260 kg)")],
        "address": "https://auctions.example.com/sales/S-1/lots/12A",
        "code": "S-1/12A",
    }
    return LotTags(**(settings | changes))


def _inflated(stream: bytes) -> bytes:
    try:
        # Of the checksum behind it, a byte may look like the line's end before "endstream".
        return zlib.decompressobj().decompress(stream)
    except zlib.error:  # a photo, which is as it is
        return stream


def _plain(found: re.Match[bytes]) -> bytes:
    said = found[1]
    return bytes([int(said, 8)]) if len(said) == 3 else said
