"""What goes on paper, in words: made by ``reading``, set by the child process.

Buyers read a catalogue, and everybody on a dock reads tags. So there is no field for a reserve, a
consignor or the seller's own papers: what has no place here cannot be printed.
"""

from collections.abc import Sequence

from msgspec import Struct

from foundation.papers.sizes import Paper


class Fact(Struct, frozen=True, array_like=True):
    """Something that is so: what it is about, and what is said."""

    title: str
    text: str


class CatalogueHead(Struct, frozen=True, kw_only=True, tag=True):
    """The cover of a catalogue. ``note``: what the reader has to know first, such as that it is a
    draft."""

    paper: Paper
    title: str
    seller: str
    place: str
    note: str
    summary: str
    facts: Sequence[Fact]
    terms: Sequence[Fact]


class CatalogueLot(Struct, frozen=True, kw_only=True, tag=True):
    """A lot in a catalogue. ``facts`` are short, ``notes`` may be long; ``photo`` is a JPEG."""

    number: str
    title: str
    facts: Sequence[Fact]
    description: str
    notes: Sequence[Fact]
    photo: bytes | None


class TagsHead(Struct, frozen=True, kw_only=True, tag=True):
    """The tags of a sale."""

    title: str
    seller: str


class LotTags(Struct, frozen=True, kw_only=True, tag=True):
    """The tags of a lot: one for each of ``pallets``, none of them numbered if it is 0.

    ``address`` is in the QR code, ``code`` in the Code 128.
    """

    number: str
    title: str
    pallets: int
    facts: Sequence[Fact]
    address: str
    code: str


Sheet = CatalogueHead | CatalogueLot | TagsHead | LotTags
