"""What a command means: the events that follow from it, or why it is refused.

Called by one writer, in the order of its inbox, with the state that all earlier decisions
made and the time at which the command was taken. No I/O, no clock, no randomness, and the
state is not touched: what is returned here becomes true when the log holds it.

A bid's refusals are asked in the published order (``rejections``), and past the marked point
the bid stands: nothing below it can refuse.
"""

from typing import assert_never

from auction import decide_lots, decide_sales
from auction.closing import extended_end_us, linked_ends
from auction.commands import (
    AcceptIfBid,
    AddLots,
    AdmitBidders,
    AnswerCounter,
    CancelSale,
    ChangeReserve,
    CloseDue,
    Command,
    CounterIfBid,
    DeclineIfBid,
    DismissBidders,
    MoveEndsAfterOutage,
    MoveLots,
    PauseSale,
    PlaceBid,
    RecordFunding,
    RegisterBidder,
    ResumeSale,
    ScheduleSale,
    SetBudgets,
    SetLimit,
    VoidBids,
    WithdrawLot,
)
from auction.events import (
    AnyEvent,
    BidPlaced,
    EndExtended,
    EndsMoved,
    MaximumRaised,
    MovedEnd,
    MoveReason,
)
from auction.ids import Paddle
from auction.money import format_minor
from auction.pricing import price_minor, reserve_status
from auction.rejections import Decision, Rejected, Rejection
from auction.sale import (
    AcceptedBid,
    Lot,
    LotStatus,
    Sale,
    budget_passed_if_leading,
    exposure_if_leading_minor,
)
from auction.terms import ClosingMode

# What does not exist, and what a bidder may not see: the same words.
_NO_SALE = Rejected(Rejection.NOT_FOUND, "there is no such sale")
_NO_LOT = Rejected(Rejection.NOT_FOUND, "there is no such lot")


def decide(  # noqa: C901 - dispatch
    sale: Sale | None, command: Command, now_us: int
) -> Decision | AcceptedBid:
    """The events that ``command`` leads to at ``now_us``, or a ``Rejected``.

    ``sale`` is ``None`` if there is no such sale. A bid whose id was accepted before gets the
    ``AcceptedBid`` of the first time.
    """
    match command:
        case PlaceBid():
            return place_bid(sale, command, now_us)
        case ScheduleSale():
            return decide_sales.schedule_sale(sale, command, now_us)
    if sale is None:
        return _NO_SALE
    match command:
        case RegisterBidder() | SetBudgets() | AnswerCounter() if not sale.admits(
            command.bidder_id
        ):
            return _NO_SALE
        case AdmitBidders():
            return decide_sales.admit_bidders(sale, command)
        case DismissBidders():
            return decide_sales.dismiss_bidders(sale, command)
        case MoveLots():
            return decide_sales.move_lots(sale, command, now_us)
        case CancelSale():
            return decide_lots.cancel_sale(sale, command, now_us)
        case CloseDue():
            return decide_lots.close_due(sale, now_us)
        case RegisterBidder():
            return decide_sales.register_bidder(sale, command)
        case SetLimit():
            return decide_sales.set_limit(sale, command)
        case SetBudgets():
            return decide_sales.set_budgets(sale, command)
        case AddLots():
            return decide_sales.add_lots(sale, command, now_us)
        case PauseSale():
            return decide_sales.pause_sale(sale, command)
        case ResumeSale():
            return decide_sales.resume_sale(sale, command, now_us)
        case MoveEndsAfterOutage():
            return decide_sales.move_ends_after_outage(sale, command, now_us)
        case RecordFunding():
            return decide_lots.record_funding(sale, command)
        case ChangeReserve():
            return decide_lots.change_reserve(sale, command, now_us)
        case VoidBids():
            return decide_lots.void_bids(sale, command, now_us)
        case WithdrawLot():
            return decide_lots.withdraw_lot(sale, command, now_us)
        case AcceptIfBid():
            return decide_lots.accept_if_bid(sale, command, now_us)
        case DeclineIfBid():
            return decide_lots.decline_if_bid(sale, command, now_us)
        case CounterIfBid():
            return decide_lots.counter_if_bid(sale, command, now_us)
        case AnswerCounter():
            return decide_lots.answer_counter(sale, command, now_us)
    assert_never(command)


