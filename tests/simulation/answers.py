"""I1 to I3, I15, I26: what the engine said, held against what was durable when it said it.

An acceptance must name an event that is in the log at that moment. A refusal must be right by
the durable state at some moment between question and answer: one that rests on a bid which is
not written yet is told apart, since nothing durable explains it.
"""

from msgspec import Struct, field

from auction import events as e
from auction.codec import Recorded
from auction.commands import PlaceBid
from auction.ids import SaleId, Shard, shard_of
from auction.rejections import Rejection
from auction.verdicts import LotState, Verdict
from tests.simulation.model import Sale
from tests.simulation.owners import Owners
from tests.simulation.sale_state import Report
from tests.simulation.tape import Attempt, Published, Tape
from tests.simulation.wishes import facts, wishes

FIRST_EVENTS: dict[str, tuple[type[e.Event], ...]] = {
    "PlaceBid": (e.BidPlaced, e.MaximumRaised),
    "ScheduleSale": (e.SaleScheduled,),
    "AddLots": (e.LotScheduled,),
    "MoveLots": (e.LotsRescheduled,),
    "AdmitBidders": (e.BiddersAdmitted,),
    "DismissBidders": (e.BiddersDismissed,),
    "CancelSale": (e.SaleCancelled,),
    "RegisterBidder": (e.BidderRegistered,),
    "SetLimit": (e.LimitChanged,),
    "SetBudgets": (e.BudgetsSet,),
    "ChangeReserve": (e.ReserveChanged,),
    "VoidBids": (e.BidsVoided,),
    "WithdrawLot": (e.LotWithdrawn,),
    "PauseSale": (e.SalePaused,),
    "ResumeSale": (e.SaleResumed,),
    "AcceptIfBid": (e.LotSold,),
    "DeclineIfBid": (e.LotPassed,),
    "CounterIfBid": (e.IfBidCountered,),
    "AnswerCounter": (e.LotSold, e.CounterDeclined),
    "RecordFunding": (e.AwardFunded,),
    "CloseDue": (e.LotSold, e.LotPassed, e.IfBidOpened, e.LotWithdrawn),
}


# While all is well, an answer comes within this time.
SOON_US = 1_000_000


class _Open(Struct):
    """A bid that is being asked, and all that would be right to answer."""

    attempt: Attempt
    right: set[str] = field(default_factory=set)
    since_us: int = 0


class _Accepted(Struct, frozen=True):
    """An acceptance as it was first told."""

    code: str
    sequence: int | None
    receipt: bytes | None


