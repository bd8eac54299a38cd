"""Who is told what: a pure function of an event and of how its lot stood before it.

A draft says nothing that its reader may not know: of rivals no more than the public price, of the
own side no maximum, of the seller no reserve.
"""

from collections.abc import Iterable, Iterator
from typing import assert_never

from msgspec import Struct

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
    MoveReason,
    ReserveChanged,
    ReserveStatusChanged,
    SaleCancelled,
    SaleClosed,
    SalePaused,
    SaleResumed,
    SaleScheduled,
)
from auction.ids import BidderId, LotId, SaleId
from auction.sale import LotStatus
from bidder_gateway.notices.kinds import Kind
from bidder_gateway.notices.sale_now import LotNow, SaleNow


class Facts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a notice says, as values; how it says that is `wording`'s. Amounts are minor units.

    ``title``: the lot's. ``lots``: of how many lots a notice about a sale speaks;
    ``closes_at_us``: the end in force, of several lots the first one. ``lead_minutes``: how long
    before the end it is told that it is near.
    """

    title: str = ""
    currency: str = ""
    price_minor: int | None = None
    next_minimum_minor: int | None = None
    amount_minor: int | None = None
    closes_at_us: int | None = None
    until_us: int | None = None
    dark_us: int | None = None
    lots: int = 0
    lead_minutes: int = 0
    reason: str = ""
    if_bid: bool = False
    paddle: int | None = None
    state: str = ""
    search: str = ""
    search_id: str = ""


class To(Struct, frozen=True):
    """Somebody on a reseller's side: those of its team who bid on the lot, or else all who bid;
    or ``everybody``."""

    bidder_id: BidderId
    people: frozenset[PersonId] = frozenset()
    everybody: bool = False


class Draft(Struct, frozen=True, kw_only=True):
    """A notice before it is known who the people are.

    ``event``: what happened, in a name that is the same whenever it is looked at. It goes ``to``
    resellers, to the person of ``person_id``, and if ``watched`` to whoever watches the lot.
    ``of_sale``: somebody whom it reaches for several lots is told once, of all of them together.
    """

    kind: Kind
    event: tuple[str | int, ...]
    at_us: int
    facts: Facts
    sale_id: SaleId | None = None
    lot_id: LotId | None = None
    to: tuple[To, ...] = ()
    person_id: PersonId | None = None
    watched: bool = False
    of_sale: bool = False


def drafts_of(sale: SaleNow, one: Recorded) -> list[Draft]:  # noqa: C901 - dispatch
    """What is to be told of an event; ``sale`` is as it was before."""
    event = one.event
    match event:
        case BidPlaced():
            return list(_outbid(sale, one, event))
        case BidsVoided():
            return list(_voided(sale, one, event))
        case IfBidOpened():
            lot = sale.lots[event.lot_id]
            facts = _facts(sale, lot, price_minor=event.price_minor, until_us=event.until_us)
            return [_to_one(sale, one, lot, Kind.IF_BID_OPENED, event.bidder_id, facts)]
        case IfBidCountered():
            lot = sale.lots[event.lot_id]
            facts = _facts(
                sale,
                lot,
                price_minor=lot.price_minor,
                amount_minor=event.amount_minor,
                until_us=lot.closes_at_us,
            )
            return [_to_one(sale, one, lot, Kind.IF_BID_COUNTERED, event.bidder_id, facts)]
        case LotSold():
            return list(_sold(sale, one, event))
        case LotPassed():
            lot = sale.lots[event.lot_id]
            facts = _facts(sale, lot, price_minor=event.price_minor, reason=event.reason)
            return _to_bidders(sale, one, lot, Kind.LOT_LOST, facts, lot.bidders)
        case LotWithdrawn():
            lot = sale.lots[event.lot_id]
            to = tuple(_to(lot, bidder_id) for bidder_id in lot.bidders)
            return [_draft(sale, one, lot, Kind.LOT_WITHDRAWN, _facts(sale, lot), to)]
        case SalePaused():
            return _to_the_sale(sale, one, Kind.SALE_PAUSED, _live(sale), reason=event.reason)
        case SaleResumed():
            return _to_the_sale(sale, one, Kind.SALE_RESUMED, _live(sale))
        case EndsMoved():
            return _moved(sale, one, event)
        case LotsRescheduled():
            return _rescheduled(sale, one, event)
        case BidderRegistered():
            return list(_registered(sale, one, event))
        case (
            SaleScheduled()
            | LotScheduled()
            | BiddersAdmitted()
            | BiddersDismissed()
            | SaleCancelled()  # its lots say so, one by one
            | LimitChanged()
            | BudgetsSet()
            | MaximumRaised()
            | EndExtended()
            | ReserveChanged()
            | ReserveStatusChanged()
            | CounterDeclined()
            | AwardFunded()
            | SaleClosed()
        ):
            return []  # nobody has to be told: it is their own doing, or the page shows it
        case _:
            assert_never(event)


# What is told.


def _outbid(sale: SaleNow, one: Recorded, event: BidPlaced) -> Iterator[Draft]:
    """Who led and does so no longer. Who was outbid at once has it from the verdict."""
    lot = sale.lots[event.lot_id]
    if event.leader == event.paddle and lot.leader not in {None, event.bidder_id}:
        assert lot.leader is not None, "as was looked"
        facts = _facts(
            sale,
            lot,
            price_minor=event.price_minor,
            next_minimum_minor=event.next_minimum_minor,
            closes_at_us=lot.closes_at_us,
        )
        yield _to_one(sale, one, lot, Kind.OUTBID, lot.leader, facts)


def _voided(sale: SaleNow, one: Recorded, event: BidsVoided) -> Iterator[Draft]:
    lot = sale.lots[event.lot_id]
    facts = _facts(sale, lot, reason=event.reason)
    yield _to_one(sale, one, lot, Kind.BIDS_VOIDED, event.bidder_id, facts)
    now = _facts(
        sale,
        lot,
        price_minor=event.price_minor,
        next_minimum_minor=event.next_minimum_minor,
        closes_at_us=lot.closes_at_us,
    )
    others = [bidder_id for bidder_id in lot.bidders if bidder_id != event.bidder_id]
    if event.leader is None:  # under NO_REVIVE nobody's bid stands any more
        yield from _to_bidders(sale, one, lot, Kind.LOT_REOPENED, now, others)
        return
    (leader,) = (b for b in others if lot.bidders[b].paddle == event.leader)
    if leader != lot.leader:
        yield _to_one(sale, one, lot, Kind.LEADING_AGAIN, leader, now)


def _sold(sale: SaleNow, one: Recorded, event: LotSold) -> Iterator[Draft]:
    lot = sale.lots[event.lot_id]
    if_bid = lot.status is LotStatus.IF_BID
    for winner, part in zip(event.winners, event.allocations, strict=True):
        facts = _facts(sale, lot, price_minor=part.amount_minor, if_bid=if_bid)
        yield _to_one(sale, one, lot, Kind.LOT_WON, winner, facts)
    facts = _facts(sale, lot, price_minor=event.hammer_price_minor)
    others = [bidder_id for bidder_id in lot.bidders if bidder_id not in event.winners]
    yield from _to_bidders(sale, one, lot, Kind.LOT_LOST, facts, others)


def _moved(sale: SaleNow, one: Recorded, event: EndsMoved) -> list[Draft]:
    """Of linked lots nobody is told: their ends move all the time, and pages show it."""
    if event.reason is MoveReason.LINKED:
        return []
    kind = Kind.ENDS_MOVED if event.reason is MoveReason.OUTAGE else Kind.SALE_RESUMED
    ends = {moved.lot_id: moved.closes_at_us for moved in event.ends}
    lots = [lot for lot in _live(sale) if lot.lot_id in ends]
    return _to_the_sale(sale, one, kind, lots, ends=ends, dark_us=event.dark_us)


def _rescheduled(sale: SaleNow, one: Recorded, event: LotsRescheduled) -> list[Draft]:
    """Nobody has bid on these yet: their bidding had not begun."""
    ends = {moved.lot_id: moved.closes_at_us for moved in event.lots}
    lots = [lot for lot in _live(sale) if lot.lot_id in ends]
    return _to_the_sale(sale, one, Kind.LOTS_RESCHEDULED, lots, ends=ends)


def _registered(sale: SaleNow, one: Recorded, event: BidderRegistered) -> Iterator[Draft]:
    """The first event about a bidder in a sale is its admission; later ones renew it."""
    if one.owner_sequence == 1:
        yield Draft(
            kind=Kind.REGISTERED,
            event=_name(one),
            at_us=one.at_us,
            facts=Facts(paddle=event.paddle, currency=sale.currency),
            sale_id=sale.sale_id,
            to=(To(event.bidder_id),),
        )


# How a draft is made.


def _name(one: Recorded) -> tuple[str, int]:
    return (one.sale_id, one.position)


def _facts(sale: SaleNow, lot: LotNow, **more: object) -> Facts:
    values = {"title": lot.title, "currency": sale.currency, **more}
    return Facts(**values)  # type: ignore[arg-type]


def _to(lot: LotNow, bidder_id: BidderId) -> To:
    known = lot.bidders.get(bidder_id)
    return To(bidder_id, frozenset() if known is None else frozenset(known.people))


def _draft(
    sale: SaleNow, one: Recorded, lot: LotNow, kind: Kind, facts: Facts, to: tuple[To, ...]
) -> Draft:
    return Draft(
        kind=kind,
        event=_name(one),
        at_us=one.at_us,
        facts=facts,
        sale_id=sale.sale_id,
        lot_id=lot.lot_id,
        to=to,
        watched=kind is Kind.LOT_WITHDRAWN,
    )


def _to_one(
    sale: SaleNow, one: Recorded, lot: LotNow, kind: Kind, bidder_id: BidderId, facts: Facts
) -> Draft:
    return _draft(sale, one, lot, kind, facts, (_to(lot, bidder_id),))


def _to_bidders(
    sale: SaleNow,
    one: Recorded,
    lot: LotNow,
    kind: Kind,
    facts: Facts,
    bidders: Iterable[BidderId],
) -> list[Draft]:
    to = tuple(_to(lot, bidder_id) for bidder_id in bidders)
    return [_draft(sale, one, lot, kind, facts, to)] if to else []


def _live(sale: SaleNow) -> list[LotNow]:
    return [lot for lot in sale.lots.values() if lot.status is LotStatus.LIVE]


def _to_the_sale(
    sale: SaleNow,
    one: Recorded,
    kind: Kind,
    lots: Iterable[LotNow],
    *,
    ends: dict[LotId, int] | None = None,
    dark_us: int | None = None,
    reason: str = "",
) -> list[Draft]:
    """To all who bid on these lots or watch them: a draft for each lot, a notice for each person.

    ``ends``: their new ends, where they moved.
    """
    return [
        Draft(
            kind=kind,
            event=_name(one),
            at_us=one.at_us,
            facts=Facts(
                title=lot.title,
                currency=sale.currency,
                closes_at_us=None if ends is None else ends[lot.lot_id],
                dark_us=dark_us,
                lots=1,
                reason=reason,
            ),
            sale_id=sale.sale_id,
            lot_id=lot.lot_id,
            to=tuple(_to(lot, bidder_id) for bidder_id in lot.bidders),
            watched=True,
            of_sale=True,
        )
        for lot in lots
    ]
