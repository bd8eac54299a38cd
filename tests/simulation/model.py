"""A sale recomputed from its events by the plainest means, to be held against what they say.

Whatever an event claims that does not follow is reported with the invariant that it breaks (the
numbers of the reliability page).
"""

from typing import Any

from msgspec import structs

from auction import events as e
from auction.commands import PlaceBid, WithdrawalCause
from auction.ids import LotId, SaleId
from auction.pricing import ReserveStatus
from auction.terms import ClosingMode, SaleAudience, VoidRule
from tests.simulation import arithmetic
from tests.simulation.sale_state import Bid, Bidder, Holding, Lot, Report, SaleState


class Sale(SaleState):
    """The model of one sale. ``expected``: what must follow at once, in the same append."""

    def __init__(self, sale_id: SaleId, report: Report) -> None:
        super().__init__(sale_id, report)
        self.expected: list[e.AnyEvent] = []
        self._append = 0

    def follow(self, event: e.AnyEvent, at: int, order: int, append: int) -> None:
        """The next event of the sale, in the append of this number: does it follow?"""
        if self.expected:
            expected = self.expected.pop(0)
            self._hold("I9", event == expected, f"{event} where {expected} must follow")
            self._hold("I9", append == self._append, f"{event} is in an append of its own")
        elif isinstance(event, e.EndExtended | e.ReserveStatusChanged | e.SaleClosed):
            self._report("I9", f"{event} follows from nothing")
        self._append = append
        getattr(self, f"_{event.__struct_config__.tag}")(event, at, order)
        if isinstance(event, e.LotSold | e.LotPassed | e.LotWithdrawn) and not self.unended:
            self.expected.append(self._closing())
        lot = self.lots.get(getattr(event, "lot_id", LotId("")))
        if lot is not None and event.PUBLIC:
            lot.moments.append(self.public_face(lot))

    # --- What each event must be ------------------------------------------------------------

    def _sale_scheduled(self, event: e.SaleScheduled, at: int, order: int) -> None:
        self._hold("I3", self.scheduled is None, "scheduled twice")
        self.scheduled = event

    def _lot_scheduled(self, event: e.LotScheduled, at: int, order: int) -> None:
        self._hold("I3", event.lot_id not in self.lots, f"lot {event.lot_id} scheduled twice")
        lot = Lot(event, event.closes_at_us, event.latest_end_us, event.reserve_minor)
        self._hold("I11", event.closes_at_us > at, "a lot that has ended when it is listed")
        self._hold("I7", event.reserve is lot.reserve_status, "the reserve's state")
        self.lots[event.lot_id] = lot

    def _lots_rescheduled(self, event: e.LotsRescheduled, at: int, order: int) -> None:
        self._hold("I10", self.cancelled is None, f"{event}: the sale was cancelled")
        for told in event.lots:
            lot = self.lots[told.lot_id]
            fits = lot.status == "LIVE" and not lot.bids and at < lot.listed.opens_at_us
            self._hold("I8", fits, f"{event} at {at}: bidding had begun")
            before = (lot.listed.opens_at_us, lot.end, lot.latest)
            said = (told.old_opens_at_us, told.old_closes_at_us, told.old_latest_end_us)
            self._hold("I7", before == said, f"{event}: lot {told.lot_id} was at {before}")
            self._hold("I8", at < told.opens_at_us < told.closes_at_us, f"{event} at {at}")
            latest = lot.latest and lot.latest + told.closes_at_us - lot.end
            self._hold("I7", told.latest_end_us == latest, f"{event}: the latest end is {latest}")
            lot.end, lot.latest = told.closes_at_us, told.latest_end_us
            lot.listed = structs.replace(
                lot.listed, opens_at_us=told.opens_at_us, closes_at_us=told.closes_at_us
            )

    def _bidders_admitted(self, event: e.BiddersAdmitted, at: int, order: int) -> None:
        self._chosen(event, new=not self.admitted & set(event.bidder_ids))
        self.admitted |= set(event.bidder_ids)

    def _bidders_dismissed(self, event: e.BiddersDismissed, at: int, order: int) -> None:
        self._chosen(event, new=self.admitted >= set(event.bidder_ids))
        self.admitted -= set(event.bidder_ids)

    def _chosen(self, event: e.BiddersAdmitted | e.BiddersDismissed, *, new: bool) -> None:
        assert self.scheduled is not None
        hidden = self.scheduled.audience is not SaleAudience.PUBLIC
        fits = hidden and not self.closed and bool(event.bidder_ids)
        self._hold("I7", fits and new, f"{event}: nothing is changed by it")

    def _bidder_registered(self, event: e.BidderRegistered, at: int, order: int) -> None:
        self._hold("I16", self.knows(event.bidder_id), f"{event}: not admitted")
        for bidder_id, other in self.bidders.items():
            same = bidder_id == event.bidder_id
            fits = (other.registered.paddle == event.paddle) == same
            self._hold("I3", fits, f"paddle {event.paddle} of {event.bidder_id}")
        before = self.bidders.get(event.bidder_id)
        budgets = before.budgets if before else ()
        self.bidders[event.bidder_id] = Bidder(event, event.limit_minor, budgets)

    def _budgets_set(self, event: e.BudgetsSet, at: int, order: int) -> None:
        self._hold("I20", not self.closed, f"{event}: the sale is over")
        self._hold("I16", self.knows(event.bidder_id), f"{event}: not admitted")
        self.bidders[event.bidder_id].budgets = event.budgets

    def _limit_changed(self, event: e.LimitChanged, at: int, order: int) -> None:
        self.bidders[event.bidder_id].limit = event.limit_minor

    def _bid_placed(self, event: e.BidPlaced, at: int, order: int) -> None:
        lot = self.lots[event.lot_id]
        price, leader, met = lot.price, lot.leader, lot.reserve_status
        self._stand(event, lot, at, order)
        claimed = (event.price_minor, event.leader, event.reserve, event.next_minimum_minor)
        lot.bid_count += 1
        worked_out = (
            lot.price,
            self.paddle(lot.leader),
            lot.reserve_status,
            self.next_minimum(lot),
        )
        self._hold("I7", claimed == worked_out, f"{event} should say {worked_out}")
        self._hold("I7", event.bid_count == lot.bid_count, f"{event}: bid {lot.bid_count}")
        changed = (price, leader) != (lot.price, lot.leader)
        hidden = event.bidder_id == leader and not changed and met is lot.reserve_status
        self._hold("I7", not hidden, f"{event} should be private")
        if changed:
            self._expect_extension(lot, at)

    def _maximum_raised(self, event: e.MaximumRaised, at: int, order: int) -> None:
        lot = self.lots[event.lot_id]
        before = (lot.price, lot.leader, lot.reserve_status)
        self._hold("I7", event.bidder_id == lot.leader, f"{event}: not the leader")
        self._stand(event, lot, at, order)
        after = (lot.price, lot.leader, lot.reserve_status)
        self._hold("I7", before == after, f"{event} should be public: {before} {after}")

    def _stand(self, event: e.BidPlaced | e.MaximumRaised, lot: Lot, at: int, order: int) -> None:
        """A bid that was accepted: might it be? Then the price that follows."""
        key = (event.bidder_id, event.bid_id)
        self._hold("I3", key not in self.accepted, f"bid id {event.bid_id} stands twice")
        bid = PlaceBid(
            sale_id=self.sale_id,
            lot_id=event.lot_id,
            bidder_id=event.bidder_id,
            bid_id=event.bid_id,
            amount_minor=event.maximum_minor,
            currency=self.terms.currency,
            freight_minor=event.freight_minor,
            person_id=event.person_id,
        )
        self.accepted.pop(key, None)
        reason = self.judge(bid, at)
        self._hold(_INVARIANTS.get(reason, "I7"), not reason, f"{event} at {at}: {reason}")
        self.accepted[key] = (event.lot_id, event.maximum_minor)
        made = Bid(
            event.bidder_id, event.maximum_minor, event.freight_minor, order, event.person_id
        )
        lot.bids.append(made)
        self._reprice(lot, at_least=lot.price or 0)

    def _reprice(self, lot: Lot, *, at_least: int = 0) -> None:
        ranked = lot.ranked()
        lot.price = None
        if ranked:
            maxima = [bid.maximum for bid in ranked]
            opening = lot.listed.opening_minor
            lot.price = max(at_least, arithmetic.price_of(self.terms, opening, lot.reserve, maxima))

    def _expect_extension(self, lot: Lot, now: int) -> None:
        end = arithmetic.extended(self.terms.soft_close, now, lot.end, lot.latest)
        if end == lot.end:
            return
        extended = e.EndExtended(
            lot_id=lot.listed.lot_id,
            closes_at_us=end,
            extensions=lot.extensions + 1,
            final=end == lot.latest,
        )
        self.expected.append(extended)
        ends = tuple(
            e.MovedEnd(other.listed.lot_id, new_end, other.latest)
            for other in self.lots.values()
            if (new_end := self._linked_end(lot, end, other, now)) > other.end
        )
        if ends:
            self.expected.append(
                e.EndsMoved(
                    reason=e.MoveReason.LINKED,
                    cause_lot_id=lot.listed.lot_id,
                    dark_us=None,
                    ends=ends,
                )
            )

    def _linked_end(self, lot: Lot, end: int, other: Lot, now: int) -> int:
        if other is lot or other.status != "LIVE" or other.end <= now:
            return other.end
        mode = self.terms.closing
        behind = {
            ClosingMode.INDEPENDENT: False,
            ClosingMode.GROUP: other.listed.group == lot.listed.group,
            ClosingMode.CASCADE: other.listed.closes_at_us > lot.listed.closes_at_us,
        }[mode]
        wanted = arithmetic.linked(mode, lot.end, end, end=other.end, behind=behind)
        return arithmetic.within(wanted, other.end, other.latest)

    def _end_extended(self, event: e.EndExtended, at: int, order: int) -> None:
        lot = self.lots[event.lot_id]
        self._hold("I9", event.closes_at_us > lot.end, f"{event}: the end was {lot.end}")
        if lot.latest is not None:
            self._hold("I9", event.closes_at_us <= lot.latest, f"{event} is past {lot.latest}")
        lot.end, lot.extensions = event.closes_at_us, event.extensions

    def _ends_moved(self, event: e.EndsMoved, at: int, order: int) -> None:
        for moved in event.ends:
            lot = self.lots[moved.lot_id]
            fits = lot.status == "LIVE" and moved.closes_at_us > lot.end
            self._hold("I9", fits, f"{event}: lot {moved.lot_id} is {lot.status}, ends {lot.end}")
            lot.end, lot.latest = moved.closes_at_us, moved.latest_end_us

    def _reserve_changed(self, event: e.ReserveChanged, at: int, order: int) -> None:
        lot = self._open_lot(event.lot_id, at, event)
        before = lot.reserve_status
        if lot.bids:
            lowered = (event.reserve_minor or 0) < (lot.reserve or 0)
            self._hold("I7", lowered, f"{event}: the reserve was {lot.reserve}")
        lot.reserve = event.reserve_minor
        if lot.reserve_status is not before:
            self.expected.append(
                e.ReserveStatusChanged(
                    lot_id=event.lot_id,
                    reserve=lot.reserve_status,
                    price_minor=lot.price,
                    next_minimum_minor=self.next_minimum(lot),
                )
            )

    def _reserve_status_changed(self, event: Any, at: int, order: int) -> None:
        """All of it was expected."""

    def _bids_voided(self, event: e.BidsVoided, at: int, order: int) -> None:
        lot = self._open_lot(event.lot_id, at, event)
        self._hold("I22", bool(self.own(lot, event.bidder_id)), f"{event}: no bids to void")
        if self.terms.void_rule is VoidRule.NO_REVIVE:
            lot.bids.clear()
        lot.bids = [bid for bid in lot.bids if bid.bidder != event.bidder_id]
        self._reprice(lot)
        claimed = (event.price_minor, event.leader, event.reserve, event.next_minimum_minor)
        worked_out = (
            lot.price,
            self.paddle(lot.leader),
            lot.reserve_status,
            self.next_minimum(lot),
        )
        self._hold("I22", claimed == worked_out, f"{event} should say {worked_out}")

    def _lot_withdrawn(self, event: e.LotWithdrawn, at: int, order: int) -> None:
        with_the_sale = event.lot_id in self.going
        lot = self.lots[event.lot_id] if with_the_sale else self._open_lot(event.lot_id, at, event)
        self._hold("I10", self._may_go(lot, event.cause), f"{event}: it has a bid and no reserve")
        if with_the_sale and self.cancelled is not None:
            self.going.discard(event.lot_id)
            same = (event.cause, event.reason) == (self.cancelled.cause, self.cancelled.reason)
            self._hold("I10", same, f"{event}: the sale was cancelled by {self.cancelled}")
        lot.status = "WITHDRAWN"

    def _may_go(self, lot: Lot, cause: WithdrawalCause) -> bool:
        bound = lot.reserve is None and bool(lot.bids)
        return not bound or cause is not WithdrawalCause.SELLER

    def _sale_cancelled(self, event: e.SaleCancelled, at: int, order: int) -> None:
        self._hold("I10", self.cancelled is None, f"{event}: it was cancelled before")
        time = self.lots_time(at)
        going = [lot for lot in self.lots.values() if lot.status == "LIVE" and time < lot.end]
        allowed = bool(going) and all(self._may_go(lot, event.cause) for lot in going)
        self._hold("I10", allowed, f"{event}: a lot may not be withdrawn, or none is open")
        self.cancelled, self.going = event, {lot.listed.lot_id for lot in going}
        for lot in going[:1]:  # the others in chunks, and all of them in the end
            self.expected.append(
                e.LotWithdrawn(
                    lot_id=lot.listed.lot_id,
                    cause=event.cause,
                    reason=event.reason,
                    actor_id=event.actor_id,
                )
            )

    def _sale_paused(self, event: Any, at: int, order: int) -> None:
        self._hold("I10", self.paused_at is None, "paused twice")
        self.paused_at = at

    def _sale_resumed(self, event: Any, at: int, order: int) -> None:
        assert self.paused_at is not None
        ends = self.moved_ends(self.paused_at, at)
        if ends:
            self.expected.append(
                e.EndsMoved(
                    reason=e.MoveReason.PAUSE,
                    cause_lot_id=None,
                    dark_us=at - self.paused_at,
                    ends=ends,
                )
            )
        self.paused_at, self.resumed_at = None, at

    def _if_bid_opened(self, event: e.IfBidOpened, at: int, order: int) -> None:
        lot = self._closing_lot(event.lot_id, at, event)
        fits = self.terms.if_bid_us is not None and lot.reserve_status is ReserveStatus.NOT_MET
        self._hold("I7", fits and bool(lot.bids), f"{event}: {lot.reserve_status}")
        claimed = (event.bidder_id, event.price_minor, event.until_us)
        worked_out = (lot.leader, lot.price, at + (self.terms.if_bid_us or 0))
        self._hold("I7", claimed == worked_out, f"{event} should say {worked_out}")
        lot.status, lot.end = "IF_BID", event.until_us

    def _if_bid_countered(self, event: e.IfBidCountered, at: int, order: int) -> None:
        lot = self._held_lot(event.lot_id, at, event)
        self._hold("I7", event.amount_minor > (lot.price or 0), f"{event}: not above the bid")
        lot.counter = event.amount_minor

    def _counter_declined(self, event: e.CounterDeclined, at: int, order: int) -> None:
        self._hold("I16", self.knows(event.bidder_id), f"{event}: not admitted")
        self._held_lot(event.lot_id, at, event).counter = None

    def _lot_sold(self, event: e.LotSold, at: int, order: int) -> None:
        lot = self.lots[event.lot_id]
        prices = [lot.price]
        if lot.status == "IF_BID":
            self._held_lot(event.lot_id, at, event)
            prices.append(lot.counter)
        else:
            self._closing_lot(event.lot_id, at, event)
            met = lot.reserve_status is not ReserveStatus.NOT_MET
            self._hold("I7", met, f"{event}: below the reserve")
        self._hold("I7", event.winners == (lot.leader,), f"{event}: {lot.leader} leads")
        self._hold("I7", event.hammer_price_minor in prices, f"{event}: the price is {prices}")
        if lot.leader is not None:
            best = lot.ranked()[0]
            lot.award = self.all_in(lot.leader, event.hammer_price_minor, best.freight)
            if event.hammer_price_minor != lot.price:  # a counter-offer was taken
                self._hold("I16", self.knows(lot.leader), f"{event}: not admitted")
                taken = Holding(event.lot_id, lot.award, best.person, owed=True)
                reason = self.beyond(lot.leader, taken)
                self._hold("I20", not reason, f"{event} at {at}: {reason}")
        lot.status, lot.price = "SOLD", event.hammer_price_minor

    def _lot_passed(self, event: e.LotPassed, at: int, order: int) -> None:
        lot = self.lots[event.lot_id]
        if event.reason is e.PassReason.IF_BID_DECLINED:
            self._held_lot(event.lot_id, at, event)
        elif event.reason is e.PassReason.IF_BID_EXPIRED:
            self._hold("I11", lot.status == "IF_BID" and at >= lot.end, f"{event} at {at}")
        else:
            self._closing_lot(event.lot_id, at, event)
            no_bids = event.reason is e.PassReason.NO_BIDS
            unsold = no_bids or lot.reserve_status is ReserveStatus.NOT_MET
            self._hold("I7", unsold and no_bids is not bool(lot.bids), f"{event}: it has a buyer")
        self._hold("I7", event.price_minor == lot.price, f"{event}: the price is {lot.price}")
        lot.status = "PASSED"

    def _award_funded(self, event: e.AwardFunded, at: int, order: int) -> None:
        lot = self.lots[event.lot_id]
        owed = lot.status == "SOLD" and lot.leader == event.bidder_id and not lot.paid
        self._hold("I7", owed, f"{event}: nothing is owed")
        lot.paid = True

    def _sale_closed(self, event: e.SaleClosed, at: int, order: int) -> None:
        self._hold("I10", not self.closed, "closed twice")
        self.closed = True

    def _closing(self) -> e.SaleClosed:
        ends = [lot.status for lot in self.lots.values()]
        return e.SaleClosed(
            sold=ends.count("SOLD"),
            passed=ends.count("PASSED"),
            withdrawn=ends.count("WITHDRAWN"),
        )

    # --- Small questions --------------------------------------------------------------------

    def _hold(self, invariant: str, holds: bool, text: str) -> None:
        if not holds:
            self._report(invariant, f"sale {self.sale_id}: {text}")

    def _open_lot(self, lot_id: LotId, at: int, event: object) -> Lot:
        lot = self.lots[lot_id]
        open_ = lot.status == "LIVE" and lot_id not in self.going and self.lots_time(at) < lot.end
        self._hold("I10", open_, f"{event} at {at}: {lot.status}, ends {lot.end}")
        return lot

    def _closing_lot(self, lot_id: LotId, at: int, event: object) -> Lot:
        lot = self.lots[lot_id]
        live = lot.status == "LIVE" and lot_id not in self.going
        self._hold("I10", live, f"{event}: {lot.status}")
        self._hold("I11", at >= lot.end, f"{event} at {at}, {lot.end - at} us early")
        self._hold("I10", self.paused_at is None, f"{event} in a pause")
        return lot

    def _held_lot(self, lot_id: LotId, at: int, event: object) -> Lot:
        lot = self.lots[lot_id]
        self._hold("I10", lot.status == "IF_BID" and at < lot.end, f"{event}: {lot.status}")
        return lot


# Which invariant an accepted bid breaks that should have been refused for this reason.
_INVARIANTS = {
    "BID_ID_REUSED": "I3",
    "NOT_FOUND": "I16",
    "SELLER_MAY_NOT_BID": "I25",
    "LOT_NOT_OPEN": "I8",
    "LOT_CLOSED": "I8",
    "LOT_WITHDRAWN": "I10",
    "LIMIT_EXCEEDED": "I20",
    "BUDGET_EXCEEDED": "I20",
}
