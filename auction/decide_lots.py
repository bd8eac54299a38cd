"""Decisions about one lot, other than bids: reserve, voids, withdrawal, closing, if-bids."""

from auction.commands import (
    AcceptIfBid,
    AnswerCounter,
    CancelSale,
    ChangeReserve,
    CounterIfBid,
    DeclineIfBid,
    RecordFunding,
    VoidBids,
    WithdrawalCause,
    WithdrawLot,
)
from auction.events import (
    Allocation,
    AnyEvent,
    AwardFunded,
    BidsVoided,
    CounterDeclined,
    IfBidCountered,
    IfBidOpened,
    LotPassed,
    LotSold,
    LotWithdrawn,
    PassReason,
    ReserveChanged,
    ReserveStatusChanged,
    SaleCancelled,
    SaleClosed,
)
from auction.ids import BidderId, LotId
from auction.pricing import ReserveStatus, price_minor, reserve_status
from auction.rejections import Decision, Rejected, Rejection
from auction.sale import (
    Cancellation,
    Lot,
    LotStatus,
    Sale,
    Standing,
    budget_passed_if_leading,
    exposure_if_leading_minor,
)
from auction.terms import VoidRule

# Lots closed by one command. A timer that finds more due sends another one after it: a
# thousand lots that end together are a few appends, and bids on others go in between.
CLOSE_CHUNK = 100
# Lots that a refusal names; a sale may have thousands.
MOST_NAMED = 20

_NO_LOT = Rejected(Rejection.NOT_FOUND, "there is no such lot")
_ENDED = Rejected(Rejection.LOT_CLOSED, "this lot has ended")
_NO_IF_BID = Rejected(Rejection.NO_IF_BID, "no bid on this lot waits for the seller's answer")


def change_reserve(sale: Sale, command: ChangeReserve, now_us: int) -> Decision:
    """Set the reserve: freely before the first bid, then only downwards. The price never falls."""
    lot = sale.lots.get(command.lot_id)
    if lot is None:
        return _NO_LOT
    if not sale.is_open(lot, now_us):
        return _ENDED
    new_minor, old_minor = command.reserve_minor, lot.reserve_minor
    if (new_minor or 0) % sale.terms.increments.unit_minor:
        unit = sale.terms.increments.unit_minor
        message = f"reserve_minor: reserves here are multiples of {unit} minor units"
        return Rejected(Rejection.INVALID, message)
    has_bids = lot.bid_count > 0  # voided ones too: who bid on it knew of a reserve so high
    if new_minor == old_minor or (has_bids and (new_minor or 0) >= (old_minor or 0)):
        message = "after the first bid a reserve can only be lowered"
        return Rejected(Rejection.RESERVE_NOT_LOWERED, message)
    changed = ReserveChanged(lot_id=lot.lot_id, reserve_minor=new_minor, actor_id=command.actor_id)
    status = reserve_status(new_minor, lot.top_minor)
    if status is lot.reserve:
        return [changed]
    public = ReserveStatusChanged(
        lot_id=lot.lot_id,
        reserve=status,
        price_minor=lot.price_minor,
        next_minimum_minor=lot.next_minimum_minor,
    )
    return [changed, public]


