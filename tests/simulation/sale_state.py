"""A sale as the plain sum of what happened in it, and what would be right to answer to a bid.

Every bid that stands is kept in a list; leader, price and end are worked out from it. Nothing
here calls the engine's rules.
"""

from collections.abc import Callable

from msgspec import Struct, field

from auction import events as e
from auction.budgets import Budget, LotCountBudget, PersonCeiling
from auction.commands import PlaceBid
from auction.ids import BidderId, LotId, PersonId, SaleId
from auction.pricing import ReserveStatus
from auction.terms import SaleAudience, Terms
from tests.simulation import arithmetic

Report = Callable[[str, str], None]


class Bid(Struct, frozen=True):
    """A bid in force."""

    bidder: BidderId
    maximum: int
    freight: int
    order: int
    person: PersonId | None


class Lot(Struct):
    """A lot. ``moments``: what the public could know of it after each of its public events."""

    listed: e.LotScheduled
    end: int
    latest: int | None
    reserve: int | None
    status: str = "LIVE"
    bids: list[Bid] = field(default_factory=list)
    price: int | None = None
    bid_count: int = 0
    extensions: int = 0
    counter: int | None = None
    award: int = 0  # what the award comes to all-in
    paid: bool = False
    moments: list[tuple[object, ...]] = field(default_factory=list)

    def ranked(self) -> list[Bid]:
        """The latest bid of each bidder, best first; of equal ones the earlier first."""
        latest = {bid.bidder: bid for bid in self.bids}
        return sorted(latest.values(), key=lambda bid: (-bid.maximum, bid.order))

    @property
    def leader(self) -> BidderId | None:
        ranked = self.ranked()
        return ranked[0].bidder if ranked else None

    @property
    def reserve_status(self) -> ReserveStatus:
        if self.reserve is None:
            return ReserveStatus.NONE
        met = bool(self.bids) and self.ranked()[0].maximum >= self.reserve
        return ReserveStatus.MET if met else ReserveStatus.NOT_MET


class Bidder(Struct):
    """A registered bidder."""

    registered: e.BidderRegistered
    limit: int | None
    budgets: tuple[Budget, ...] = ()


class Holding(Struct, frozen=True):
    """A lot that a bidder leads or has won: what it comes to all-in, by whom of its team."""

    lot: LotId
    comes_to: int
    person: PersonId | None
    owed: bool