def place_bid(  # noqa: C901 - the ladder reads best in one piece
    sale: Sale | None, bid: PlaceBid, now_us: int
) -> Decision | AcceptedBid:
    """Judge a bid."""
    if sale is None:
        return _NO_LOT
    bidder_id, amount_minor, terms = bid.bidder_id, bid.amount_minor, sale.terms
    first = sale.accepted.get((bidder_id, bid.bid_id))
    if first is not None:
        return _repeated(first, bid, terms.currency)
    lot = sale.lots.get(bid.lot_id)
    if lot is None or not sale.admits(bidder_id):
        return _NO_LOT
    if bid.currency != terms.currency:
        return Rejected(Rejection.INVALID, f"currency: this sale is held in {terms.currency}")
    if amount_minor % terms.increments.unit_minor:
        unit = format_minor(terms.increments.unit_minor, terms.currency)
        return Rejected(Rejection.INVALID, f"amount_minor: bids here are multiples of {unit}")
    if bidder_id in sale.seller_ids or bidder_id == lot.consignor_id:
        return Rejected(Rejection.SELLER_MAY_NOT_BID, "a seller may not bid on its own goods")
    registration = sale.registrations.get(bidder_id)
    if registration is None:
        return Rejected(Rejection.NOT_REGISTERED, "register for this sale before bidding")
    if (
        registration.terms_version != terms.version
        or not lot.restrictions <= registration.restrictions
    ):
        return Rejected(Rejection.TERMS_NOT_ACCEPTED, "accept the terms of the sale and lot first")
    if now_us < lot.opens_at_us:
        return Rejected(Rejection.LOT_NOT_OPEN, "bidding on this lot has not begun")
    status = lot.status
    ended = status is not LotStatus.LIVE and status is not LotStatus.WITHDRAWN
    if ended or sale.lots_time_us(now_us) >= lot.closes_at_us:
        return Rejected(Rejection.LOT_CLOSED, "bidding on this lot has ended")
    if status is LotStatus.WITHDRAWN or sale.cancelled is not None:
        return Rejected(Rejection.LOT_WITHDRAWN, "this lot was withdrawn")
    if sale.paused_from_us is not None:
        return Rejected(Rejection.SALE_PAUSED, "the sale is paused; bid again when it goes on")
    own = lot.standings.get(bidder_id)
    if own is not None and amount_minor <= own.maximum_minor:
        return Rejected(Rejection.NOT_ABOVE_OWN_MAXIMUM, "your maximum is already that high")
    leads = bidder_id == lot.leader
    if not leads and amount_minor < lot.next_minimum_minor and terms.enforce_minimum:
        least = format_minor(lot.next_minimum_minor, terms.currency)
        message = f"the least that you can bid now is {least} {terms.currency}"
        return Rejected(Rejection.AMOUNT_BELOW_MINIMUM, message, lot.next_minimum_minor)
    if registration.limit_minor is not None:
        exposure_minor = exposure_if_leading_minor(
            sale, lot, bidder_id, amount_minor, bid.freight_minor
        )
        if exposure_minor > registration.limit_minor:
            limit = format_minor(registration.limit_minor, terms.currency)
            would_be = format_minor(exposure_minor, terms.currency)
            message = f"this bid would bring you to {would_be}, your limit is {limit}"
            return Rejected(Rejection.LIMIT_EXCEEDED, message)
    if registration.tally is not None:
        passed = budget_passed_if_leading(
            sale, lot, registration, amount_minor, bid.freight_minor, bid.person_id
        )
        if passed is not None:
            return Rejected(Rejection.BUDGET_EXCEEDED, passed.message(terms.currency))

    # Past this point the bid stands.
    top_minor, second_minor, leader = amount_minor, lot.second_minor, registration.paddle
    led_by = leader if leads else None
    if lot.leader is not None and not leads:
        led_by = sale.paddle_of(lot.leader)
        old_minor = lot.standings[lot.leader].maximum_minor
        if amount_minor > old_minor:
            second_minor = old_minor
        else:  # the earlier maximum wins a tie
            top_minor, leader = old_minor, led_by
            if second_minor is None or second_minor < amount_minor:
                second_minor = amount_minor
    paddle = registration.paddle
    return _stand(sale, lot, bid, paddle, leader, led_by, top_minor, second_minor, now_us)