def void_bids(sale: Sale, command: VoidBids, now_us: int) -> Decision:
    """Void a bidder's bids on an open lot. The end is not pulled back, and moves no further."""
    lot = sale.lots.get(command.lot_id)
    if lot is None:
        return _NO_LOT
    if not sale.is_open(lot, now_us):
        return _ENDED
    if command.bidder_id not in lot.standings:
        return Rejected(Rejection.NO_BIDS_TO_VOID, "this bidder has no bids on this lot")
    terms = sale.terms
    ranked: list[tuple[BidderId, Standing]] = []
    if terms.void_rule is VoidRule.RESTORE:
        ranked = _ranked(lot, without=command.bidder_id)
    price, leader, top_minor = None, None, None
    if ranked:
        leader_id, top = ranked[0]
        leader, top_minor = sale.paddle_of(leader_id), top.maximum_minor
        second_minor = ranked[1][1].maximum_minor if len(ranked) > 1 else None
        price = price_minor(
            terms.price_rule,
            terms.increments,
            lot.opening_minor,
            lot.reserve_minor,
            top_minor,
            second_minor,
        )
    next_minimum = lot.opening_minor
    if price is not None:
        next_minimum = price + terms.increments.increment_minor(price)
    voided = BidsVoided(
        lot_id=lot.lot_id,
        paddle=sale.paddle_of(command.bidder_id),
        leader=leader,
        price_minor=price,
        next_minimum_minor=next_minimum,
        reserve=reserve_status(lot.reserve_minor, top_minor),
        bidder_id=command.bidder_id,
        reason=command.reason,
        actor_id=command.actor_id,
    )
    return [voided]


def _ranked(lot: Lot, without: BidderId) -> list[tuple[BidderId, Standing]]:
    """The other bidders' maxima, best first; of equal ones the earlier first."""
    others = [(bidder, s) for bidder, s in lot.standings.items() if bidder != without]
    return sorted(others, key=lambda pair: (-pair[1].maximum_minor, pair[1].order))


def withdraw_lot(sale: Sale, command: WithdrawLot, now_us: int) -> Decision:
    """With reserve always; without, not after a bid, save for recall, law or safety.

    UCC 2-328(3): goods put up without reserve cannot be withdrawn once a bid is called for.
    """
    lot = sale.lots.get(command.lot_id)
    if lot is None:
        return _NO_LOT
    if lot.status is LotStatus.WITHDRAWN or sale.goes_with_the_sale(lot):
        return Rejected(Rejection.LOT_WITHDRAWN, "this lot is already withdrawn")
    if not sale.is_open(lot, now_us):
        return _ENDED
    if _is_bound(lot) and command.cause is WithdrawalCause.SELLER:
        message = "a lot without reserve that has a bid is withdrawn only for recall, law or safety"
        return Rejected(Rejection.WITHDRAWAL_NOT_ALLOWED, message)
    return _with_sale_end(sale, [_withdrawn(lot, command)])


def _is_bound(lot: Lot) -> bool:
    """Whether the seller is bound to sell."""
    return lot.reserve is ReserveStatus.NONE and lot.leader is not None


def _withdrawn(lot: Lot, why: WithdrawLot | CancelSale | Cancellation) -> LotWithdrawn:
    return LotWithdrawn(
        lot_id=lot.lot_id, cause=why.cause, reason=why.reason, actor_id=why.actor_id
    )


def cancel_sale(sale: Sale, command: CancelSale, now_us: int) -> Decision:
    """Withdraw every lot that is still to close; refused if that is refused for one of them.

    ``SaleCancelled`` decides it for all at once. Lots beyond a chunk are withdrawn by the
    ``CloseDue`` that follow, and nobody can bid on them meanwhile. What has come to its end is
    closed as always, and an if-bid stays bound.
    """
    if sale.closed:
        return Rejected(Rejection.SALE_CLOSED, "every lot of this sale has ended")
    if sale.cancelled is not None:
        return []
    lots = [lot for lot in sale.lots.values() if sale.is_open(lot, now_us)]
    if not lots:
        return Rejected(Rejection.LOT_CLOSED, "every lot of this sale has come to its end")
    bound = [lot.lot_id for lot in lots if _is_bound(lot)]
    if bound and command.cause is WithdrawalCause.SELLER:
        named = ", ".join(bound[:MOST_NAMED])
        more = f" and {len(bound) - MOST_NAMED} more" if len(bound) > MOST_NAMED else ""
        message = (
            "lots without reserve that have a bid are withdrawn only for recall, law or safety: "
            f"{named}{more}"
        )
        return Rejected(Rejection.WITHDRAWAL_NOT_ALLOWED, message)
    cancelled = SaleCancelled(cause=command.cause, reason=command.reason, actor_id=command.actor_id)
    first = [_withdrawn(lot, command) for lot in lots[:CLOSE_CHUNK]]
    return _with_sale_end(sale, [cancelled, *first])


