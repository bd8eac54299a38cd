"""The public story of a sale told again: what each event must be after those before it.

It reads only what everybody may see, so an outsider with an export can run it as well as staff
with the whole log. It shares no code with ``decide``, ``pricing`` and ``closing``: a rule that is
wrong there does not pass here. What was recorded is taken as it stands after it was complained
about, so that one fault is one complaint and not a thousand.
"""

from collections import deque
from typing import Any

from msgspec import structs

from auction.audit_ends import (
    IF_BID,
    LIVE,
    PASSED,
    SOLD,
    WITHDRAWN,
    PublicLot,
    extended_us,
    linked,
    moved_after,
)
from auction.commands import WithdrawalCause
from auction.events import (
    Allocation,
    AnyEvent,
    BidPlaced,
    BidsVoided,
    EndExtended,
    EndsMoved,
    IfBidOpened,
    LotPassed,
    LotScheduled,
    LotSold,
    LotsRescheduled,
    LotWithdrawn,
    MoveReason,
    PassReason,
    ReserveStatusChanged,
    SaleCancelled,
    SaleClosed,
    SalePaused,
    SaleResumed,
    SaleScheduled,
)
from auction.ids import LotId, Paddle
from auction.increments import IncrementTable
from auction.pricing import ReserveStatus
from auction.sale import LotStatus
from auction.terms import Terms, VoidRule

_BOUND = "a lot without reserve was withdrawn after a bid"

NONE, NOT_MET, MET = ReserveStatus.NONE, ReserveStatus.NOT_MET, ReserveStatus.MET


