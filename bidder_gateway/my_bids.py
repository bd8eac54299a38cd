"""What a reseller has bid on, and what it has won.

No table holds a maximum: `bidder_lot` says where in the log the bid is that stands for a bidder
on a lot, and that event is read when its owner asks. So what staff of the database can read here
is no more than that somebody has bid.
"""

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from auction.ids import LotId, Paddle, PersonId, SaleId
from bidder_gateway.listed import LotSummary


class BidState(StrEnum):
    """How a reseller stands on a lot that it has bid on."""

    LEADING = "LEADING"
    OUTBID = "OUTBID"
    IF_BID = "IF_BID"  # bound below the reserve, while the seller considers
    WON = "WON"
    LOST = "LOST"
    PASSED = "PASSED"  # nobody has it
    WITHDRAWN = "WITHDRAWN"
    VOIDED = "VOIDED"  # staff voided its bids


class MyLot(Struct, frozen=True, kw_only=True):
    """A lot with the reseller's own part of it.

    ``maximum_minor`` is the reseller's secret; ``all_in_minor`` what the lot would come to at
    the door if it were won at the maximum; ``raise_minimum_minor`` the least that a further bid
    can be: more than the own maximum for who leads, the next minimum for others.
    ``counter_minor``: what the seller asks for on an if-bid.
    """

    lot: LotSummary
    sale_title: str
    state: BidState
    paddle: Paddle
    maximum_minor: int
    freight_minor: int
    all_in_minor: int
    raise_minimum_minor: int | None
    counter_minor: int | None
    person_id: PersonId | None
    bid_at_us: int


class WonLot(Struct, frozen=True, kw_only=True):
    """What a lot that was won comes to, at the tax of its close. ``due_at_us``: until when."""

    sale_id: SaleId
    lot_id: LotId
    sale_title: str
    title: str
    currency: str
    quantity: int
    hammer_price_minor: int
    premium_minor: int
    tax_minor: int
    tax_bps: int
    freight_minor: int
    total_minor: int
    sold_at_us: int
    due_at_us: int
    paid_at_us: int | None


class MyLots(Struct, frozen=True, kw_only=True):
    """Some lots of a reseller, for marking them in a list."""

    lots: Sequence[MyLot]