def close_due(sale: Sale, now_us: int) -> Decision:
    """Close the lots whose end is past, earliest first, at most ``CLOSE_CHUNK`` of them.

    In a sale that was cancelled, what is still to be withdrawn comes first.
    """
    if sale.cancelled is not None:
        lots = [lot for lot in sale.lots.values() if sale.goes_with_the_sale(lot)]
        if lots:
            chunk = [_withdrawn(lot, sale.cancelled) for lot in lots[:CLOSE_CHUNK]]
            return _with_sale_end(sale, [*chunk])
    if sale.paused_from_us is not None:
        return []
    due = [
        lot
        for lot in sale.lots.values()
        if lot.closes_at_us <= now_us and lot.status in (LotStatus.LIVE, LotStatus.IF_BID)
    ]
    due.sort(key=lambda lot: lot.closes_at_us)
    return _with_sale_end(sale, [_closed(sale, lot, now_us) for lot in due[:CLOSE_CHUNK]])


def _closed(sale: Sale, lot: Lot, now_us: int) -> AnyEvent:
    if lot.status is LotStatus.IF_BID:
        return _passed(lot, PassReason.IF_BID_EXPIRED)
    if lot.leader is None or lot.price_minor is None:
        return _passed(lot, PassReason.NO_BIDS)
    if lot.reserve is not ReserveStatus.NOT_MET:
        return _sold(sale, lot, lot.price_minor)
    if sale.terms.if_bid_us is None:
        return _passed(lot, PassReason.RESERVE_NOT_MET)
    return IfBidOpened(
        lot_id=lot.lot_id,
        paddle=sale.paddle_of(lot.leader),
        price_minor=lot.price_minor,
        until_us=now_us + sale.terms.if_bid_us,
        bidder_id=lot.leader,
    )


def _passed(lot: Lot, reason: PassReason) -> LotPassed:
    return LotPassed(lot_id=lot.lot_id, reason=reason, price_minor=lot.price_minor)


def _sold(sale: Sale, lot: Lot, amount_minor: int) -> LotSold:
    assert lot.leader is not None, "a lot is sold to its leader"
    paddle = sale.paddle_of(lot.leader)
    return LotSold(
        lot_id=lot.lot_id,
        hammer_price_minor=amount_minor,
        reserve=lot.reserve,
        allocations=(Allocation(paddle, 1, amount_minor, amount_minor),),
        winners=(lot.leader,),
    )


def _with_sale_end(sale: Sale, events: list[AnyEvent]) -> list[AnyEvent]:
    """The events, and ``SaleClosed`` after them if they end the sale's last lots."""
    ending: dict[LotId, LotStatus] = {}
    for event in events:
        match event:
            case LotSold():
                ending[event.lot_id] = LotStatus.SOLD
            case LotPassed():
                ending[event.lot_id] = LotStatus.PASSED
            case LotWithdrawn():
                ending[event.lot_id] = LotStatus.WITHDRAWN
    if not ending or len(ending) < sale.unended:
        return events
    ends = [ending.get(lot_id, lot.status) for lot_id, lot in sale.lots.items()]
    closed = SaleClosed(
        sold=ends.count(LotStatus.SOLD),
        passed=ends.count(LotStatus.PASSED),
        withdrawn=ends.count(LotStatus.WITHDRAWN),
    )
    return [*events, closed]


def accept_if_bid(sale: Sale, command: AcceptIfBid, now_us: int) -> Decision:
    """The liquidator sells at the price reached."""
    lot = _held(sale, command.lot_id, now_us)
    if isinstance(lot, Rejected):
        return lot
    assert lot.price_minor is not None, "an if-bid has a price"
    return _with_sale_end(sale, [_sold(sale, lot, lot.price_minor)])


