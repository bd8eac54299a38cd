"""The whole story of a sale told again: leader, price and reserve from the maxima in the log.

For those who hold the sale's private parts. ``audit_public`` checks what everybody sees; here
each bid is held against the maxima, reserves, registrations, limits and budgets behind it. Leader
and second are found anew among all maxima at each bid, and what a bidder holds among all lots, by
other code than the engine's; only the arithmetic of premium and tax (``costs``) is shared.

No complaint names a maximum, a reserve, a limit or a budget: what it says may be shown to staff.
"""

from typing import NamedTuple

from msgspec import Struct, field

from auction.audit_ends import IF_BID
from auction.audit_public import PublicStory, increment_minor
from auction.budgets import Budget, LotCountBudget, PersonCeiling
from auction.codec import Recorded
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
    IfBidCountered,
    IfBidOpened,
    LimitChanged,
    LotScheduled,
    LotSold,
    MaximumRaised,
    ReserveChanged,
    ReserveStatusChanged,
    SaleScheduled,
    lot_of,
)
from auction.ids import BidderId, BidId, LotId, Paddle, PersonId
from auction.pricing import ReserveStatus
from auction.terms import PriceRule, SaleAudience, Terms, VoidRule

FIRST_PADDLE = 101


class Maximum(NamedTuple):
    """A bidder's maximum on a lot. The greatest leads; of equal ones the earlier."""

    minor: int
    minus_order: int
    bidder_id: BidderId
    freight_minor: int
    person_id: PersonId | None


class Bidder(Struct):
    """A registration as it stands."""

    paddle: Paddle
    terms_version: int
    restrictions: frozenset[str]
    limit_minor: int | None
    tax_bps: int
    budgets: tuple[Budget, ...] = ()


class PrivateLot(Struct):
    """What is behind a lot."""

    reserve_minor: int | None
    consignor_id: BidderId | None
    restrictions: frozenset[str]
    maxima: dict[BidderId, Maximum] = field(default_factory=dict)
    counter_minor: int | None = None
    awarded_to: BidderId | None = None
    award_minor: int = 0  # all-in
    funded: bool = False

    def leading(self) -> Maximum | None:
        """The best maximum."""
        return max(self.maxima.values(), default=None)

    def price_minor(self, terms: Terms, opening_minor: int) -> int | None:
        """What the maxima come to under the price rule."""
        top = self.leading()
        if top is None:
            return None
        others = (m.minor for m in self.maxima.values() if m.bidder_id != top.bidder_id)
        second_minor = max(others, default=0)
        wanted_minor = top.minor if terms.price_rule is PriceRule.AT_MAXIMUM else second_minor
        if second_minor and terms.price_rule is PriceRule.INCREMENT_OVER:
            wanted_minor += increment_minor(terms.increments, second_minor)
        return min(top.minor, max(wanted_minor, opening_minor, self.reserve_minor or 0))

    def reserve(self) -> ReserveStatus:
        """What of the reserve is public."""
        top = self.leading()
        if self.reserve_minor is None:
            return ReserveStatus.NONE
        met = top is not None and top.minor >= self.reserve_minor
        return ReserveStatus.MET if met else ReserveStatus.NOT_MET


