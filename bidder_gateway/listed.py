"""What everybody sees of sales and lots, in lists and on their pages: the shapes of answers.

The same for every viewer: what is a viewer's own comes from `my_bids`, `registrations` and
`watchlist`. Amounts are minor units of the sale's currency; times microseconds since the epoch,
UTC. Prices, ends and states are those of the board, which trails the log by moments.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct, structs

from auction.catalog.goods import Condition, FreightTerms
from auction.catalog.listings import LotEntry
from auction.catalog.photos import StoredPhoto
from auction.ids import LotId, Paddle, SaleId
from auction.pricing import ReserveStatus
from auction.sale import LotStatus
from auction.terms import LotKind, SaleAudience, Terms

PHOTO_PATH: Final = "/api/v1/photos"


class SaleState(StrEnum):
    """UPCOMING until the first lot opens, ENDED when every lot has ended."""

    UPCOMING = "UPCOMING"
    LIVE = "LIVE"
    ENDED = "ENDED"


class SaleSummary(Struct, frozen=True, kw_only=True):
    """A sale in the calendar.

    ``next_end_us``: the first end in force of a lot that has not ended; ``last_end_us``: the last
    one of all. ``open_lots``: those that have not ended. ``msrp_minor``: of all lots.
    """

    sale_id: SaleId
    title: str
    summary: str
    seller: str
    seller_id: str
    state: SaleState
    audience: SaleAudience
    paused: bool
    cancelled: bool
    currency: str
    time_zone: str
    city: str
    region: str
    country: str
    opens_at_us: int
    next_end_us: int | None
    last_end_us: int | None
    closed_at_us: int | None
    lots: int
    open_lots: int
    sold_lots: int
    units: int
    msrp_minor: int
    categories: Sequence[str]
    deposit_minor: int
    certificate_required: bool


class SalePage(SaleSummary, frozen=True, kw_only=True):
    """A sale by itself. ``terms`` are the rules of bidding, the texts are for people.

    ``terms.version`` and ``terms_sha256`` are what a registration accepts: the digest is of rules
    and texts together. ``restrictions``: what any of its lots asks for.
    """

    terms: Terms
    terms_sha256: str
    terms_in_words: str
    payment_terms: str
    pickup_terms: str
    restrictions: Sequence[str]
    paused_reason: str | None
    log_href: str | None


class PhotoFile(Struct, frozen=True, kw_only=True):
    """A photo in one size and format; its address never changes and never shows anything else."""

    href: str
    media_type: str
    size: str
    width: int
    height: int


class Photo(Struct, frozen=True, kw_only=True):
    """A photo in all its sizes, smallest first.

    ``added_at_us``: when it was added to a lot that was published already; null: it was there.
    """

    alt: str
    added_at_us: int | None
    files: Sequence[PhotoFile]


class LotSummary(Struct, frozen=True, kw_only=True):
    """A lot in a list. ``condition``: the lowest grade in it; ``leader``: a bidder's number.

    ``place``: its place in the catalogue. ``photo``: the first one.
    """

    sale_id: SaleId
    lot_id: LotId
    place: int
    title: str
    kind: LotKind
    currency: str
    status: LotStatus
    opens_at_us: int
    closes_at_us: int
    extensions: int
    opening_minor: int
    price_minor: int | None
    next_minimum_minor: int
    reserve: ReserveStatus
    bid_count: int
    leader: Paddle | None
    category: str
    condition: Condition
    source: str
    city: str
    region: str
    units: int
    pallets: int
    msrp_minor: int
    restrictions: Sequence[str]
    photo: Photo | None


class LotPage(LotSummary, frozen=True, kw_only=True):
    """A lot by itself. Measures are those of each pallet, ``weight_g`` that of all of it.

    ``manifest_sha256``: the digest of the manifest as it was published, in hexadecimal.
    """

    description: str
    brands: str
    postal_code: str
    country: str
    group: str
    scheduled_closes_at_us: int
    latest_end_us: int | None
    length_mm: int
    width_mm: int
    height_mm: int
    weight_g: int
    freight_class: str
    freight_terms: FreightTerms
    freight_fixed_minor: int | None
    lines: int
    manifest_sha256: str
    photos: Sequence[Photo]


def lot_summary(entry: LotEntry, photo: StoredPhoto | None) -> LotSummary:
    """A lot of the catalogue as a list shows it."""
    board = entry.board
    return LotSummary(
        sale_id=entry.sale_id,
        lot_id=entry.lot_id,
        place=entry.place,
        title=entry.title,
        kind=entry.kind,
        currency=entry.currency,
        status=LotStatus(board.status),
        opens_at_us=board.opens_at_us,
        closes_at_us=board.closes_at_us,
        extensions=board.extensions,
        opening_minor=board.opening_minor,
        price_minor=board.price_minor,
        next_minimum_minor=board.next_minimum_minor,
        reserve=ReserveStatus(board.reserve),
        bid_count=board.bid_count,
        leader=None if board.leader is None else Paddle(board.leader),
        category=entry.category,
        condition=entry.condition,
        source=entry.source,
        city=entry.city,
        region=entry.region,
        units=entry.units,
        pallets=entry.pallets,
        msrp_minor=entry.msrp_minor,
        restrictions=entry.restrictions,
        photo=None if photo is None else photo_of(photo),
    )


class LotRules(Struct, frozen=True):
    """What is agreed on a lot beside its row of the board."""

    lot_group: str
    scheduled_closes_at_us: int
    latest_end_us: int | None


def lot_page(entry: LotEntry, photos: Sequence[StoredPhoto], rules: LotRules) -> LotPage:
    """A lot of the catalogue as its own page shows it."""
    first = photos[0] if photos else None
    return LotPage(
        **structs.asdict(lot_summary(entry, first)),
        description=entry.description,
        brands=entry.brands,
        postal_code=entry.postal_code,
        country=entry.country,
        group=rules.lot_group,
        scheduled_closes_at_us=rules.scheduled_closes_at_us,
        latest_end_us=rules.latest_end_us,
        length_mm=entry.length_mm,
        width_mm=entry.width_mm,
        height_mm=entry.height_mm,
        weight_g=entry.weight_g,
        freight_class=entry.freight_class,
        freight_terms=entry.freight_terms,
        freight_fixed_minor=entry.freight_fixed_minor,
        lines=entry.lines,
        manifest_sha256=entry.manifest_sha256.hex(),
        photos=[photo_of(photo) for photo in photos],
    )


def photo_of(photo: StoredPhoto) -> Photo:
    """A stored photo with the addresses of its files."""
    return Photo(alt=photo.alt, added_at_us=photo.added_at_us, files=list(_files(photo)))


def _files(photo: StoredPhoto) -> Iterable[PhotoFile]:
    for file in photo.files:
        yield PhotoFile(
            href=f"{PHOTO_PATH}/{file.sha256.hex()}",
            media_type=file.media_type,
            size=file.size,
            width=file.width,
            height=file.height,
        )