class PublicStory:
    """Checks the public events of one sale, in their order."""

    def __init__(self) -> None:
        self.terms: Terms | None = None
        self.lots: dict[LotId, PublicLot] = {}
        self.paused_from_us: int | None = None
        self.closed = False
        self._cause: WithdrawalCause | None = None  # why the sale was cancelled
        self._going: set[LotId] = set()  # lots that are withdrawn with it
        self._last_at_us = 0
        self._at_us = 0
        self._due: deque[tuple[type[AnyEvent], dict[str, Any]]] = deque()
        self._faults: list[str] = []

    def check(self, event: AnyEvent, at_us: int) -> list[str]:
        """What is wrong with the next public event, as sentences; it is then taken as it stands."""
        self._faults, self._at_us = [], at_us
        was_due = self._check_due(event)
        if self.closed:
            self._fault("something happened in public after the sale had closed")
        lot_id = getattr(event, "lot_id", None)
        if self.terms is None and not isinstance(event, SaleScheduled):
            self._fault("the sale was not scheduled before it")
        elif lot_id is not None and lot_id not in self.lots and not isinstance(event, LotScheduled):
            self._fault(f"there is no lot {lot_id}")
        else:
            self._take(event, was_due)
        self._last_at_us = at_us
        return self._faults

    def end(self) -> list[str]:
        """What is missing after the last event."""
        return [f"{kind.__name__} had to follow and is missing" for kind, _ in self._due]

    def is_unended(self, lot: PublicLot, at_us: int) -> bool:
        """Whether its end is still to come. In a pause the time of the lots stands still."""
        if lot.lot_id in self._going:
            return False
        lots_time_us = at_us if self.paused_from_us is None else self.paused_from_us
        return lot.status is LIVE and lots_time_us < lot.closes_at_us

    def _fault(self, what: str) -> None:
        self._faults.append(what)

    def _expect(self, right: bool, fault: str) -> None:
        if not right:
            self._fault(fault)

    # --- What one decision writes together ---------------------------------------------------

    def _must_follow(self, kind: type[AnyEvent], **fields: Any) -> None:
        self._due.append((kind, fields))

    def _check_due(self, event: AnyEvent) -> bool:
        """Whether the event is the one that had to come now."""
        if not self._due:
            return False
        kind, fields = self._due.popleft()
        if not isinstance(event, kind):
            self._fault(f"{kind.__name__} had to come first")
            self._due.clear()
            return False
        if self._at_us != self._last_at_us:
            self._fault("its time is not that of the event that it belongs to")
        seen = structs.asdict(event)
        for name, value in fields.items():
            self._expect(seen[name] == value, f"{name} is {seen[name]}, and not {value}")
        return True

    # --- The events --------------------------------------------------------------------------

    def _take(self, event: AnyEvent, was_due: bool) -> None:  # noqa: C901 - dispatch
        match event:
            case BidPlaced():
                self._bid_placed(event)
            case EndExtended():
                self._expect(was_due, "no bid before it extends the lot")
                self._end_extended(event)
            case EndsMoved():
                self._ends_moved(event, was_due)
            case SaleScheduled():
                self._expect(self.terms is None, "the sale was scheduled before")
                self.terms = event.terms
            case LotScheduled():
                self._lot_scheduled(event)
            case ReserveStatusChanged():
                self._reserve_status_changed(event)
            case BidsVoided():
                self._bids_voided(event)
            case LotsRescheduled():
                self._lots_rescheduled(event)
            case LotWithdrawn():
                self._lot_withdrawn(event)
            case SaleCancelled():
                self._sale_cancelled(event)
            case SalePaused():
                self._expect(self.paused_from_us is None, "the sale was paused before")
                self.paused_from_us = self._at_us
            case SaleResumed():
                self._sale_resumed()
            case IfBidOpened():
                self._if_bid_opened(event)
            case LotSold():
                self._lot_sold(event)
            case LotPassed():
                self._lot_passed(event)
            case SaleClosed():
                self._expect(was_due, "not every lot has ended, or it closed before")
                self.closed = True
            case _:
                raise AssertionError("only public events are handed over")

    def _lot_scheduled(self, event: LotScheduled) -> None:
        self._expect(event.lot_id not in self.lots, "the lot was scheduled before")
        self._expect(self._cause is None, "a lot joined a sale that was cancelled")
        self._expect(event.opens_at_us < event.closes_at_us, "it closes before it opens")
        self._expect(event.closes_at_us > self._at_us, "it closed before it was scheduled")
        self._expect(event.reserve is not MET, "a reserve is met by a bid")
        self.lots[event.lot_id] = PublicLot(
            lot_id=event.lot_id,
            opening_minor=event.opening_minor,
            opens_at_us=event.opens_at_us,
            scheduled_closes_at_us=event.closes_at_us,
            closes_at_us=event.closes_at_us,
            latest_end_us=event.latest_end_us,
            group=event.group,
            reserve=event.reserve,
            minimum_minor=event.opening_minor,
        )

    def _lots_rescheduled(self, event: LotsRescheduled) -> None:
        self._expect(self._cause is None, "a cancelled sale's lots were moved")
        self._expect(bool(event.lots), "no lot was moved")
        for moved in event.lots:
            lot = self.lots.get(moved.lot_id)
            if lot is None or lot.status is not LIVE or lot.opens_at_us <= self._at_us:
                self._fault(f"bidding on lot {moved.lot_id} had begun, or it is no lot")
                continue
            old = (lot.opens_at_us, lot.closes_at_us, lot.latest_end_us)
            told = (moved.old_opens_at_us, moved.old_closes_at_us, moved.old_latest_end_us)
            self._expect(told == old, f"lot {moved.lot_id} was at other times before")
            ahead = self._at_us < moved.opens_at_us < moved.closes_at_us
            self._expect(ahead, f"lot {moved.lot_id} cannot be moved so")
            later_us = moved.closes_at_us - lot.closes_at_us
            latest_us = None if lot.latest_end_us is None else lot.latest_end_us + later_us
            self._expect(moved.latest_end_us == latest_us, "the latest end moves with the end")
            lot.opens_at_us, lot.latest_end_us = moved.opens_at_us, moved.latest_end_us
            lot.scheduled_closes_at_us = lot.closes_at_us = moved.closes_at_us

    def _bid_placed(self, event: BidPlaced) -> None:
        lot, terms = self.lots[event.lot_id], self._terms
        self._expect(self._cause is None, "a bid in a sale that was cancelled")
        self._expect(lot.is_open(self._at_us), "a bid while the lot was not open")
        self._expect(self.paused_from_us is None, "a bid while the sale was paused")
        self._expect(event.price_minor >= (lot.price_minor or 0), "the price fell")
        if terms.enforce_minimum:
            self._expect(event.price_minor >= lot.opening_minor, "a price below the opening bid")
        self._expect(event.bid_count == lot.bid_count + 1, "the bids are counted wrongly")
        self._expect(
            event.leader in (event.paddle, lot.leader), "the lead went to one who did not bid"
        )
        self._expect(_goes(lot.reserve, event.reserve, down=False), "the reserve changed by a bid")
        before = (lot.price_minor, lot.leader)
        unchanged = (*before, lot.reserve) == (event.price_minor, event.leader, event.reserve)
        if event.paddle == lot.leader:
            self._expect(not unchanged, "the leader's raise changed nothing, and is public")
        self._stand(lot, event)
        lot.bid_count = event.bid_count
        lot.paddles.add(event.paddle)
        if before != (lot.price_minor, lot.leader):
            self._expect_extension(lot)

    def _stand(self, lot: PublicLot, event: BidPlaced | BidsVoided) -> None:
        """Take over price, minimum, leader and reserve."""
        minimum_minor = lot.opening_minor
        if event.price_minor is not None:
            minimum_minor = event.price_minor + increment_minor(
                self._terms.increments, event.price_minor
            )
        self._expect(event.next_minimum_minor == minimum_minor, "the next minimum is wrong")
        lot.price_minor, lot.minimum_minor = event.price_minor, event.next_minimum_minor
        lot.leader, lot.reserve = event.leader, event.reserve

    def _reserve_status_changed(self, event: ReserveStatusChanged) -> None:
        lot = self.lots[event.lot_id]
        self._expect(
            self.is_unended(lot, self._at_us), "the reserve of a lot that had ended was changed"
        )
        self._expect(
            event.price_minor == lot.price_minor, "a change of the reserve moved the price"
        )
        same = event.next_minimum_minor == lot.minimum_minor
        self._expect(same, "a change of the reserve moved the minimum")
        self._expect(event.reserve is not lot.reserve, "the reserve's status is as before")
        down = _goes(lot.reserve, event.reserve, down=True)
        self._expect(lot.leader is None or down, "a reserve was raised after the first bid")
        lot.reserve = event.reserve

    def _bids_voided(self, event: BidsVoided) -> None:
        lot = self.lots[event.lot_id]
        self._expect(self.is_unended(lot, self._at_us), "bids were voided after the lot's end")
        self._expect(event.paddle in lot.paddles, "the bidder has no bid that stands")
        lot.paddles.discard(event.paddle)
        if self._terms.void_rule is VoidRule.NO_REVIVE:
            lot.paddles.clear()
        someone = event.leader in lot.paddles if lot.paddles else event.leader is None
        self._expect(someone, "the lead went to one whose bids do not stand")
        self._expect(
            (event.leader is None) is (event.price_minor is None), "a price without a leader"
        )
        self._expect((event.reserve is NONE) is (lot.reserve is NONE), "a void changed the reserve")
        self._stand(lot, event)

    # --- Ends --------------------------------------------------------------------------------

    def _expect_extension(self, lot: PublicLot) -> None:
        """What must follow a bid that changed price or leader now."""
        new_us = extended_us(self._terms.soft_close, lot, self._at_us)
        if new_us == lot.closes_at_us:
            return
        self._must_follow(
            EndExtended,
            lot_id=lot.lot_id,
            closes_at_us=new_us,
            extensions=lot.extensions + 1,
            final=new_us == lot.latest_end_us,
        )
        ends = linked(self._terms.closing, lot, new_us, self.lots.values(), self._at_us)
        if ends:
            self._must_follow(
                EndsMoved,
                reason=MoveReason.LINKED,
                cause_lot_id=lot.lot_id,
                dark_us=None,
                ends=ends,
            )

    def _end_extended(self, event: EndExtended) -> None:
        lot = self.lots[event.lot_id]
        self._expect(event.closes_at_us > lot.closes_at_us, "an extension moved the end earlier")
        lot.closes_at_us, lot.extensions = event.closes_at_us, event.extensions

    def _ends_moved(self, event: EndsMoved, was_due: bool) -> None:
        if event.reason is MoveReason.OUTAGE:
            self._check_outage(event)
        else:
            self._expect(was_due, "nothing before it moves these ends")
        for end in event.ends:
            lot = self.lots.get(end.lot_id)
            if lot is None or lot.status is not LIVE or end.closes_at_us <= lot.closes_at_us:
                self._fault(f"the end of lot {end.lot_id} cannot move so")
            else:
                lot.closes_at_us, lot.latest_end_us = end.closes_at_us, end.latest_end_us

    def _check_outage(self, event: EndsMoved) -> None:
        self._expect(self.paused_from_us is None, "a paused sale's ends moved for an outage")
        if not event.dark_us:
            return  # the writer's clock was behind: how far, the log does not tell
        dark_from_us = self._at_us - event.dark_us
        self._expect(
            dark_from_us >= self._last_at_us, "the outage began before the event before it"
        )
        soft_close = self._terms.soft_close
        ends = moved_after(self.lots.values(), soft_close, dark_from_us, self._at_us)
        self._expect(event.ends == ends, "an outage moves the ends otherwise")

    def _sale_resumed(self) -> None:
        if self.paused_from_us is None:
            self._fault("the sale was not paused")
            return
        paused_from_us, self.paused_from_us = self.paused_from_us, None
        ends = moved_after(self.lots.values(), self._terms.soft_close, paused_from_us, self._at_us)
        if ends:
            self._must_follow(
                EndsMoved,
                reason=MoveReason.PAUSE,
                cause_lot_id=None,
                dark_us=self._at_us - paused_from_us,
                ends=ends,
            )

    # --- How lots end ------------------------------------------------------------------------

    def _lot_withdrawn(self, event: LotWithdrawn) -> None:
        lot = self.lots[event.lot_id]
        if event.lot_id in self._going:
            self._going.discard(event.lot_id)
            self._expect(event.cause is self._cause, "withdrawn for another cause than its sale")
        else:
            open_ = self.is_unended(lot, self._at_us)
            self._expect(open_, "the lot was withdrawn after its end")
            self._expect(self._may_go(lot, event.cause), _BOUND)
        self._end(lot, WITHDRAWN)

    def _may_go(self, lot: PublicLot, cause: WithdrawalCause) -> bool:
        bound = lot.reserve is NONE and lot.leader is not None
        return not bound or cause is not WithdrawalCause.SELLER

    def _sale_cancelled(self, event: SaleCancelled) -> None:
        self._expect(self._cause is None, "the sale was cancelled before")
        going = [lot for lot in self.lots.values() if self.is_unended(lot, self._at_us)]
        self._expect(bool(going), "no lot was still to close")
        self._expect(all(self._may_go(lot, event.cause) for lot in going), _BOUND)
        self._cause, self._going = event.cause, {lot.lot_id for lot in going}

    def _if_bid_opened(self, event: IfBidOpened) -> None:
        lot, held_us = self.lots[event.lot_id], self._terms.if_bid_us
        self._expect(self._is_due(lot, LIVE), "the lot's end had not come")
        self._expect(held_us is not None and lot.reserve is NOT_MET, "the terms hold no such bid")
        known = (event.paddle, event.price_minor) == (lot.leader, lot.price_minor)
        self._expect(known, "it is not the leading bid that is held")
        self._expect(
            event.until_us == self._at_us + (held_us or 0), "it is held until another time"
        )
        lot.status, lot.closes_at_us = IF_BID, event.until_us

    def _lot_sold(self, event: LotSold) -> None:
        lot, hammer_minor = self.lots[event.lot_id], event.hammer_price_minor
        self._expect(lot.leader is not None, "sold without a bid")
        if lot.status is IF_BID:
            self._expect(self._at_us < lot.closes_at_us, "the held bid was free by then")
            self._expect(hammer_minor >= (lot.price_minor or 0), "sold below the price")
        else:
            self._expect(self._is_due(lot, LIVE), "the lot's end had not come")
            self._expect(lot.reserve is not NOT_MET, "sold below the reserve")
            self._expect(hammer_minor == lot.price_minor, "the hammer price is not the price")
        allocated = tuple(Allocation(p, 1, hammer_minor, hammer_minor) for p in _some(lot.leader))
        self._expect(event.allocations == allocated, "it was not sold to the leader")
        self._expect(event.reserve is lot.reserve, "the reserve's status is another one")
        lot.price_minor = hammer_minor
        self._end(lot, SOLD)

    def _lot_passed(self, event: LotPassed) -> None:
        lot = self.lots[event.lot_id]
        self._expect(event.price_minor == lot.price_minor, "it is not the price that was reached")
        match event.reason:
            case PassReason.NO_BIDS:
                right = self._is_due(lot, LIVE) and lot.leader is None
            case PassReason.RESERVE_NOT_MET:
                bid_below = lot.leader is not None and lot.reserve is NOT_MET
                right = self._is_due(lot, LIVE) and bid_below and self._terms.if_bid_us is None
            case PassReason.IF_BID_EXPIRED:
                right = self._is_due(lot, IF_BID)
            case PassReason.IF_BID_DECLINED:
                right = lot.status is IF_BID and self._at_us < lot.closes_at_us
        self._expect(right, f"the lot could not pass for {event.reason}")
        self._end(lot, PASSED)

    def _end(self, lot: PublicLot, status: LotStatus) -> None:
        self._expect(not lot.has_ended, "the lot had ended before")
        lot.status = status
        ends = [lot.status for lot in self.lots.values() if lot.has_ended]
        if len(ends) == len(self.lots):
            self._must_follow(
                SaleClosed,
                sold=ends.count(SOLD),
                passed=ends.count(PASSED),
                withdrawn=ends.count(WITHDRAWN),
            )

    def _is_due(self, lot: PublicLot, status: LotStatus) -> bool:
        """Whether a lot in this status is closed by the timer now."""
        in_time = self.paused_from_us is None and self._at_us >= lot.closes_at_us
        return lot.status is status and in_time and lot.lot_id not in self._going

    @property
    def _terms(self) -> Terms:
        assert self.terms is not None, "asked only after the sale was scheduled"
        return self.terms


def increment_minor(table: IncrementTable, price_minor: int) -> int:
    """The increment at a price: that of the last step which begins at or below it."""
    begun = [step for step in table.steps if step.from_minor <= price_minor]
    return begun[-1].increment_minor


def _goes(before: ReserveStatus, after: ReserveStatus, *, down: bool) -> bool:
    """Whether a reserve's status may go so by a bid, or (``down``) by lowering the reserve."""
    return before is after or (before, after) in (
        {(NOT_MET, MET), (NOT_MET, NONE), (MET, NONE)} if down else {(NOT_MET, MET)}
    )


def _some(paddle: Paddle | None) -> list[Paddle]:
    return [] if paddle is None else [paddle]