class Answers:
    """Follows every question from being asked to its answer."""

    def __init__(
        self, tape: Tape, sales: dict[SaleId, Sale], owners: Owners, report: Report
    ) -> None:
        self._tape, self._sales, self._owners, self._report = tape, sales, owners, report
        self._open: dict[int, _Open] = {}
        self._sent: dict[tuple[str, str], list[PlaceBid]] = {}
        self._receipts: dict[tuple[SaleId, bytes], Recorded] = {}
        self._bids: dict[tuple[str, str], Recorded] = {}
        self._told: dict[tuple[str, str], _Accepted] = {}
        self._latest_at = 0
        self._durable: dict[tuple[Shard, int], Recorded] = {}
        self._heard: dict[tuple[str, Shard], int] = {}
        self._asked: dict[str, int] = {}
        self._happened: dict[str, int] = {}
        self.stale = 0

    def asked(self, attempt: Attempt) -> None:
        """A command is sent."""
        command = attempt.command
        for wish in wishes(command):
            self._asked[wish] = self._asked.get(wish, 0) + 1
        if isinstance(command, PlaceBid):
            self._sent.setdefault((command.bidder_id, command.bid_id), []).append(command)
            self._open[attempt.no] = _Open(attempt)

    def before(self, recorded: Recorded, sale: Sale) -> None:
        """An event of a sale, before the model follows it."""
        self._latest_at = max(self._latest_at, recorded.at_us)
        for asked in self._open.values():
            if asked.attempt.command.sale_id == sale.sale_id:
                self._weigh(asked, recorded.at_us)
                asked.since_us = recorded.at_us

    def after(self, shard: Shard, recorded: Recorded, sale: Sale) -> None:
        """The same event is durable now."""
        event = recorded.event
        self._receipts[sale.sale_id, recorded.receipt] = recorded
        self._durable[shard, recorded.position] = recorded
        if isinstance(event, e.BidPlaced | e.MaximumRaised):
            self._bids[event.bidder_id, event.bid_id] = recorded
            content = (
                sale.sale_id,
                event.lot_id,
                event.maximum_minor,
                event.freight_minor,
                event.person_id,
            )
            sent = self._sent.get((event.bidder_id, event.bid_id), [])
            if content not in [_content(bid) for bid in sent]:
                self._report("I2", f"sale {sale.sale_id}: nobody sent {event}")
        for fact in facts(sale.sale_id, event):
            self._happened[fact] = self._happened.get(fact, 0) + 1
            if self._happened[fact] > self._asked.get(fact, 0):
                self._report("I2", f"{fact}: more often than it was asked for")

    def answered(self, attempt: Attempt) -> None:
        """An answer is given. What it says must be durable."""
        verdict, command = attempt.verdict, attempt.command
        asked = self._open.pop(attempt.no, None)
        self._comes_in_time(attempt)
        if verdict is None or verdict.code in (Rejection.BUSY, Rejection.UNAVAILABLE):
            return
        if verdict.lot is not None:
            self._shows(attempt, verdict.lot)
        if not verdict.accepted:
            if asked is not None:
                self._refused(asked, verdict)
        elif isinstance(command, PlaceBid):
            self._accepted_bid(command, verdict)
        elif verdict.receipt is not None:
            self._accepted(attempt, verdict, verdict.receipt)

    def _comes_in_time(self, attempt: Attempt) -> None:
        """While all is well, everybody is answered soon, and nobody is sent away."""
        owner = self._owners.names.get(shard_of(attempt.command.sale_id))
        if attempt.host != owner or self._tape.was_sick(attempt.us, attempt.answer_us):
            return
        took_us = attempt.answer_us - attempt.us
        if took_us > SOON_US:
            self._report("I27", f"{attempt.command} was answered after {took_us} us")
        sale = self._sales.get(attempt.command.sale_id)
        if sale is not None and sale.closed:
            return  # it may be put away while a command about it waits
        if self._tape.is_on_its_way(shard_of(attempt.command.sale_id), attempt.answer_us):
            return  # from one engine to another
        if attempt.verdict is not None and attempt.verdict.code is Rejection.UNAVAILABLE:
            self._report("I27", f"{attempt.command} was sent away at {attempt.us} us")

    def published(self, said: Published) -> None:
        """A host announced events: durable ones, and in order."""
        last = self._heard.get((said.host, said.shard), 0)
        for recorded in said.recorded:
            place = f"{said.host} shard {said.shard} position {recorded.position}"
            durable = self._durable.get((said.shard, recorded.position))
            if durable is None or durable.receipt != recorded.receipt:
                self._report("I1", f"{place}: announced, not durable: {recorded.event}")
            if recorded.position <= last:
                self._report("I15", f"{place}: announced after {last}")
            last = recorded.position
        self._heard[said.host, said.shard] = last

    # --- Refusals ---------------------------------------------------------------------------

    def _refused(self, asked: _Open, verdict: Verdict) -> None:
        attempt = asked.attempt
        sale_id = attempt.command.sale_id
        if self._owners.names.get(shard_of(sale_id)) != attempt.host:
            self.stale += 1  # another host owns the shard, and this one does not know it yet
            return
        self._weigh(asked, max(attempt.answer_engine_us, self._latest_at))
        if str(verdict.code) not in asked.right:
            text = f"{attempt.host} refused {attempt.command} with {verdict.code}"
            right = sorted(name or "accepting it" for name in asked.right)
            self._report("I3", f"{text}; by the log, right was {right}")

    def _weigh(self, asked: _Open, until_us: int) -> None:
        """What is right in the state that is durable now, from its beginning until a time."""
        bid = asked.attempt.command
        assert isinstance(bid, PlaceBid)
        sale = self._sales.get(bid.sale_id)
        if sale is None or sale.scheduled is None:
            asked.right.add("NOT_FOUND")
            return
        from_us = max(asked.attempt.engine_us, asked.since_us)
        times = {from_us, max(from_us, until_us)}
        lot = sale.lots.get(bid.lot_id)
        if lot is not None:
            turns = (lot.listed.opens_at_us, lot.end - 1, lot.end)
            times |= {turn for turn in turns if from_us < turn < until_us}
        asked.right |= {sale.judge(bid, time_us) for time_us in times}

    # --- Acceptances ------------------------------------------------------------------------

    def _accepted_bid(self, bid: PlaceBid, verdict: Verdict) -> None:
        recorded = self._bids.get((bid.bidder_id, bid.bid_id))
        told = _Accepted(str(verdict.code), verdict.sequence, verdict.receipt)
        first = self._told.setdefault((bid.bidder_id, bid.bid_id), told)
        if told != first:
            self._report("I3", f"{bid}: {told}, told before: {first}")
        if recorded is None:
            self._report("I1", f"{bid}: {verdict.code}, but it is not in the log")
            return
        event = recorded.event
        assert isinstance(event, e.BidPlaced | e.MaximumRaised)
        leads = isinstance(event, e.MaximumRaised) or event.leader == event.paddle
        true = _Accepted("LEADING" if leads else "OUTBID", recorded.sequence, recorded.receipt)
        same = (event.lot_id, event.maximum_minor) == (bid.lot_id, bid.amount_minor)
        if told != true or not same:
            self._report("I1", f"{bid}: {told}, the log says {true} for {event}")

    def _accepted(self, attempt: Attempt, verdict: Verdict, receipt: bytes) -> None:
        command = attempt.command
        recorded = self._receipts.get((command.sale_id, receipt))
        kinds = FIRST_EVENTS[type(command).__name__]
        fits = recorded is not None and isinstance(recorded.event, kinds)
        if recorded is None or not fits or recorded.sequence != verdict.sequence:
            self._report("I1", f"{command}: {verdict}, the log holds {recorded}")

    def _shows(self, attempt: Attempt, shown: LotState) -> None:
        """The lot in an answer is the lot after as many public events as it says."""
        sale = self._sales.get(attempt.command.sale_id)
        lot = None if sale is None else sale.lots.get(shown.lot_id)
        moments = [] if lot is None else lot.moments
        if not 0 < shown.lot_sequence <= len(moments):
            text = f"{attempt.host} shows lot {shown.lot_id} after {shown.lot_sequence} events"
            self._report("I1", f"{text}, the log holds {len(moments)}")
        elif _face(shown) != moments[shown.lot_sequence - 1]:
            text = f"{attempt.host} shows {shown}"
            self._report("I13", f"{text}, the log says {moments[shown.lot_sequence - 1]}")


def _face(lot: LotState) -> tuple[object, ...]:
    return (
        str(lot.status),
        lot.price_minor,
        lot.next_minimum_minor if lot.status == "LIVE" else None,
        lot.reserve,
        lot.bid_count,
        lot.extensions,
        lot.leader,
    )


def _content(bid: PlaceBid) -> tuple[object, ...]:
    return (bid.sale_id, bid.lot_id, bid.amount_minor, bid.freight_minor, bid.person_id)