def _repeated(first: AcceptedBid, bid: PlaceBid, currency: str) -> AcceptedBid | Rejected:
    same = (bid.lot_id, bid.amount_minor, bid.currency)
    if same == (first.lot_id, first.amount_minor, currency):
        return first
    return Rejected(Rejection.BID_ID_REUSED, "this bid id stands for another accepted bid")


def _stand(
    sale: Sale,
    lot: Lot,
    bid: PlaceBid,
    paddle: Paddle,
    leader: Paddle,
    led_by: Paddle | None,
    top_minor: int,
    second_minor: int | None,
    now_us: int,
) -> list[AnyEvent]:
    """The events of an accepted bid: itself, public or private, and the ends that it moves."""
    terms = sale.terms
    price = price_minor(
        terms.price_rule,
        terms.increments,
        lot.opening_minor,
        lot.reserve_minor,
        top_minor,
        second_minor,
    )
    if lot.price_minor is not None and price < lot.price_minor:
        price = lot.price_minor  # only a void lets the price fall
    reserve = reserve_status(lot.reserve_minor, top_minor)
    moved = price != lot.price_minor or leader != led_by
    if paddle == led_by and not moved and reserve is lot.reserve:
        return [
            MaximumRaised(
                lot_id=lot.lot_id,
                bidder_id=bid.bidder_id,
                bid_id=bid.bid_id,
                maximum_minor=bid.amount_minor,
                freight_minor=bid.freight_minor,
                person_id=bid.person_id,
            )
        ]
    placed = BidPlaced(
        lot_id=lot.lot_id,
        paddle=paddle,
        leader=leader,
        price_minor=price,
        next_minimum_minor=price + terms.increments.increment_minor(price),
        reserve=reserve,
        bid_count=lot.bid_count + 1,
        bidder_id=bid.bidder_id,
        bid_id=bid.bid_id,
        maximum_minor=bid.amount_minor,
        freight_minor=bid.freight_minor,
        person_id=bid.person_id,
    )
    if not moved:
        return [placed]
    return [placed, *_extension(sale, lot, now_us)]


def _extension(sale: Sale, lot: Lot, now_us: int) -> list[AnyEvent]:
    """How a bid that changed the price or the leader at ``now_us`` moves the ends of the sale."""
    terms = sale.terms
    end_us = extended_end_us(terms.soft_close, now_us, lot.closes_at_us, lot.latest_end_us)
    if end_us == lot.closes_at_us:
        return []
    extended = EndExtended(
        lot_id=lot.lot_id,
        closes_at_us=end_us,
        extensions=lot.extensions + 1,
        final=end_us == lot.latest_end_us,
    )
    if terms.closing is ClosingMode.INDEPENDENT:
        return [extended]
    others = (lot for lot in sale.lots.values() if lot.is_unended(now_us))
    ends = tuple(
        MovedEnd(lot_id, moved_us, sale.lots[lot_id].latest_end_us)
        for lot_id, moved_us in linked_ends(terms.closing, lot, end_us, others)
    )
    if not ends:
        return [extended]
    linked = EndsMoved(reason=MoveReason.LINKED, cause_lot_id=lot.lot_id, dark_us=None, ends=ends)
    return [extended, linked]
