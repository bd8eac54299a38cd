"""What a live page brings along for its scripts, as JSON inside of the page.

The first frames are the very ones that the server would send over the WebSocket, so that the
scripts begin with what the page shows, and the stream goes on from there without a gap. The rest
is what no frame has: titles, photos, what is watched.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from markupsafe import Markup
from msgspec import Struct

from auction.catalog.words import source_words
from auction.ids import LotId, SaleId
from bidder_gateway.encodings import AS_JSON
from bidder_gateway.listed import LotSummary, Photo
from bidder_gateway.protocol import ServerFrame


class Picture(Struct, frozen=True, kw_only=True):
    """A photo in the size of a tile."""

    src: str
    alt: str
    width: int
    height: int


class Card(Struct, frozen=True, kw_only=True):
    """What a tile shows besides the bidding. ``words``: what a search looks into."""

    title: str
    place: int
    category: str
    condition: str
    condition_words: str
    source: str
    units: int
    msrp_minor: int
    photo: Picture | None
    words: str


class Follow(Struct, frozen=True, kw_only=True):
    """A sale that the page follows; ``lots`` null: all of it."""

    sale_id: SaleId
    lots: Sequence[LotId] | None = None


class PageData(Struct, frozen=True, kw_only=True):
    """What every live page has. ``cards`` by lot; ``watched``: pairs of sale and lot.

    ``bidder_id`` keeps what a tab remembers of one reseller from another who signs in later.
    """

    signed_in: bool
    bidder_id: str | None
    may_bid: bool
    may_not_bid: str
    follow: Sequence[Follow]
    frames: Sequence[msgspec.Raw]
    cards: Mapping[SaleId, Mapping[LotId, Card]]
    watched: Sequence[tuple[SaleId, LotId]]


def raw(frame: ServerFrame) -> msgspec.Raw:
    """A frame as the server would send it."""
    return msgspec.Raw(AS_JSON.encode(frame))


def embedded(data: PageData) -> Markup:
    """The element that holds the data; nothing in it can end the element or begin another."""
    text = msgspec.json.encode(data).decode()
    plain = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    # The text has been made harmless above, and inside of a script nothing is unescaped.
    return Markup('<script type="application/json" id="page-data">{}</script>').format(
        Markup(plain)  # noqa: S704
    )


def card_of(lot: LotSummary) -> Card:
    """The card of a lot."""
    condition = lot.condition.on_pages
    said = (lot.title, lot.category, condition, lot.source, lot.city, lot.region, lot.kind)
    return Card(
        title=lot.title,
        place=lot.place,
        category=lot.category,
        condition=lot.condition,
        condition_words=condition,
        source=source_words(lot.source),
        units=lot.units,
        msrp_minor=lot.msrp_minor,
        photo=None if lot.photo is None else picture_of(lot.photo, "tile"),
        words=" ".join(said).lower(),
    )


def picture_of(photo: Photo, size: str) -> Picture:
    """A photo in one size; every browser that runs these pages shows WebP."""
    file = next(f for f in photo.files if f.size == size and f.media_type == "image/webp")
    return Picture(src=file.href, alt=photo.alt, width=file.width, height=file.height)


def plain(value: object) -> Any:
    """A struct as plain values, for templates."""
    return msgspec.to_builtins(value)
