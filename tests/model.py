"""The rules of a sale once more, told the dumb way, to compare the engine with.

Nothing here is kept that can be recomputed: price, leader and reserve of a lot come from the
full list of what happened on it, each time anew, exposures from all lots, amounts from exact
fractions. The only words shared with the engine are its commands, terms and refusals' names.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from math import floor

from msgspec.structs import replace

from auction.budgets import Budget, LotCountBudget, PersonCeiling
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
    WithdrawalCause,
    WithdrawLot,
)
from auction.terms import (
    ClosingMode,
    ExtensionMode,
    LotListing,
    PriceRule,
    SaleAudience,
    Terms,
    VoidRule,
)

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US


@dataclass(frozen=True)
class Bid:
    bidder: str
    amount: int
    freight: int
    person: str | None = None


@dataclass(frozen=True)
class Void:
    bidder: str


@dataclass(frozen=True)
class Reserve:
    amount: int | None


Fact = Bid | Void | Reserve


@dataclass
class ModelLot:
    """A lot: its listing, all that happened on it, and its end."""

    listing: LotListing
    facts: list[Fact]
    end: int
    latest_end: int | None
    status: str = "LIVE"
    extensions: int = 0
    counter: int | None = None
    hammer: int | None = None
    award_tax: int = 0
    unpaid: bool = False


@dataclass
class ModelBidder:
    paddle: int
    restrictions: set[str]
    limit: int | None
    tax: int
    deposit: int = 0
    budgets: tuple[Budget, ...] = ()


@dataclass
class Standing:
    """What the facts of a lot come to."""

    price: int | None = None
    leader: str | None = None
    maxima: dict[str, Bid] = field(default_factory=dict)
    reserve: int | None = None
    public_bids: int = 0

    @property
    def met(self) -> str:
        if self.reserve is None:
            return "NONE"
        top = self.maxima[self.leader].amount if self.leader else 0
        return "MET" if top >= self.reserve else "NOT_MET"


class Model:
    """A sale. ``submit`` answers LEADING, OUTBID, ACCEPTED, or the name of the refusal."""

    def __init__(self, command: ScheduleSale) -> None:
        self.terms: Terms = command.terms
        self.sellers = {*command.seller_ids, command.liquidator_id}
        self.lots: dict[str, ModelLot] = {}
        self.bidders: dict[str, ModelBidder] = {}
        self.answers: dict[tuple[str, str], tuple[tuple[str, int, str], str]] = {}
        self.paused_at: int | None = None
        self.cancelled = False
        self.is_for_all = command.audience is SaleAudience.PUBLIC
        self.choices: list[tuple[str, bool]] = []  # who was let in or shut out, in order
        self._add(command.lots)

    def _add(self, listings: tuple[LotListing, ...]) -> None:
        for listing in listings:
            self.lots[listing.lot_id] = ModelLot(
                listing,
                [Reserve(listing.reserve_minor)],
                listing.closes_at_us,
                listing.latest_end_us,
            )

    # What the facts come to

    def increment(self, price: int) -> int:
        reached = [s for s in self.terms.increments.steps if s.from_minor <= price]
        return max(reached, key=lambda step: step.from_minor).increment_minor

    def standing(self, lot: ModelLot) -> Standing:
        now = Standing()
        valid: list[Bid] = []
        for fact in lot.facts:
            before = (now.leader, now.price, now.met)
            match fact:
                case Reserve(amount):
                    now.reserve = amount
                    continue
                case Bid():
                    valid.append(fact)
                case Void(bidder):
                    restore = self.terms.void_rule is VoidRule.RESTORE
                    valid = [bid for bid in valid if restore and bid.bidder != bidder]
                    now.price = None
            self._stand(now, valid, lot.listing.opening_minor)
            if isinstance(fact, Bid):
                quiet = before == (now.leader, now.price, now.met) and now.leader == fact.bidder
                now.public_bids += not quiet
        return now

    def _stand(self, now: Standing, valid: list[Bid], opening: int) -> None:
        now.maxima = {bid.bidder: bid for bid in valid}  # the last of each bidder
        if not now.maxima:
            now.leader = None
            return
        # A bidder's maximum was made when its last bid came; of equal ones the earlier leads.
        made = {bid.bidder: when for when, bid in enumerate(valid)}
        ranked = sorted(now.maxima.values(), key=lambda bid: (-bid.amount, made[bid.bidder]))
        now.leader = ranked[0].bidder
        price = self._price(opening, now.reserve, [bid.amount for bid in ranked])
        now.price = price if now.price is None else max(price, now.price)

    def _price(self, opening: int, reserve: int | None, amounts: list[int]) -> int:
        top, rivals = amounts[0], amounts[1:]
        if self.terms.price_rule is PriceRule.AT_MAXIMUM:
            return top
        price = opening
        if rivals and self.terms.price_rule is PriceRule.MATCH_RIVAL:
            price = max(price, rivals[0])
        if rivals and self.terms.price_rule is PriceRule.INCREMENT_OVER:
            price = max(price, rivals[0] + self.increment(rivals[0]))
        if reserve is not None:
            price = max(price, reserve)
        return min(price, top)

    def next_minimum(self, lot: ModelLot) -> int:
        price = self.standing(lot).price
        return lot.listing.opening_minor if price is None else price + self.increment(price)

    def all_in(self, tax: int, hammer: int, freight: int) -> int:
        premium, due = self.terms.premium, Fraction(0)
        for number, tier in enumerate(premium.tiers):
            above = premium.tiers[number + 1 :]
            top = min([hammer, *(next_tier.from_minor for next_tier in above[:1])])
            due += Fraction(max(0, top - tier.from_minor) * tier.rate_bps, 10_000)
        buyers_premium = max(half_up(due), premium.minimum_minor)
        base = hammer
        if premium.taxable:
            base += buyers_premium
        if self.terms.freight_taxable:
            base += freight
        return hammer + buyers_premium + freight + half_up(Fraction(base * tax, 10_000))

    def holdings(self, bidder: str, leaving_out: ModelLot | None = None) -> list["Holding"]:
        """The lots that a bidder leads or has won."""
        held: list[Holding] = []
        for lot in self.lots.values():
            now = self.standing(lot)
            if lot is leaving_out or now.leader != bidder:
                continue
            bid = now.maxima[bidder]
            if lot.status in ("LIVE", "IF_BID"):
                amount = self.all_in(self.bidders[bidder].tax, bid.amount, bid.freight)
                held.append(Holding(lot.listing.lot_id, amount, bid.person, owed=True))
            elif lot.status == "SOLD":
                assert lot.hammer is not None
                amount = self.all_in(lot.award_tax, lot.hammer, bid.freight)
                held.append(Holding(lot.listing.lot_id, amount, bid.person, owed=lot.unpaid))
        return held

    def exposure(self, bidder: str, leaving_out: ModelLot | None = None) -> int:
        return sum(held.amount for held in self.holdings(bidder, leaving_out) if held.owed)

    def used(self, bidder: str) -> list[int]:
        """What each budget of a bidder has come to."""
        held = self.holdings(bidder)
        return [comes_to(budget, held) for budget in self.bidders[bidder].budgets]

    def passes_a_budget(self, bidder: str, lot: ModelLot, bid: Bid) -> bool:
        """Whether a budget that the lot concerns would be passed if the bid led."""
        amount = self.all_in(self.bidders[bidder].tax, bid.amount, bid.freight)
        new = Holding(lot.listing.lot_id, amount, bid.person, owed=True)
        held = [*self.holdings(bidder, leaving_out=lot), new]
        return any(
            is_about(budget, new) and comes_to(budget, held) > measure(budget)
            for budget in self.bidders[bidder].budgets
        )

    def is_open_at(self, lot: ModelLot, now: int) -> bool:
        """Whether its end is still to come. For the lots of a paused sale time stands still."""
        return (
            lot.status == "LIVE" and (now if self.paused_at is None else self.paused_at) < lot.end
        )

    def knows(self, bidder: str) -> bool:
        """Whether there is such a sale for the bidder: the last word on it counts."""
        words = [let_in for chosen, let_in in self.choices if chosen == bidder]
        return self.is_for_all or (words[-1] if words else False)

    @property
    def closed(self) -> bool:
        return all(lot.status not in ("LIVE", "IF_BID") for lot in self.lots.values())

    # Commands

    def submit(self, command: Command, now: int) -> str:  # noqa: C901 - dispatch
        match command:
            case PlaceBid():
                return self._place_bid(command, now)
            case RegisterBidder() | SetBudgets() | AnswerCounter() if not self.knows(
                command.bidder_id
            ):
                return "NOT_FOUND"
            case AdmitBidders() | DismissBidders():
                return self._choose(command)
            case MoveLots():
                return self._move(command, now)
            case CancelSale():
                return self._cancel(command, now)
            case ScheduleSale():
                return "SALE_EXISTS"
            case AddLots():
                return self._add_lots(command, now)
            case RegisterBidder():
                return self._register(command)
            case SetLimit():
                if command.bidder_id not in self.bidders:
                    return "NOT_REGISTERED"
                self.bidders[command.bidder_id].limit = command.limit_minor
            case SetBudgets():
                return self._set_budgets(command)
            case PauseSale():
                if self.closed:
                    return "SALE_CLOSED"
                if self.paused_at is not None:
                    return "SALE_PAUSED"
                self.paused_at = now
            case ResumeSale():
                if self.closed:
                    return "SALE_CLOSED"
                if self.paused_at is None:
                    return "SALE_NOT_PAUSED"
                since, self.paused_at = self.paused_at, None
                self._give_time_back(since, now)
            case MoveEndsAfterOutage():
                if self.paused_at is None:
                    self._give_time_back(command.dark_from_us, now)
            case CloseDue():
                self._close(now)
            case _:
                if command.lot_id not in self.lots:
                    return "NOT_FOUND"
                return self._about_a_lot(command, self.lots[command.lot_id], now)
        return "ACCEPTED"

    def _about_a_lot(
        self,
        command: ChangeReserve
        | VoidBids
        | WithdrawLot
        | AcceptIfBid
        | DeclineIfBid
        | CounterIfBid
        | AnswerCounter
        | RecordFunding,
        lot: ModelLot,
        now: int,
    ) -> str:
        match command:
            case ChangeReserve():
                return self._change_reserve(command.reserve_minor, lot, now)
            case VoidBids():
                if not self.is_open_at(lot, now):
                    return "LOT_CLOSED"
                if command.bidder_id not in self.standing(lot).maxima:
                    return "NO_BIDS_TO_VOID"
                lot.facts.append(Void(command.bidder_id))
                return "ACCEPTED"
            case WithdrawLot():
                return self._withdraw(command.cause, lot, now)
            case RecordFunding():
                if not lot.unpaid or self.standing(lot).leader != command.bidder_id:
                    return "NO_UNPAID_AWARD"
                lot.unpaid = False
                return "ACCEPTED"
        if lot.status != "IF_BID" or now >= lot.end:
            return "NO_IF_BID"
        return self._if_bid(command, lot)

    def _place_bid(self, bid: PlaceBid, now: int) -> str:
        content = (bid.lot_id, bid.amount_minor, bid.currency)
        if (bid.bidder_id, bid.bid_id) in self.answers:
            first_content, answer = self.answers[bid.bidder_id, bid.bid_id]
            return answer if content == first_content else "BID_ID_REUSED"
        refusal = self._refusal(bid, now)
        if refusal:
            return refusal
        lot = self.lots[bid.lot_id]
        before = self.standing(lot)
        lot.facts.append(Bid(bid.bidder_id, bid.amount_minor, bid.freight_minor, bid.person_id))
        after = self.standing(lot)
        if (before.price, before.leader) != (after.price, after.leader):
            self._extend(lot, now)
        answer = "LEADING" if after.leader == bid.bidder_id else "OUTBID"
        self.answers[bid.bidder_id, bid.bid_id] = (content, answer)
        return answer

    def _refusal(self, bid: PlaceBid, now: int) -> str | None:  # noqa: C901 - the ladder
        lot = self.lots.get(bid.lot_id)
        if lot is None or not self.knows(bid.bidder_id):
            return "NOT_FOUND"
        listing, bidder = lot.listing, self.bidders.get(bid.bidder_id)
        unit = self.terms.increments.unit_minor
        if bid.currency != self.terms.currency or bid.amount_minor % unit:
            return "INVALID"
        if bid.bidder_id in self.sellers | {listing.consignor_id}:
            return "SELLER_MAY_NOT_BID"
        if bidder is None:
            return "NOT_REGISTERED"
        if set(listing.restrictions) - bidder.restrictions:
            return "TERMS_NOT_ACCEPTED"
        if now < listing.opens_at_us:
            return "LOT_NOT_OPEN"
        lots_time = now if self.paused_at is None else self.paused_at
        if lot.status in ("IF_BID", "SOLD", "PASSED") or lots_time >= lot.end:
            return "LOT_CLOSED"
        if lot.status == "WITHDRAWN":
            return "LOT_WITHDRAWN"
        if self.paused_at is not None:
            return "SALE_PAUSED"
        standing = self.standing(lot)
        own = standing.maxima.get(bid.bidder_id)
        if own is not None and bid.amount_minor <= own.amount:
            return "NOT_ABOVE_OWN_MAXIMUM"
        if (
            self.terms.enforce_minimum
            and standing.leader != bid.bidder_id
            and bid.amount_minor < self.next_minimum(lot)
        ):
            return "AMOUNT_BELOW_MINIMUM"
        would_be = self.exposure(bid.bidder_id, leaving_out=lot)
        would_be += self.all_in(bidder.tax, bid.amount_minor, bid.freight_minor)
        if bidder.limit is not None and would_be > bidder.limit:
            return "LIMIT_EXCEEDED"
        made = Bid(bid.bidder_id, bid.amount_minor, bid.freight_minor, bid.person_id)
        return "BUDGET_EXCEEDED" if self.passes_a_budget(bid.bidder_id, lot, made) else None

    def _extend(self, lot: ModelLot, now: int) -> None:
        soft = self.terms.soft_close
        if soft is None or now < lot.end - soft.window_us:
            return
        old = lot.end
        if soft.mode is ExtensionMode.RESET:
            lot.end = max(old, now + soft.extension_us)
        else:
            lot.end = old + soft.extension_us
        if lot.latest_end is not None:
            lot.end = min(lot.end, lot.latest_end)
        if lot.end == old:
            return
        lot.extensions += 1
        for other in self.lots.values():
            if other is lot or not self.is_open_at(other, now):
                continue
            target, mode = other.end, self.terms.closing
            same_group = other.listing.group == lot.listing.group
            is_later = other.listing.closes_at_us > lot.listing.closes_at_us
            if mode is ClosingMode.GROUP and same_group:
                target = max(other.end, lot.end)
            if mode is ClosingMode.CASCADE and is_later:
                target = other.end + (lot.end - old)
            if other.latest_end is not None:
                target = max(other.end, min(target, other.latest_end))
            other.end = target

    def _give_time_back(self, since: int, now: int) -> None:
        lots = [lot for lot in self.lots.values() if lot.status == "LIVE" and lot.end > since]
        if not lots:
            return
        dark = now - since
        extension = self.terms.soft_close.extension_us if self.terms.soft_close else 0
        notice = 30 * SECOND_US
        if dark >= 10 * SECOND_US:
            notice = max(2 * extension, 120 * SECOND_US)
        first = min(lot.end for lot in lots)
        if first >= now + notice:
            return
        move = max(dark, notice - (first - now))
        if dark >= 2 * HOUR_US:
            move += 24 * HOUR_US
        for lot in lots:
            lot.end += move
            if lot.latest_end is not None:
                lot.latest_end += move

    def _close(self, now: int) -> None:
        if self.paused_at is not None:
            return
        for lot in self.lots.values():
            if lot.end > now or lot.status not in ("LIVE", "IF_BID"):
                continue
            standing = self.standing(lot)
            if lot.status == "IF_BID" or standing.leader is None:
                lot.status = "PASSED"
            elif standing.met != "NOT_MET":
                assert standing.price is not None
                self._sell(lot, standing.price)
            elif self.terms.if_bid_us is None:
                lot.status = "PASSED"
            else:
                lot.status, lot.end = "IF_BID", now + self.terms.if_bid_us

    def _sell(self, lot: ModelLot, hammer: int) -> None:
        leader = self.standing(lot).leader
        assert leader is not None
        lot.status, lot.hammer, lot.unpaid = "SOLD", hammer, True
        lot.award_tax = self.bidders[leader].tax

    def _change_reserve(self, amount: int | None, lot: ModelLot, now: int) -> str:
        if not self.is_open_at(lot, now):
            return "LOT_CLOSED"
        if amount is not None and amount % self.terms.increments.unit_minor:
            return "INVALID"
        standing = self.standing(lot)
        lowered = standing.reserve is not None and (amount is None or amount < standing.reserve)
        untouched = not any(isinstance(fact, Bid) for fact in lot.facts)  # voided ones count
        free = untouched and amount != standing.reserve
        if not (lowered or free):
            return "RESERVE_NOT_LOWERED"
        lot.facts.append(Reserve(amount))
        return "ACCEPTED"

    def _withdraw(self, cause: WithdrawalCause, lot: ModelLot, now: int) -> str:
        if lot.status == "WITHDRAWN":
            return "LOT_WITHDRAWN"
        if not self.is_open_at(lot, now):
            return "LOT_CLOSED"
        standing = self.standing(lot)
        promised = standing.reserve is None and standing.leader is not None
        if promised and cause is WithdrawalCause.SELLER:
            return "WITHDRAWAL_NOT_ALLOWED"
        lot.status = "WITHDRAWN"
        return "ACCEPTED"

    def _if_bid(
        self, command: AcceptIfBid | DeclineIfBid | CounterIfBid | AnswerCounter, lot: ModelLot
    ) -> str:
        standing = self.standing(lot)
        assert standing.price is not None
        match command:
            case AcceptIfBid():
                self._sell(lot, standing.price)
            case DeclineIfBid():
                lot.status = "PASSED"
            case CounterIfBid():
                if command.amount_minor % self.terms.increments.unit_minor:
                    return "INVALID"
                if command.amount_minor <= standing.price:
                    return "COUNTER_NOT_ABOVE_BID"
                lot.counter = command.amount_minor
            case AnswerCounter():
                return self._answer(command, lot, standing)
        return "ACCEPTED"

    def _answer(self, command: AnswerCounter, lot: ModelLot, standing: Standing) -> str:
        if standing.leader != command.bidder_id or lot.counter is None:
            return "NO_COUNTER"
        if not command.accepted:
            lot.counter = None
            return "ACCEPTED"
        bidder = self.bidders[command.bidder_id]
        would_be = self.exposure(command.bidder_id, leaving_out=lot) + self.all_in(
            bidder.tax, lot.counter, standing.maxima[command.bidder_id].freight
        )
        if bidder.limit is not None and would_be > bidder.limit:
            return "LIMIT_EXCEEDED"
        own = standing.maxima[command.bidder_id]
        taken = Bid(own.bidder, lot.counter, own.freight, own.person)
        if self.passes_a_budget(command.bidder_id, lot, taken):
            return "BUDGET_EXCEEDED"
        self._sell(lot, lot.counter)
        return "ACCEPTED"

    def _choose(self, command: AdmitBidders | DismissBidders) -> str:
        if self.is_for_all:
            return "INVALID"
        if self.closed:
            return "SALE_CLOSED"
        self.choices += [(b, isinstance(command, AdmitBidders)) for b in command.bidder_ids]
        return "ACCEPTED"

    def _cancel(self, command: CancelSale, now: int) -> str:
        """All lots at once: the model knows no chunks, and its sales have no hundred lots."""
        if self.closed:
            return "SALE_CLOSED"
        if self.cancelled:
            return "ACCEPTED"
        lots = [lot for lot in self.lots.values() if self.is_open_at(lot, now)]
        if not lots:
            return "LOT_CLOSED"
        before = [lot.status for lot in lots]
        for lot in lots:
            answer = self._withdraw(command.cause, lot, now)
            if answer != "ACCEPTED":
                for undone, status in zip(lots, before, strict=True):
                    undone.status = status
                return answer
        self.cancelled = True
        return "ACCEPTED"

    def _move(self, command: MoveLots, now: int) -> str:
        if self.closed:
            return "SALE_CLOSED"
        if self.cancelled:
            return "SALE_CANCELLED"
        for number, times in enumerate(command.times):
            lot = self.lots.get(times.lot_id)
            if lot is None:
                return "NOT_FOUND"
            if times.lot_id in [other.lot_id for other in command.times[:number]]:
                return "INVALID"
            if lot.status == "WITHDRAWN":
                return "LOT_WITHDRAWN"
            if now >= lot.listing.opens_at_us:
                return "BIDDING_BEGUN"
            if not now < times.opens_at_us < times.closes_at_us:
                return "INVALID"
        for times in command.times:
            lot = self.lots[times.lot_id]
            opens, closes = times.opens_at_us, times.closes_at_us
            lot.listing = replace(lot.listing, opens_at_us=opens, closes_at_us=closes)
            if lot.latest_end is not None:
                lot.latest_end += closes - lot.end
            lot.end = closes
        return "ACCEPTED"

    def _set_budgets(self, command: SetBudgets) -> str:
        if self.closed:
            return "SALE_CLOSED"
        if command.bidder_id not in self.bidders:
            return "NOT_REGISTERED"
        if len({budget.name for budget in command.budgets}) < len(command.budgets):
            return "INVALID"
        named = [
            lot_id
            for budget in command.budgets
            if not isinstance(budget, PersonCeiling)
            for lot_id in budget.lots or ()
        ]
        if not set(named) <= set(self.lots):
            return "NOT_FOUND"
        self.bidders[command.bidder_id].budgets = command.budgets
        return "ACCEPTED"

    def _register(self, command: RegisterBidder) -> str:
        if self.closed:
            return "SALE_CLOSED"
        if command.bidder_id in self.sellers:
            return "SELLER_MAY_NOT_BID"
        if command.terms_version != self.terms.version:
            return "TERMS_NOT_ACCEPTED"
        if self.terms.certificate_required and not command.certificate:
            return "CERTIFICATE_REQUIRED"
        if command.deposit_minor < self.terms.deposit_minor:
            return "DEPOSIT_REQUIRED"
        known = self.bidders.get(command.bidder_id)
        limit = command.limit_minor
        if limit is None and known is not None and known.deposit == command.deposit_minor:
            limit = known.limit
        elif limit is None and command.deposit_minor > 0:
            limit = command.deposit_minor * self.terms.deposit_factor
        paddle = known.paddle if known else 101 + len(self.bidders)
        self.bidders[command.bidder_id] = ModelBidder(
            paddle,
            set(command.restrictions),
            limit,
            command.tax_bps,
            command.deposit_minor,
            known.budgets if known else (),
        )
        return "ACCEPTED"

    def _add_lots(self, command: AddLots, now: int) -> str:
        if self.closed:
            return "SALE_CLOSED"
        if self.cancelled:
            return "SALE_CANCELLED"
        names = [listing.lot_id for listing in command.lots]
        if len(set(names)) < len(names) or set(names) & set(self.lots):
            return "LOT_EXISTS"
        if any(listing.closes_at_us <= now for listing in command.lots):
            return "INVALID"
        self._add(command.lots)
        return "ACCEPTED"


@dataclass(frozen=True)
class Holding:
    """A lot that is led or won, all-in, and by whom of the team."""

    lot: str
    amount: int
    person: str | None
    owed: bool


def is_about(budget: Budget, held: Holding) -> bool:
    if isinstance(budget, PersonCeiling):
        return held.person == budget.person_id
    return budget.lots is None or held.lot in budget.lots


def comes_to(budget: Budget, holdings: list[Holding]) -> int:
    about = [held for held in holdings if is_about(budget, held)]
    if isinstance(budget, LotCountBudget):
        return len(about)
    return sum(held.amount for held in about)


def measure(budget: Budget) -> int:
    return budget.at_most if isinstance(budget, LotCountBudget) else budget.at_most_minor


def half_up(amount: Fraction) -> int:
    return floor(amount + Fraction(1, 2))
