"""A saleroom in hand: commands go in as the writer would hand them over, events come out.

Everything happens on one day, named by the clock: ``at("15:58")``. Amounts are cents, written
with a mark before the last two digits: ``1_025_00`` is 1,025.00.
"""

from itertools import count
from typing import Any, Final, TypeVar

from auction.budgets import AllInBudget, Budget, LotCountBudget, PersonCeiling
from auction.chain import apply, seal
from auction.codec import Recorded
from auction.commands import (
    AdmitBidders,
    CancelSale,
    ChangeReserve,
    CloseDue,
    Command,
    DismissBidders,
    LotTimes,
    MoveLots,
    PlaceBid,
    RegisterBidder,
    ScheduleSale,
    SetBudgets,
    VoidBids,
    WithdrawalCause,
    WithdrawLot,
)
from auction.decide import decide
from auction.events import AnyEvent, Event
from auction.ids import ActorId, BidderId, BidId, LiquidatorId, LotId, PersonId, SaleId
from auction.increments import EBAY
from auction.rejections import Decision, Rejected, Rejection
from auction.sale import AcceptedBid, Lot, Registration, Sale
from auction.terms import LotListing, SaleAudience, SoftClose, Terms

SALE: Final = SaleId("S-1")
HOUSE: Final = LiquidatorId("house")
STAFF_MEMBER: Final = ActorId("staff-7")
SECRET: Final = bytes(range(32))

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
HOUR_US: Final = 60 * MINUTE_US
DAY_START_US: Final = 1_772_409_600 * SECOND_US  # 2 March 2026, 00:00 UTC

# Most examples of the rules are told with eBay's table and no soft close.
EBAY_TERMS: Final = Terms(increments=EBAY, soft_close=None)
FIVE_AND_FIVE: Final = SoftClose(5 * MINUTE_US, 5 * MINUTE_US)

E = TypeVar("E", bound=Event)

_bid_numbers = count(1)


def at(clock: str) -> int:
    """``15:54:59.999`` on the day of the sale, in microseconds; ``40:00`` is 16:00 the next day."""
    hours, minutes, *rest = clock.split(":")
    whole, _, fraction = (rest[0] if rest else "0").partition(".")
    seconds_us = int(whole) * SECOND_US + int(fraction.ljust(6, "0") or 0)
    return DAY_START_US + int(hours) * HOUR_US + int(minutes) * MINUTE_US + seconds_us


def new_bid_id() -> BidId:
    """A bid id that no other test uses."""
    return BidId(f"00000000-0000-4000-8000-{next(_bid_numbers):012x}")


def a_lot(lot_id: str = "1", closes: str = "16:00", **changes: Any) -> LotListing:
    """A lot from 10:00 to 16:00 that opens at 100.00, without reserve."""
    settings: dict[str, Any] = {
        "lot_id": LotId(lot_id),
        "title": "Mixed returns",
        "opening_minor": 100_00,
        "opens_at_us": at("10:00"),
        "closes_at_us": at(closes),
    }
    return LotListing(**(settings | changes))


def schedule(
    *lots: LotListing,
    terms: Terms = EBAY_TERMS,
    sellers: tuple[str, ...] = (),
    audience: SaleAudience = SaleAudience.PUBLIC,
) -> ScheduleSale:
    """The command that opens the sale."""
    return ScheduleSale(
        sale_id=SALE,
        liquidator_id=HOUSE,
        audience=audience,
        seller_ids=tuple(BidderId(seller) for seller in sellers),
        terms=terms,
        lots=lots or (a_lot(),),
        secret=SECRET,
        actor_id=STAFF_MEMBER,
    )


def admit(*bidders: str) -> AdmitBidders:
    """Let bidders into a sale that is not public."""
    bidder_ids = tuple(BidderId(bidder) for bidder in bidders)
    return AdmitBidders(sale_id=SALE, bidder_ids=bidder_ids, actor_id=STAFF_MEMBER)