class PrivateStory:
    """Checks the events of one sale, each before ``public`` takes it."""

    def __init__(self, public: PublicStory) -> None:
        self._public = public
        self._at_us = 0
        self._order = 0
        self._lots: dict[LotId, PrivateLot] = {}
        self._bidders: dict[BidderId, Bidder] = {}
        self._sellers: set[str] = set()
        self._admitted: set[BidderId] | None = None  # None: everybody
        self._bid_ids: set[tuple[BidderId, BidId]] = set()
        self._status_due: tuple[LotId, ReserveStatus] | None = None
        self._faults: list[str] = []

    def check(self, recorded: Recorded) -> list[str]:
        """What is wrong with the next event, as sentences; it is then taken as it stands."""
        event, self._faults = recorded.event, []
        self._at_us, self._order = recorded.at_us, recorded.position
        self._check_due(event)
        unknown = self._unknown(event)
        if unknown is None:
            self._take(event)
        else:
            self._fault(unknown)
        return self._faults

    def end(self) -> list[str]:
        """What is missing after the last event."""
        return [] if self._status_due is None else ["ReserveStatusChanged had to follow"]

    def _fault(self, what: str) -> None:
        self._faults.append(what)

    def _expect(self, right: bool, fault: str) -> None:
        if not right:
            self._fault(fault)

    def _check_due(self, event: AnyEvent) -> None:
        due, self._status_due = self._status_due, None
        if isinstance(event, ReserveStatusChanged):
            self._expect(due is not None, "no change of the reserve before it")
            seen = (event.lot_id, event.reserve)
            self._expect(due in (None, seen), "the reserve's status is another one")
        elif due is not None:
            self._fault("ReserveStatusChanged had to come first")

    def _unknown(self, event: AnyEvent) -> str | None:
        """What the event is about and nobody has heard of."""
        if isinstance(event, SaleScheduled):
            return None
        if self._public.terms is None:
            return "the sale was not scheduled before it"
        lot_id, bidder_id = lot_of(event), getattr(event, "bidder_id", None)
        if lot_id is not None and not isinstance(event, LotScheduled) and lot_id not in self._lots:
            return f"there is no lot {lot_id}"
        new = bidder_id is None or isinstance(event, BidderRegistered)
        return None if new or bidder_id in self._bidders else "the bidder is not registered"

    def _take(self, event: AnyEvent) -> None:  # noqa: C901 - dispatch
        match event:
            case BidPlaced():
                self._bid_placed(event)
            case MaximumRaised():
                self._maximum_raised(event)
            case SaleScheduled():
                self._sellers = {*event.seller_ids, event.liquidator_id}
                if event.audience is not SaleAudience.PUBLIC:
                    self._admitted = set()
            case LotScheduled():
                self._lot_scheduled(event)
            case BiddersAdmitted():
                self._chosen(event.bidder_ids, admitted=True)
            case BiddersDismissed():
                self._chosen(event.bidder_ids, admitted=False)
            case BidderRegistered():
                self._bidder_registered(event)
            case LimitChanged():
                self._bidders[event.bidder_id].limit_minor = event.limit_minor
            case BudgetsSet():
                self._budgets_set(event)
            case ReserveChanged():
                self._reserve_changed(event)
            case BidsVoided():
                self._bids_voided(event)
            case IfBidOpened():
                self._expect(self._leads(event), "the bid that is held is not the leader's")
            case IfBidCountered():
                self._if_bid_countered(event)
            case CounterDeclined():
                self._counter_declined(event)
            case LotSold():
                self._lot_sold(event)
            case AwardFunded():
                self._award_funded(event)

    # --- Bids --------------------------------------------------------------------------------

    def _bid_placed(self, event: BidPlaced) -> None:
        lot, public = self._lots[event.lot_id], self._public.lots[event.lot_id]
        self._expect(self._bidders[event.bidder_id].paddle == event.paddle, "not their paddle")
        if self._terms.enforce_minimum and not self._leads(event):
            enough = event.maximum_minor >= public.minimum_minor
            self._expect(enough, "the bid was below the minimum")
        self._bid(event, lot)
        price_minor = lot.price_minor(self._terms, public.opening_minor)
        price_minor = max(price_minor or 0, public.price_minor or 0)  # only a void lets it fall
        self._expect_standing(event, lot, price_minor)

    def _maximum_raised(self, event: MaximumRaised) -> None:
        lot, public = self._lots[event.lot_id], self._public.lots[event.lot_id]
        self._expect(self._leads(event), "only the leader raises in private")
        self._expect(public.is_open(self._at_us), "a bid while the lot was not open")
        self._expect(self._public.paused_from_us is None, "a bid while the sale was paused")
        self._bid(event, lot)
        price_minor = lot.price_minor(self._terms, public.opening_minor) or 0
        same = price_minor <= (public.price_minor or 0) and lot.reserve() is public.reserve
        self._expect(same, "a raise with effect on price or reserve was kept private")

    def _bid(self, event: BidPlaced | MaximumRaised, lot: PrivateLot) -> None:
        """What every accepted bid must be; it is the bidder's maximum from here on."""
        bidder_id, maximum_minor = event.bidder_id, event.maximum_minor
        self._expect_admitted(bidder_id)
        bidder, own = self._bidders[bidder_id], lot.maxima.get(bidder_id)
        seller = bidder_id in self._sellers or bidder_id == lot.consignor_id
        self._expect(not seller, "a seller bid on its own goods")
        accepted = bidder.terms_version == self._terms.version
        accepted = accepted and lot.restrictions <= bidder.restrictions
        self._expect(accepted, "the bidder had not accepted the terms")
        raises = own is None or maximum_minor > own.minor
        self._expect(raises, "the bid does not raise the bidder's own maximum")
        whole = maximum_minor % self._terms.increments.unit_minor == 0
        self._expect(whole, "the bid is not a multiple of the unit")
        self._expect((bidder_id, event.bid_id) not in self._bid_ids, "the bid id stood before")
        self._bid_ids.add((bidder_id, event.bid_id))
        bid = Maximum(maximum_minor, -self._order, bidder_id, event.freight_minor, event.person_id)
        self._expect_within_limit(event.lot_id, bid)
        self._expect_within_budgets(event.lot_id, bid)
        lot.maxima[bidder_id] = bid

    def _expect_standing(
        self, event: BidPlaced | BidsVoided, lot: PrivateLot, price_minor: int | None
    ) -> None:
        """Leader, price and reserve as the maxima say."""
        top = lot.leading()
        leader = None if top is None else self._bidders[top.bidder_id].paddle
        self._expect(event.leader == leader, "the leader is another one")
        self._expect(event.price_minor == price_minor, "the maxima make another price")
        self._expect(event.reserve is lot.reserve(), "the reserve's status is another one")

    def _bids_voided(self, event: BidsVoided) -> None:
        lot, public = self._lots[event.lot_id], self._public.lots[event.lot_id]
        self._expect(self._bidders[event.bidder_id].paddle == event.paddle, "not their paddle")
        self._expect(event.bidder_id in lot.maxima, "the bidder has no bid that stands")
        lot.maxima.pop(event.bidder_id, None)
        if self._terms.void_rule is VoidRule.NO_REVIVE:
            lot.maxima.clear()
        self._expect_standing(event, lot, lot.price_minor(self._terms, public.opening_minor))

    # --- Limits and budgets ------------------------------------------------------------------

    def _expect_within_limit(self, lot_id: LotId, bid: Maximum) -> None:
        """What the bidder leads or owes elsewhere, and this, must be within the limit."""
        bidder = self._bidders[bid.bidder_id]
        if bidder.limit_minor is None:
            return
        exposure_minor = self._all_in(bidder, bid.minor, bid.freight_minor)
        for other_id, other in self._lots.items():
            if other_id != lot_id and not other.funded:
                exposure_minor += self._weight(other_id, other, bid.bidder_id)
        self._expect(exposure_minor <= bidder.limit_minor, "the bid was beyond the bidder's limit")

    def _weight(self, lot_id: LotId, lot: PrivateLot, bidder_id: BidderId) -> int:
        """What a lot comes to for a bidder: its award, or the maximum that leads it; else 0."""
        if lot.awarded_to == bidder_id:
            return lot.award_minor
        top = lot.leading()
        if self._public.lots[lot_id].has_ended or top is None or top.bidder_id != bidder_id:
            return 0
        return self._all_in(self._bidders[bidder_id], top.minor, top.freight_minor)

    def _expect_within_budgets(self, lot_id: LotId, bid: Maximum) -> None:
        """What the bidder leads or has won elsewhere, and this, must be within its budgets."""
        bidder = self._bidders[bid.bidder_id]
        if not bidder.budgets:
            return
        new = Held(lot_id, self._all_in(bidder, bid.minor, bid.freight_minor), bid.person_id)
        others = [
            Held(other_id, weight_minor, other.maxima[bid.bidder_id].person_id)
            for other_id, other in self._lots.items()
            if other_id != lot_id
            and (weight_minor := self._weight(other_id, other, bid.bidder_id)) > 0
        ]
        for budget in bidder.budgets:
            kept = _is_kept(budget, new, others)
            self._expect(kept, "the bid was beyond a budget of the bidder's")

    def _all_in(self, bidder: Bidder, hammer_minor: int, freight_minor: int) -> int:
        terms = self._terms
        return all_in_minor(
            terms.premium, hammer_minor, bidder.tax_bps, freight_minor, terms.freight_taxable
        )

    # --- The sale and its bidders ------------------------------------------------------------

    def _chosen(self, bidder_ids: tuple[BidderId, ...], *, admitted: bool) -> None:
        """Bidders are let in, or shut out again: each of them once."""
        self._expect(not self._public.closed, "bidders were chosen after the sale had closed")
        self._expect(len(set(bidder_ids)) == len(bidder_ids) > 0, "a bidder twice, or none")
        if self._admitted is None:
            self._fault("a public sale is for everybody")
            return
        known = self._admitted & set(bidder_ids)
        if admitted:
            self._expect(not known, "a bidder was in already")
            self._admitted |= set(bidder_ids)
        else:
            self._expect(len(known) == len(bidder_ids), "a bidder was not in")
            self._admitted -= known

    def _expect_admitted(self, bidder_id: BidderId) -> None:
        in_it = self._admitted is None or bidder_id in self._admitted
        self._expect(in_it, "the bidder was not admitted to the sale")

    def _lot_scheduled(self, event: LotScheduled) -> None:
        lot = PrivateLot(event.reserve_minor, event.consignor_id, frozenset(event.restrictions))
        self._expect(event.reserve is lot.reserve(), "the reserve's status is another one")
        self._lots[event.lot_id] = lot

    def _budgets_set(self, event: BudgetsSet) -> None:
        self._expect_admitted(event.bidder_id)
        self._expect(not self._public.closed, "budgets were set after the sale had closed")
        self._bidders[event.bidder_id].budgets = event.budgets

    def _bidder_registered(self, event: BidderRegistered) -> None:
        known, terms = self._bidders.get(event.bidder_id), self._terms
        self._expect_admitted(event.bidder_id)
        paddle = known.paddle if known else FIRST_PADDLE + len(self._bidders)
        self._expect(event.paddle == paddle, "the paddle is not theirs, or not the next one")
        self._expect(event.bidder_id not in self._sellers, "a seller was registered as a bidder")
        self._expect(event.terms_version == terms.version, "not the terms of this sale")
        admitted = event.deposit_minor >= terms.deposit_minor
        admitted = admitted and (event.certificate or not terms.certificate_required)
        self._expect(admitted, "registered without the deposit or certificate that is asked for")
        self._bidders[event.bidder_id] = Bidder(
            event.paddle,
            event.terms_version,
            frozenset(event.restrictions),
            event.limit_minor,
            event.tax_bps,
            known.budgets if known else (),
        )

    def _reserve_changed(self, event: ReserveChanged) -> None:
        lot, public = self._lots[event.lot_id], self._public.lots[event.lot_id]
        old_minor, new_minor = lot.reserve_minor, event.reserve_minor
        in_time = self._public.is_unended(public, self._at_us)
        self._expect(in_time, "the reserve of a lot that had ended was changed")
        lower = not lot.maxima or (new_minor or 0) < (old_minor or 0)
        self._expect(lower and new_minor != old_minor, "the reserve was not lowered")
        lot.reserve_minor = new_minor
        if lot.reserve() is not public.reserve:
            self._status_due = event.lot_id, lot.reserve()

    # --- After the end -----------------------------------------------------------------------

    def _if_bid_countered(self, event: IfBidCountered) -> None:
        lot, public = self._lots[event.lot_id], self._public.lots[event.lot_id]
        held = public.status is IF_BID and self._at_us < public.closes_at_us
        self._expect(held and self._leads(event), "no bid is held that could be countered")
        more = event.amount_minor > (public.price_minor or 0)
        self._expect(more, "a counter-offer that asks for no more than the bid")
        lot.counter_minor = event.amount_minor

    def _counter_declined(self, event: CounterDeclined) -> None:
        lot = self._lots[event.lot_id]
        self._expect_admitted(event.bidder_id)
        open_ = lot.counter_minor is not None and self._leads(event)
        self._expect(open_, "no counter-offer was open")
        lot.counter_minor = None

    def _lot_sold(self, event: LotSold) -> None:
        lot, public = self._lots[event.lot_id], self._public.lots[event.lot_id]
        top, hammer_minor = lot.leading(), event.hammer_price_minor
        if top is None or event.winners != (top.bidder_id,):
            self._fault("it was not sold to the leader")
            return
        if hammer_minor != public.price_minor:
            self._expect(
                hammer_minor == lot.counter_minor, "neither the price nor the counter-offer"
            )
            self._expect_admitted(top.bidder_id)
            taken = top._replace(minor=hammer_minor)
            self._expect_within_limit(event.lot_id, taken)
            self._expect_within_budgets(event.lot_id, taken)
        bidder = self._bidders[top.bidder_id]
        lot.awarded_to = top.bidder_id
        lot.award_minor = self._all_in(bidder, hammer_minor, top.freight_minor)

    def _award_funded(self, event: AwardFunded) -> None:
        lot = self._lots[event.lot_id]
        owed = lot.awarded_to == event.bidder_id and not lot.funded
        self._expect(owed, "the bidder owes nothing for the lot")
        lot.funded = True

    def _leads(
        self, event: BidPlaced | MaximumRaised | IfBidOpened | IfBidCountered | CounterDeclined
    ) -> bool:
        """Whether the event's bidder leads its lot before it."""
        top = self._lots[event.lot_id].leading()
        return top is not None and top.bidder_id == event.bidder_id

    @property
    def _terms(self) -> Terms:
        assert self._public.terms is not None, "asked only after the sale was scheduled"
        return self._public.terms


class Held(NamedTuple):
    """A lot that is led or won: what it comes to all-in, and for whom of the team."""

    lot_id: LotId
    minor: int
    person_id: PersonId | None


def _is_kept(budget: Budget, new: Held, others: list[Held]) -> bool:
    """Whether a budget allows one more lot beside others; it may be none of its business."""
    if not _concerns(budget, new):
        return True
    concerned = [new, *(held for held in others if _concerns(budget, held))]
    if isinstance(budget, LotCountBudget):
        return len(concerned) <= budget.at_most
    return sum(held.minor for held in concerned) <= budget.at_most_minor


def _concerns(budget: Budget, held: Held) -> bool:
    if isinstance(budget, PersonCeiling):
        return held.person_id == budget.person_id
    return budget.lots is None or held.lot_id in budget.lots
