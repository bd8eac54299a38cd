"""The state of a sale, and ``evolve``: how an event changes it.

``evolve`` refuses nothing. It is called with events that were decided or read from the log,
so what does not fit is a broken invariant and an ``assert``. It changes the state in place.
"""

from enum import StrEnum
from typing import assert_never

from msgspec import Struct, field

from auction.budgets import Budget, Passed, Stake, Tally, tally_of
from auction.commands import WithdrawalCause
from auction.costs import all_in_minor
from auction.events import (
    AnyEvent,
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
from auction.ids import (
    ActorId,
    BidderId,
    BidId,
    LiquidatorId,
    LotId,
    Paddle,
    PersonId,
    SaleId,
)
from auction.pricing import ReserveStatus
from auction.terms import SaleAudience, Terms, VoidRule

# The first paddle of a sale. Three digits, as in a saleroom; what it is says nothing about
# the bidder, and the same bidder has another one in another sale.
FIRST_PADDLE = Paddle(101)


class LotStatus(StrEnum):
    """LIVE until the lot ends; whether it is open yet is a question of time, not of state."""

    LIVE = "LIVE"
    IF_BID = "IF_BID"
    SOLD = "SOLD"
    PASSED = "PASSED"
    WITHDRAWN = "WITHDRAWN"


# The legal moves of a lot; what is not here is refused, or is a broken invariant.
LOT_LIFE: dict[LotStatus, frozenset[LotStatus]] = {
    LotStatus.LIVE: frozenset(
        {LotStatus.IF_BID, LotStatus.SOLD, LotStatus.PASSED, LotStatus.WITHDRAWN}
    ),
    LotStatus.IF_BID: frozenset({LotStatus.SOLD, LotStatus.PASSED}),
    LotStatus.SOLD: frozenset(),
    LotStatus.PASSED: frozenset(),
    LotStatus.WITHDRAWN: frozenset(),
}


class Standing(Struct, gc=False):
    """A bidder's maximum on a lot. ``order`` is when it was made, for ties: the earlier wins.

    ``person_id``: who of the bidder's team made it, and holds the lot by it.
    """

    maximum_minor: int
    freight_minor: int
    order: int
    person_id: PersonId | None = None


class Lot(Struct):
    """A lot of a sale. ``closes_at_us`` is the end in force; everything reads it."""

    lot_id: LotId
    kind: str
    title: str
    group: str
    restrictions: frozenset[str]
    consignor_id: BidderId | None
    opening_minor: int
    reserve_minor: int | None
    opens_at_us: int
    scheduled_closes_at_us: int
    closes_at_us: int
    latest_end_us: int | None
    status: LotStatus = LotStatus.LIVE
    extensions: int = 0
    bid_count: int = 0  # public bids
    next_minimum_minor: int = 0
    price_minor: int | None = None
    reserve: ReserveStatus = ReserveStatus.NONE
    leader: BidderId | None = None
    second_minor: int | None = None  # the best maximum of a bidder other than the leader
    standings: dict[BidderId, Standing] = field(default_factory=dict)
    counter_minor: int | None = None  # the liquidator's counter-offer on an if-bid

    @property
    def top_minor(self) -> int | None:
        """The leader's maximum."""
        return None if self.leader is None else self.standings[self.leader].maximum_minor

    def is_unended(self, now_us: int) -> bool:
        """Whether its end is still to come. A lot past its end stays LIVE until it is closed."""
        return self.status is LotStatus.LIVE and now_us < self.closes_at_us


class Registration(Struct):
    """A bidder in the sale. ``weights``: what each lot led, or won and unpaid, comes to all-in."""

    bidder_id: BidderId
    paddle: Paddle
    terms_version: int = 0
    restrictions: frozenset[str] = frozenset()
    deposit_minor: int = 0
    limit_minor: int | None = None
    tax_bps: int = 0
    certificate: bool = False
    weights: dict[LotId, int] = field(default_factory=dict)
    exposure_minor: int = 0  # the sum of the weights
    paid: dict[LotId, int] = field(default_factory=dict)  # awards that were paid, all-in
    tally: Tally | None = None  # the own budgets, if there are any

    @property
    def budgets(self) -> tuple[Budget, ...]:
        """The budgets that the bidder set, in its order."""
        return () if self.tally is None else self.tally.budgets


class AcceptedBid(Struct, frozen=True, array_like=True, gc=False):
    """What an accepted bid id answered: the same id gets the same again."""

    sale_id: SaleId
    bidder_id: BidderId
    bid_id: BidId
    lot_id: LotId
    amount_minor: int
    code: str
    sequence: int | None
    receipt: bytes


class Cancellation(Struct, frozen=True):
    """A sale that was cancelled. What had not ended at ``at_us``, by the time of the lots, is
    withdrawn in its name, a chunk after the other."""

    at_us: int
    cause: WithdrawalCause
    reason: str
    actor_id: ActorId


class Sale(Struct):
    """A sale as the fold of its events, with the numbers that its next event takes (``chain``)."""

    sale_id: SaleId
    liquidator_id: LiquidatorId = LiquidatorId("")
    seller_ids: frozenset[BidderId] = frozenset()
    audience: SaleAudience = SaleAudience.PUBLIC
    admitted: set[BidderId] = field(default_factory=set)  # unless it is PUBLIC
    terms: Terms = field(default_factory=Terms)
    secret: bytes = b""
    lots: dict[LotId, Lot] = field(default_factory=dict)
    registrations: dict[BidderId, Registration] = field(default_factory=dict)
    bidders: dict[Paddle, BidderId] = field(default_factory=dict)
    accepted: dict[tuple[BidderId, BidId], AcceptedBid] = field(default_factory=dict)
    paused_from_us: int | None = None
    cancelled: Cancellation | None = None
    unended: int = 0  # lots that have not ended
    closed: bool = False
    # The chain's part.
    sequence: int = 0
    lot_sequences: dict[LotId, int] = field(default_factory=dict)
    owner_sequences: dict[str, int] = field(default_factory=dict)
    head: bytes = bytes(32)  # the hash of the last public event
    last_at_us: int = 0
    # Commitments of private events that no closing event carries yet; "" is the sale itself.
    open_commitments: dict[str, list[bytes]] = field(default_factory=dict)

    def lots_time_us(self, now_us: int) -> int:
        """The time by which lots end. It stands still while the sale is paused: what ends
        meanwhile has its end moved when the sale goes on."""
        return now_us if self.paused_from_us is None else self.paused_from_us

    def admits(self, bidder_id: BidderId) -> bool:
        """Whether there is such a sale for this bidder."""
        return self.audience is SaleAudience.PUBLIC or bidder_id in self.admitted

    def is_open(self, lot: Lot, now_us: int) -> bool:
        """Whether a lot's end is still to come: neither past, nor withdrawn with the sale."""
        return self.cancelled is None and lot.is_unended(self.lots_time_us(now_us))

    def goes_with_the_sale(self, lot: Lot) -> bool:
        """Whether a lot is still to be withdrawn because its sale was cancelled."""
        return self.cancelled is not None and lot.is_unended(self.cancelled.at_us)

    def paddle_of(self, bidder_id: BidderId) -> Paddle:
        """The paddle of a registered bidder."""
        return self.registrations[bidder_id].paddle


def evolve(sale: Sale, event: AnyEvent, at_us: int, order: int) -> None:  # noqa: C901 - dispatch
    """Apply one event. ``order`` rises with every event of the sale's shard (its position)."""
    match event:
        case BidPlaced():
            _bid_placed(sale, event, at_us, order)
        case MaximumRaised():
            _maximum_raised(sale, event, order)
        case EndExtended():
            lot = sale.lots[event.lot_id]
            assert event.closes_at_us > lot.closes_at_us, "an extension moves the end later"
            lot.closes_at_us = event.closes_at_us
            lot.extensions = event.extensions
        case EndsMoved():
            for moved in event.ends:
                lot = sale.lots[moved.lot_id]
                assert moved.closes_at_us > lot.closes_at_us, "a move is to a later end"
                lot.closes_at_us, lot.latest_end_us = moved.closes_at_us, moved.latest_end_us
        case SaleScheduled():
            sale.liquidator_id = event.liquidator_id
            sale.seller_ids = frozenset(event.seller_ids) | {BidderId(event.liquidator_id)}
            sale.terms, sale.secret = event.terms, event.secret
            sale.audience = event.audience
        case LotScheduled():
            _lot_scheduled(sale, event)
        case LotsRescheduled():
            _lots_rescheduled(sale, event, at_us)
        case BiddersAdmitted():
            sale.admitted.update(event.bidder_ids)
        case BiddersDismissed():
            sale.admitted.difference_update(event.bidder_ids)
        case BidderRegistered():
            _bidder_registered(sale, event)
        case LimitChanged():
            sale.registrations[event.bidder_id].limit_minor = event.limit_minor
        case BudgetsSet():
            registration = sale.registrations[event.bidder_id]
            registration.tally = tally_of(event.budgets, _stakes(sale, registration))
        case ReserveChanged():
            sale.lots[event.lot_id].reserve_minor = event.reserve_minor
        case ReserveStatusChanged():
            lot = sale.lots[event.lot_id]
            lot.reserve, lot.price_minor = event.reserve, event.price_minor
            lot.next_minimum_minor = event.next_minimum_minor
        case BidsVoided():
            _bids_voided(sale, event)
        case LotWithdrawn():
            _end_lot(sale, event.lot_id, LotStatus.WITHDRAWN, at_us)
        case SaleCancelled():
            assert sale.cancelled is None, "a sale is cancelled once"
            sale.cancelled = Cancellation(
                sale.lots_time_us(at_us), event.cause, event.reason, event.actor_id
            )
        case SalePaused():
            assert sale.paused_from_us is None, "a sale is paused once"
            sale.paused_from_us = at_us
        case SaleResumed():
            sale.paused_from_us = None
        case IfBidOpened():
            lot = sale.lots[event.lot_id]
            _move(lot, LotStatus.IF_BID, at_us)
            lot.closes_at_us = event.until_us
        case IfBidCountered():
            sale.lots[event.lot_id].counter_minor = event.amount_minor
        case CounterDeclined():
            sale.lots[event.lot_id].counter_minor = None
        case LotSold():
            _lot_sold(sale, event, at_us)
        case LotPassed():
            _end_lot(sale, event.lot_id, LotStatus.PASSED, at_us)
        case AwardFunded():
            _award_funded(sale.registrations[event.bidder_id], event.lot_id)
        case SaleClosed():
            assert sale.unended == 0, "a sale closes when its last lot has ended"
            sale.closed = True
        case _:
            assert_never(event)


def _bid_placed(sale: Sale, event: BidPlaced, at_us: int, order: int) -> None:
    lot = sale.lots[event.lot_id]
    assert lot.status is LotStatus.LIVE, "no bid on a lot that has ended"
    assert lot.opens_at_us <= at_us < lot.closes_at_us, "no bid before the opening or at the end"
    assert sale.cancelled is None, "no bid in a sale that was cancelled"
    assert lot.price_minor is None or event.price_minor >= lot.price_minor, "the price fell"
    bidder_id, old_leader = event.bidder_id, lot.leader
    leads = event.leader == event.paddle
    if leads and old_leader is not None and old_leader != bidder_id:
        lot.second_minor = lot.standings[old_leader].maximum_minor
        _release(sale.registrations[old_leader], lot.lot_id)
    elif not leads and (lot.second_minor is None or lot.second_minor < event.maximum_minor):
        lot.second_minor = event.maximum_minor
    lot.standings[bidder_id] = Standing(
        event.maximum_minor, event.freight_minor, order, event.person_id
    )
    if leads:
        lot.leader = bidder_id
        _weigh_leader(sale, lot, bidder_id)
    assert lot.leader is not None and sale.paddle_of(lot.leader) == event.leader, "two leaders"
    lot.price_minor, lot.reserve = event.price_minor, event.reserve
    lot.next_minimum_minor, lot.bid_count = event.next_minimum_minor, event.bid_count


def _maximum_raised(sale: Sale, event: MaximumRaised, order: int) -> None:
    lot = sale.lots[event.lot_id]
    assert lot.leader == event.bidder_id, "only the leader raises in private"
    lot.standings[event.bidder_id] = Standing(
        event.maximum_minor, event.freight_minor, order, event.person_id
    )
    _weigh_leader(sale, lot, event.bidder_id)


def _lot_scheduled(sale: Sale, event: LotScheduled) -> None:
    assert event.lot_id not in sale.lots, "a lot is scheduled once"
    sale.lots[event.lot_id] = Lot(
        lot_id=event.lot_id,
        kind=event.kind,
        title=event.title,
        group=event.group,
        restrictions=frozenset(event.restrictions),
        consignor_id=event.consignor_id,
        opening_minor=event.opening_minor,
        reserve_minor=event.reserve_minor,
        opens_at_us=event.opens_at_us,
        scheduled_closes_at_us=event.closes_at_us,
        closes_at_us=event.closes_at_us,
        latest_end_us=event.latest_end_us,
        next_minimum_minor=event.opening_minor,
        reserve=event.reserve,
    )
    sale.unended += 1


def _lots_rescheduled(sale: Sale, event: LotsRescheduled, at_us: int) -> None:
    for moved in event.lots:
        lot = sale.lots[moved.lot_id]
        assert at_us < lot.opens_at_us and not lot.standings, "bidding had begun"
        lot.opens_at_us, lot.latest_end_us = moved.opens_at_us, moved.latest_end_us
        lot.scheduled_closes_at_us = lot.closes_at_us = moved.closes_at_us


def _bidder_registered(sale: Sale, event: BidderRegistered) -> None:
    known = sale.registrations.get(event.bidder_id)
    if known is None:
        assert event.paddle not in sale.bidders, "a paddle is given once"
        sale.bidders[event.paddle] = event.bidder_id
        known = Registration(event.bidder_id, event.paddle)
        sale.registrations[event.bidder_id] = known
    assert known.paddle == event.paddle, "the paddle stays"
    known.terms_version = event.terms_version
    known.restrictions = frozenset(event.restrictions)
    known.deposit_minor, known.limit_minor = event.deposit_minor, event.limit_minor
    known.tax_bps, known.certificate = event.tax_bps, event.certificate
    for lot_id in list(known.weights):
        lot = sale.lots[lot_id]
        if lot.status is not LotStatus.SOLD:  # an award bears the tax of its close
            _weigh_leader(sale, lot, event.bidder_id)


def _bids_voided(sale: Sale, event: BidsVoided) -> None:
    lot = sale.lots[event.lot_id]
    if lot.leader is not None:
        _release(sale.registrations[lot.leader], lot.lot_id)
    if sale.terms.void_rule is VoidRule.NO_REVIVE:
        lot.standings.clear()
    else:
        del lot.standings[event.bidder_id]
    lot.leader = None if event.leader is None else sale.bidders[event.leader]
    rivals = [s.maximum_minor for b, s in lot.standings.items() if b != lot.leader]
    lot.second_minor = max(rivals, default=None)
    lot.price_minor, lot.reserve = event.price_minor, event.reserve
    lot.next_minimum_minor = event.next_minimum_minor
    if lot.leader is not None:
        _weigh_leader(sale, lot, lot.leader)


def _lot_sold(sale: Sale, event: LotSold, at_us: int) -> None:
    lot = sale.lots[event.lot_id]
    leader = lot.leader
    _end_lot(sale, event.lot_id, LotStatus.SOLD, at_us)
    lot.price_minor = event.hammer_price_minor
    for winner, allocation in zip(event.winners, event.allocations, strict=True):
        assert winner == leader, "an English auction has one winner"
        standing, registration = lot.standings[winner], sale.registrations[winner]
        hammer_minor, freight_minor = allocation.amount_minor, standing.freight_minor
        weight_minor = _all_in(sale.terms, registration, hammer_minor, freight_minor)
        _weigh(registration, lot.lot_id, weight_minor, standing.person_id)


def _end_lot(sale: Sale, lot_id: LotId, status: LotStatus, at_us: int) -> None:
    lot = sale.lots[lot_id]
    _move(lot, status, at_us)
    lot.counter_minor = None
    sale.unended -= 1
    if lot.leader is not None:
        _release(sale.registrations[lot.leader], lot_id)


def _award_funded(registration: Registration, lot_id: LotId) -> None:
    """It weighs on the limit no more; budgets count what was won, paid or not."""
    paid_minor = registration.weights.pop(lot_id)
    registration.exposure_minor -= paid_minor
    registration.paid[lot_id] = paid_minor


def _move(lot: Lot, status: LotStatus, at_us: int) -> None:
    early = lot.status is LotStatus.LIVE and at_us < lot.closes_at_us
    assert status is LotStatus.WITHDRAWN or not early, "a lot is not closed before its end"
    assert status in LOT_LIFE[lot.status], f"a lot does not go from {lot.status} to {status}"
    lot.status = status


def _weigh_leader(sale: Sale, lot: Lot, leader: BidderId) -> None:
    standing, registration = lot.standings[leader], sale.registrations[leader]
    weight = _all_in(sale.terms, registration, standing.maximum_minor, standing.freight_minor)
    _weigh(registration, lot.lot_id, weight, standing.person_id)


def _weigh(
    registration: Registration, lot_id: LotId, weight_minor: int, person_id: PersonId | None
) -> None:
    """The lot, led or won, weighs this much from now on."""
    registration.exposure_minor += weight_minor - registration.weights.get(lot_id, 0)
    registration.weights[lot_id] = weight_minor
    if registration.tally is not None:
        registration.tally.hold(lot_id, Stake(weight_minor, person_id))


def _release(registration: Registration, lot_id: LotId) -> None:
    """The lot is led no longer."""
    registration.exposure_minor -= registration.weights.pop(lot_id, 0)
    if registration.tally is not None:
        registration.tally.hold(lot_id, None)


def _stakes(sale: Sale, registration: Registration) -> dict[LotId, Stake]:
    """What a bidder leads or has won, from the bids that stand."""
    bidder_id = registration.bidder_id
    return {
        lot_id: Stake(minor, sale.lots[lot_id].standings[bidder_id].person_id)
        for lot_id, minor in (registration.weights | registration.paid).items()
    }


def _all_in(terms: Terms, registration: Registration, hammer_minor: int, freight_minor: int) -> int:
    """What a hammer price would come to for this bidder, all-in."""
    return all_in_minor(
        terms.premium, hammer_minor, registration.tax_bps, freight_minor, terms.freight_taxable
    )


def exposure_if_leading_minor(
    sale: Sale, lot: Lot, bidder_id: BidderId, maximum_minor: int, freight_minor: int
) -> int:
    """The bidder's exposure if it led this lot with this maximum."""
    registration = sale.registrations[bidder_id]
    others = registration.exposure_minor - registration.weights.get(lot.lot_id, 0)
    return others + _all_in(sale.terms, registration, maximum_minor, freight_minor)


def budget_passed_if_leading(
    sale: Sale,
    lot: Lot,
    registration: Registration,
    maximum_minor: int,
    freight_minor: int,
    person_id: PersonId | None,
) -> Passed | None:
    """The bidder's first budget that would be passed if it led this lot with this maximum."""
    if registration.tally is None:
        return None
    minor = _all_in(sale.terms, registration, maximum_minor, freight_minor)
    return registration.tally.passed_by(lot.lot_id, Stake(minor, person_id))