def dismiss(*bidders: str) -> DismissBidders:
    """Shut them out again."""
    bidder_ids = tuple(BidderId(bidder) for bidder in bidders)
    return DismissBidders(sale_id=SALE, bidder_ids=bidder_ids, actor_id=STAFF_MEMBER)


def register(bidder: str, **changes: Any) -> RegisterBidder:
    """Register a bidder that accepts the terms; no deposit, no limit."""
    settings: dict[str, Any] = {"sale_id": SALE, "bidder_id": BidderId(bidder), "terms_version": 1}
    return RegisterBidder(**(settings | changes))


def bid(bidder: str, amount_minor: int, lot: str = "1", **changes: Any) -> PlaceBid:
    """A bid in dollars with a new bid id."""
    settings: dict[str, Any] = {
        "sale_id": SALE,
        "lot_id": LotId(lot),
        "bidder_id": BidderId(bidder),
        "bid_id": new_bid_id(),
        "amount_minor": amount_minor,
        "currency": "USD",
    }
    return PlaceBid(**(settings | changes))


def at_most_lots(at_most: int, *lots: str, name: str = "so many") -> LotCountBudget:
    """So many of these lots, or of the whole sale."""
    chosen = tuple(LotId(lot) for lot in lots) or None
    return LotCountBudget(name=name, at_most=at_most, lots=chosen)


def at_most_all_in(at_most_minor: int, *lots: str, name: str = "so much") -> AllInBudget:
    """So much all-in for these lots, or for the whole sale."""
    chosen = tuple(LotId(lot) for lot in lots) or None
    return AllInBudget(name=name, at_most_minor=at_most_minor, lots=chosen)


def ceiling(person: str, at_most_minor: int) -> PersonCeiling:
    """So much all-in for one of the team."""
    return PersonCeiling(name=person, person_id=PersonId(person), at_most_minor=at_most_minor)


def set_budgets(bidder: str, *budgets: Budget) -> SetBudgets:
    """A bidder sets its budgets."""
    return SetBudgets(
        sale_id=SALE, bidder_id=BidderId(bidder), budgets=budgets, actor_id=STAFF_MEMBER
    )


def void(bidder: str, lot: str = "1") -> VoidBids:
    """Staff void the bids of a bidder on a lot."""
    return VoidBids(
        sale_id=SALE,
        lot_id=LotId(lot),
        bidder_id=BidderId(bidder),
        reason="a typing error",
        actor_id=STAFF_MEMBER,
    )


def withdraw(lot: str = "1", cause: WithdrawalCause = WithdrawalCause.SELLER) -> WithdrawLot:
    """Take a lot out of the sale."""
    return WithdrawLot(
        sale_id=SALE,
        lot_id=LotId(lot),
        cause=cause,
        reason="listed by mistake",
        actor_id=STAFF_MEMBER,
    )


def cancel(cause: WithdrawalCause = WithdrawalCause.SELLER) -> CancelSale:
    """Withdraw all that is still to close."""
    return CancelSale(
        sale_id=SALE, cause=cause, reason="the warehouse is flooded", actor_id=STAFF_MEMBER
    )


def move_lots(*times: tuple[str, str, str]) -> MoveLots:
    """Lots with their new opening and end."""
    moved = tuple(LotTimes(LotId(lot), at(opens), at(closes)) for lot, opens, closes in times)
    return MoveLots(sale_id=SALE, times=moved, actor_id=STAFF_MEMBER)


def change_reserve(reserve_minor: int | None, lot: str = "1") -> ChangeReserve:
    """The liquidator sets the reserve anew."""
    return ChangeReserve(
        sale_id=SALE, lot_id=LotId(lot), reserve_minor=reserve_minor, actor_id=STAFF_MEMBER
    )


