"""What everybody sees of sales and lots in lists and on their pages: the shapes of answers.

The same for every viewer: what is a viewer's own comes from `my_bids`, `registrations` and
`watchlist`. Amounts are minor units of the sale's currency; times microseconds since the epoch,
UTC. A missing figure (MSRP, weight) is null, never 0.
"""

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from auction.ids import LotId, Paddle, SaleId
from auction.pricing import ReserveStatus
from auction.sale import LotStatus
from auction.terms import Terms


class SaleState(StrEnum):
    """UPCOMING until the first lot opens, ENDED when every lot has ended."""

    UPCOMING = "UPCOMING"
    LIVE = "LIVE"
    ENDED = "ENDED"


class Located(Struct, frozen=True, kw_only=True):
    """Where goods are, as far as it is published: no street."""

    city: str
    region: str
    postal_code: str
    country: str


class SaleSummary(Struct, frozen=True, kw_only=True):
    """A sale in the calendar.

    ``next_end_us``: the first end in force of a lot that has not ended; ``last_end_us``: the last
    one of all. ``lots`` counts all, ``open_lots`` those that have not ended.
    """

    sale_id: SaleId
    title: str
    seller: str
    state: SaleState
    paused: bool
    currency: str
    time_zone: str
    location: Located
    opens_at_us: int | None
    next_end_us: int | None
    last_end_us: int | None
    closed_at_us: int | None
    lots: int
    open_lots: int
    sold_lots: int
    deposit_minor: int
    certificate_required: bool


class SaleDetails(SaleSummary, frozen=True, kw_only=True):
    """A sale's own page. ``terms`` are the rules of bidding, the texts are for people.

    ``terms_version`` and ``terms_sha256`` are what a registration accepts: the digest is of the
    rules and texts together.
    """

    summary: str
    terms: Terms
    terms_version: int
    terms_sha256: bytes
    terms_text: str
    pickup_text: str
    payment_text: str
    restrictions: Sequence[str]
    paused_reason: str | None


class LotSummary(Struct, frozen=True, kw_only=True):
    """A lot in a list, as far as the follower of the log has come (moments behind)."""

    sale_id: SaleId
    lot_id: LotId
    title: str
    kind: str
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
    condition: str
    source: str
    location: Located
    units: int | None
    pallets: int | None
    msrp_minor: int | None
    restrictions: Sequence[str]
    photo_id: str | None


class Photo(Struct, frozen=True, kw_only=True):
    """A photo of a lot; its bytes are at /api/v1/photos/{photo_id}."""

    photo_id: str
    alt: str
    width: int
    height: int


class LotDetails(LotSummary, frozen=True, kw_only=True):
    """A lot's own page. ``manifest_sha256``: the digest of the manifest as it was published."""

    description: str
    scheduled_closes_at_us: int
    latest_end_us: int | None
    group: str
    weight_g: int | None
    length_mm: int | None
    width_mm: int | None
    height_mm: int | None
    freight_class: str | None
    freight_mode: str | None
    photos: Sequence[Photo]
    manifest_lines: int
    manifest_sha256: bytes | None