class SaleState:
    """A sale after its events so far."""

    def __init__(self, sale_id: SaleId, report: Report) -> None:
        self.sale_id = sale_id
        self._report = report
        self.scheduled: e.SaleScheduled | None = None
        self.lots: dict[LotId, Lot] = {}
        self.bidders: dict[BidderId, Bidder] = {}
        self.accepted: dict[tuple[BidderId, str], tuple[LotId, int]] = {}
        self.paused_at: int | None = None
        self.resumed_at = 0
        self.closed = False
        self.cancelled: e.SaleCancelled | None = None
        self.going: set[LotId] = set()  # lots that are withdrawn with their sale
        self.admitted: set[BidderId] = set()

    def knows(self, bidder_id: BidderId) -> bool:
        """Whether there is such a sale for this bidder."""
        assert self.scheduled is not None
        return self.scheduled.audience is SaleAudience.PUBLIC or bidder_id in self.admitted

    @property
    def terms(self) -> Terms:
        assert self.scheduled is not None
        return self.scheduled.terms

    @property
    def unended(self) -> list[Lot]:
        return [lot for lot in self.lots.values() if lot.status in ("LIVE", "IF_BID")]

    def public_face(self, lot: Lot) -> tuple[object, ...]:
        """What the public sees of a lot, its end aside."""
        return (
            lot.status,
            lot.price,
            self.next_minimum(lot) if lot.status == "LIVE" else None,
            lot.reserve_status,
            lot.bid_count,
            lot.extensions,
            self.paddle(lot.leader),
        )

    def next_minimum(self, lot: Lot) -> int:
        if lot.price is None:
            return lot.listed.opening_minor
        return lot.price + arithmetic.increment(self.terms, lot.price)

    def lots_time(self, now: int) -> int:
        """The time by which lots end: it stands while the sale is paused."""
        return now if self.paused_at is None else self.paused_at

    def judge(self, bid: PlaceBid, now: int) -> str:  # noqa: C901 - the ladder
        """What a bid must be answered in this state at this time; "" if it stands."""
        first = self.accepted.get((bid.bidder_id, bid.bid_id))
        if first is not None:
            same = (bid.lot_id, bid.amount_minor) == first and bid.currency == self.terms.currency
            return "" if same else "BID_ID_REUSED"
        lot, bidder = self.lots.get(bid.lot_id), self.bidders.get(bid.bidder_id)
        if lot is None or not self.knows(bid.bidder_id):
            return "NOT_FOUND"
        if bid.currency != self.terms.currency:
            return "INVALID"
        if bid.amount_minor % self.terms.increments.unit_minor:
            return "INVALID"
        if self.is_seller(bid.bidder_id, lot):
            return "SELLER_MAY_NOT_BID"
        if bidder is None:
            return "NOT_REGISTERED"
        if not set(lot.listed.restrictions) <= set(bidder.registered.restrictions):
            return "TERMS_NOT_ACCEPTED"
        if now < lot.listed.opens_at_us:
            return "LOT_NOT_OPEN"
        if self.lots_time(now) >= lot.end or lot.status not in ("LIVE", "WITHDRAWN"):
            return "LOT_CLOSED"
        if lot.status == "WITHDRAWN" or self.cancelled is not None:
            return "LOT_WITHDRAWN"
        if self.paused_at is not None:
            return "SALE_PAUSED"
        if bid.amount_minor <= max((b.maximum for b in self.own(lot, bid.bidder_id)), default=0):
            return "NOT_ABOVE_OWN_MAXIMUM"
        if bid.bidder_id != lot.leader and bid.amount_minor < self.next_minimum(lot):
            return "AMOUNT_BELOW_MINIMUM"
        comes_to = self.all_in(bid.bidder_id, bid.amount_minor, bid.freight_minor)
        return self.beyond(bid.bidder_id, Holding(bid.lot_id, comes_to, bid.person_id, owed=True))

    def beyond(self, bidder_id: BidderId, new: Holding) -> str:
        """What speaks against the bidder's leading one more lot; "" if nothing does."""
        bidder, others = self.bidders[bidder_id], self.holdings(bidder_id, new.lot)
        exposure = sum(held.comes_to for held in [*others, new] if held.owed)
        if bidder.limit is not None and exposure > bidder.limit:
            return "LIMIT_EXCEEDED"
        kept = all(is_kept(budget, new, others) for budget in bidder.budgets)
        return "" if kept else "BUDGET_EXCEEDED"

    def is_seller(self, bidder_id: BidderId, lot: Lot) -> bool:
        """Whether a bid would be on the bidder's own goods."""
        assert self.scheduled is not None
        sellers = (*self.scheduled.seller_ids, self.scheduled.liquidator_id)
        return bidder_id in sellers or bidder_id == lot.listed.consignor_id

    def holdings(self, bidder_id: BidderId, but: LotId) -> list[Holding]:
        """What the bidder leads and has won, but for one lot."""
        held: list[Holding] = []
        for lot_id, lot in self.lots.items():
            if lot_id == but or lot.leader != bidder_id:
                continue
            best = lot.ranked()[0]
            if lot.status in ("LIVE", "IF_BID"):
                comes_to = self.all_in(bidder_id, best.maximum, best.freight)
                held.append(Holding(lot_id, comes_to, best.person, owed=True))
            elif lot.status == "SOLD":
                held.append(Holding(lot_id, lot.award, best.person, owed=not lot.paid))
        return held

    def moved_ends(self, dark_from: int, ready: int) -> tuple[e.MovedEnd, ...]:
        """Where the outage rule puts the ends of the lots that had not ended at ``dark_from``."""
        lots = [lot for lot in self.lots.values() if lot.status == "LIVE" and lot.end > dark_from]
        if not lots:
            return ()
        soft_close = self.terms.soft_close
        extension = soft_close.extension_us if soft_close else 0
        first = min(lot.end for lot in lots)
        move = arithmetic.outage_move(max(0, ready - dark_from), ready, first, extension)
        if not move:
            return ()
        return tuple(
            e.MovedEnd(
                lot.listed.lot_id,
                lot.end + move,
                None if lot.latest is None else lot.latest + move,
            )
            for lot in lots
        )

    def own(self, lot: Lot, bidder_id: BidderId) -> list[Bid]:
        return [bid for bid in lot.bids if bid.bidder == bidder_id]

    def paddle(self, bidder_id: BidderId | None) -> int | None:
        return None if bidder_id is None else self.bidders[bidder_id].registered.paddle

    def all_in(self, bidder_id: BidderId, hammer: int, freight: int) -> int:
        tax_bps = self.bidders[bidder_id].registered.tax_bps
        return arithmetic.all_in(self.terms, hammer, tax_bps, freight)


def is_kept(budget: Budget, new: Holding, others: list[Holding]) -> bool:
    """Whether a budget has room for one more lot, if that is any of its business."""
    counted = [held for held in (new, *others) if _counts(budget, held)]
    if new not in counted:
        return True
    if isinstance(budget, LotCountBudget):
        return len(counted) <= budget.at_most
    return sum(held.comes_to for held in counted) <= budget.at_most_minor


def _counts(budget: Budget, held: Holding) -> bool:
    if isinstance(budget, PersonCeiling):
        return budget.person_id == held.person
    return budget.lots is None or held.lot in budget.lots