class Room:
    """A sale under test. It starts at 10:00 with its bidders registered; time stands still
    unless a step names it."""

    def __init__(
        self,
        *lots: LotListing,
        terms: Terms = EBAY_TERMS,
        bidders: str = "ABCD",
        sellers: tuple[str, ...] = (),
        audience: SaleAudience = SaleAudience.PUBLIC,
    ) -> None:
        self._sale: Sale | None = None
        self.recorded: list[Recorded] = []
        self.now_us = at("10:00")
        self.does(schedule(*lots, terms=terms, sellers=sellers, audience=audience))
        if audience is not SaleAudience.PUBLIC and bidders:
            self.does(admit(*bidders))
        for bidder in bidders:
            self.does(register(bidder))

    @property
    def sale(self) -> Sale:
        assert self._sale is not None
        return self._sale

    @property
    def events(self) -> list[AnyEvent]:
        """All that happened so far."""
        return [recorded.event for recorded in self.recorded]

    def submit(self, command: Command, when: str | None = None) -> Decision | AcceptedBid:
        """What is decided of the command; if it is accepted, it has also happened."""
        if when is not None:
            self.now_us = at(when)
        before = repr(self._sale)
        decision = decide(self._sale, command, self.now_us)
        assert repr(self._sale) == before, "deciding touched the state"
        if isinstance(decision, list):
            self._happen(decision)
        return decision

    def does(self, command: Command, when: str | None = None) -> list[AnyEvent]:
        """The events of a command that must be accepted."""
        decision = self.submit(command, when)
        assert isinstance(decision, list), decision
        return decision

    def refuses(self, command: Command, when: str | None = None) -> Rejected:
        """The refusal of a command that must be refused; it leaves no trace."""
        before = repr(self._sale)
        decision = self.submit(command, when)
        assert isinstance(decision, Rejected), decision
        assert repr(self._sale) == before, "a refusal left a trace"
        return decision

    def repeats(self, command: Command, when: str | None = None) -> AcceptedBid:
        """The first answer to a bid that was accepted before."""
        decision = self.submit(command, when)
        assert isinstance(decision, AcceptedBid), decision
        return decision

    def bid(
        self, bidder: str, amount_minor: int, when: str | None = None, lot: str = "1"
    ) -> list[AnyEvent]:
        """The events of a bid that must be accepted."""
        return self.does(bid(bidder, amount_minor, lot), when)

    def refuses_bid(
        self, bidder: str, amount_minor: int, when: str | None = None, lot: str = "1"
    ) -> Rejection:
        """Why a bid is refused."""
        return self.refuses(bid(bidder, amount_minor, lot), when).rejection

    def close(self, when: str) -> list[AnyEvent]:
        """The events of the timer's command at this time."""
        return self.does(CloseDue(sale_id=SALE), when)

    def lot(self, lot_id: str = "1") -> Lot:
        return self.sale.lots[LotId(lot_id)]

    def registration(self, bidder: str) -> Registration:
        return self.sale.registrations[BidderId(bidder)]

    def leads(self, bidder: str | None, price_minor: int | None, lot: str = "1") -> None:
        """Assert who leads a lot, and at what price."""
        assert (self.lot(lot).leader, self.lot(lot).price_minor) == (bidder, price_minor)

    def ends(self, clock: str, lot: str = "1") -> None:
        """Assert the end in force of a lot."""
        late_us = self.lot(lot).closes_at_us - at(clock)
        assert late_us == 0, f"lot {lot} ends {late_us} us after {clock}"

    def _happen(self, events: list[AnyEvent]) -> None:
        if self._sale is None:
            self._sale = Sale(SALE)
        for event in events:
            recorded = seal(self._sale, event, len(self.recorded) + 1, self.now_us)
            apply(self._sale, recorded)
            self.recorded.append(recorded)


def the(kind: type[E], events: list[AnyEvent]) -> E:
    """The one event of this type among the events."""
    (found,) = [event for event in events if isinstance(event, kind)]
    return found
