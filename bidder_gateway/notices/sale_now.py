"""What notices need to know of a sale, and how an event changes it. Pure.

Less than a fold of the sale: it holds no maximum and no reserve, so that it may stand in tables of
its own, and none can get into a notice.
"""

from typing import assert_never

from msgspec import Struct, field

from accounts.ids import PersonId
from auction.codec import Recorded
from auction.events import (
    AwardFunded,
    BidderRegistered,
    BiddersAdmitted,
    BiddersDismissed,
    BidPlaced,
    BidsVoided,
    BudgetsSet,
    CounterDeclined,
    EndExtended,
    EndsMoved,
    IfBidCountered,
    IfBidOpened,
    LimitChanged,
    LotPassed,
    LotScheduled,
    LotSold,
    LotsRescheduled,
    LotWithdrawn,
    MaximumRaised,
    ReserveChanged,
    ReserveStatusChanged,
    SaleCancelled,
    SaleClosed,
    SalePaused,
    SaleResumed,
    SaleScheduled,
)
from auction.ids import BidderId, LotId, Paddle, SaleId
from auction.sale import LotStatus


class BidderNow(Struct):
    """A reseller whose bid stands on a lot, and who of its team has bid there."""

    paddle: Paddle
    people: set[PersonId] = field(default_factory=set)


class LotNow(Struct):
    """A lot as far as notices need it. It holds no maximum and no reserve."""

    lot_id: LotId
    title: str
    opens_at_us: int
    closes_at_us: int
    next_minimum_minor: int
    status: LotStatus = LotStatus.LIVE
    price_minor: int | None = None
    leader: BidderId | None = None
    bidders: dict[BidderId, BidderNow] = field(default_factory=dict)


class SaleNow(Struct):
    """A sale with those of its lots that the events at hand concern."""

    sale_id: SaleId
    currency: str = ""
    paused: bool = False
    closed: bool = False
    lots: dict[LotId, LotNow] = field(default_factory=dict)


def apply(sale: SaleNow, one: Recorded) -> None:  # noqa: C901 - dispatch
    """Bring what notices need of the sale up to this event."""
    event = one.event
    match event:
        case BidPlaced():
            _bid_placed(sale.lots[event.lot_id], event)
        case MaximumRaised():
            _seen(sale.lots[event.lot_id], event.bidder_id, event.person_id)
        case BidsVoided():
            _bids_voided(sale.lots[event.lot_id], event)
        case EndExtended():
            sale.lots[event.lot_id].closes_at_us = event.closes_at_us
        case EndsMoved():
            for moved in event.ends:
                sale.lots[moved.lot_id].closes_at_us = moved.closes_at_us
        case LotsRescheduled():
            for times in event.lots:
                lot = sale.lots[times.lot_id]
                lot.opens_at_us, lot.closes_at_us = times.opens_at_us, times.closes_at_us
        case ReserveStatusChanged():
            lot = sale.lots[event.lot_id]
            lot.price_minor = event.price_minor
            lot.next_minimum_minor = event.next_minimum_minor
        case IfBidOpened():
            lot = sale.lots[event.lot_id]
            lot.status, lot.closes_at_us = LotStatus.IF_BID, event.until_us
        case LotSold():
            lot = sale.lots[event.lot_id]
            lot.status, lot.price_minor = LotStatus.SOLD, event.hammer_price_minor
        case LotPassed():
            sale.lots[event.lot_id].status = LotStatus.PASSED
        case LotWithdrawn():
            sale.lots[event.lot_id].status = LotStatus.WITHDRAWN
        case SaleScheduled():
            sale.currency = event.terms.currency
        case LotScheduled():
            sale.lots[event.lot_id] = LotNow(
                event.lot_id,
                event.title,
                event.opens_at_us,
                event.closes_at_us,
                event.opening_minor,
            )
        case SalePaused():
            sale.paused = True
        case SaleResumed():
            sale.paused = False
        case SaleClosed():
            sale.closed = True
        case (
            BidderRegistered()
            | BiddersAdmitted()
            | BiddersDismissed()
            | SaleCancelled()
            | LimitChanged()
            | BudgetsSet()
            | ReserveChanged()
            | IfBidCountered()
            | CounterDeclined()
            | AwardFunded()
        ):
            pass  # nothing of these is kept
        case _:
            assert_never(event)


def _seen(lot: LotNow, bidder_id: BidderId, person_id: str | None) -> None:
    if person_id is not None:
        lot.bidders[bidder_id].people.add(PersonId(person_id))


def _bid_placed(lot: LotNow, event: BidPlaced) -> None:
    lot.bidders.setdefault(event.bidder_id, BidderNow(event.paddle))
    _seen(lot, event.bidder_id, event.person_id)
    lot.leader = leader_of(lot, event.leader)
    lot.price_minor, lot.next_minimum_minor = event.price_minor, event.next_minimum_minor


def _bids_voided(lot: LotNow, event: BidsVoided) -> None:
    del lot.bidders[event.bidder_id]
    if event.leader is None:
        lot.bidders.clear()
    lot.leader = None if event.leader is None else leader_of(lot, event.leader)
    lot.price_minor, lot.next_minimum_minor = event.price_minor, event.next_minimum_minor


def leader_of(lot: LotNow, paddle: Paddle) -> BidderId:
    """The bidder of this paddle, who has a bid on the lot."""
    (found,) = (b for b, bidder in lot.bidders.items() if bidder.paddle == paddle)
    return found