def decline_if_bid(sale: Sale, command: DeclineIfBid, now_us: int) -> Decision:
    """The liquidator does not sell."""
    lot = _held(sale, command.lot_id, now_us)
    if isinstance(lot, Rejected):
        return lot
    return _with_sale_end(sale, [_passed(lot, PassReason.IF_BID_DECLINED)])


def counter_if_bid(sale: Sale, command: CounterIfBid, now_us: int) -> Decision:
    """The liquidator asks for more; the bidder stays bound meanwhile."""
    lot = _held(sale, command.lot_id, now_us)
    if isinstance(lot, Rejected):
        return lot
    assert lot.leader is not None and lot.price_minor is not None, "an if-bid has a bidder"
    if command.amount_minor % sale.terms.increments.unit_minor:
        unit = sale.terms.increments.unit_minor
        message = f"amount_minor: prices here are multiples of {unit} minor units"
        return Rejected(Rejection.INVALID, message)
    if command.amount_minor <= lot.price_minor:
        message = "a counter-offer asks for more than the bid"
        least_minor = lot.price_minor + sale.terms.increments.unit_minor
        return Rejected(Rejection.COUNTER_NOT_ABOVE_BID, message, least_minor)
    countered = IfBidCountered(
        lot_id=lot.lot_id,
        bidder_id=lot.leader,
        amount_minor=command.amount_minor,
        actor_id=command.actor_id,
    )
    return [countered]


def answer_counter(sale: Sale, command: AnswerCounter, now_us: int) -> Decision:
    """The bound bidder takes the counter-offer, or leaves the liquidator with the bid."""
    lot = _held(sale, command.lot_id, now_us)
    if isinstance(lot, Rejected):
        return lot
    if lot.leader != command.bidder_id or lot.counter_minor is None:
        return Rejected(Rejection.NO_COUNTER, "no counter-offer on this lot waits for your answer")
    if not command.accepted:
        return [CounterDeclined(lot_id=lot.lot_id, bidder_id=command.bidder_id)]
    registration = sale.registrations[command.bidder_id]
    own = lot.standings[command.bidder_id]
    exposure_minor = exposure_if_leading_minor(
        sale, lot, command.bidder_id, lot.counter_minor, own.freight_minor
    )
    if registration.limit_minor is not None and exposure_minor > registration.limit_minor:
        return Rejected(Rejection.LIMIT_EXCEEDED, "the counter-offer is beyond your limit")
    passed = budget_passed_if_leading(
        sale, lot, registration, lot.counter_minor, own.freight_minor, own.person_id
    )
    if passed is not None:
        return Rejected(Rejection.BUDGET_EXCEEDED, passed.message(sale.terms.currency))
    return _with_sale_end(sale, [_sold(sale, lot, lot.counter_minor)])


def _held(sale: Sale, lot_id: LotId, now_us: int) -> Lot | Rejected:
    """The lot, if its top bidder is still bound at ``now_us``."""
    lot = sale.lots.get(lot_id)
    if lot is None:
        return _NO_LOT
    if lot.status is not LotStatus.IF_BID or now_us >= lot.closes_at_us:
        return _NO_IF_BID
    return lot


def record_funding(sale: Sale, command: RecordFunding) -> Decision:
    """The award is paid; it no longer counts towards the buyer's limit."""
    lot = sale.lots.get(command.lot_id)
    if lot is None:
        return _NO_LOT
    registration = sale.registrations.get(command.bidder_id)
    unpaid = registration is not None and lot.lot_id in registration.weights
    if lot.status is not LotStatus.SOLD or not unpaid:
        message = "this bidder has no unpaid award for this lot"
        return Rejected(Rejection.NO_UNPAID_AWARD, message)
    funded = AwardFunded(lot_id=lot.lot_id, bidder_id=command.bidder_id, actor_id=command.actor_id)
    return [funded]
