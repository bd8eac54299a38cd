"""Random sales: terms, lots, and steps that are made concrete against the state they meet.

A step names what it aims at (the minimum, the leader's maximum, a lot's end) and by how much
it misses, so that the borders where rules change are hit often, and a failing sale shrinks
to the few steps that matter.
"""

from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Any, Final

from hypothesis import strategies as st
from msgspec.structs import replace

from auction.budgets import AllInBudget, Budget, LotCountBudget, PersonCeiling
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
    LotTimes,
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
from auction.ids import BidderId, BidId, LotId, PersonId
from auction.increments import EBAY, LIQUIDATION
from auction.terms import (
    ClosingMode,
    ExtensionMode,
    LotListing,
    Premium,
    PremiumTier,
    PriceRule,
    SaleAudience,
    SoftClose,
    Terms,
    VoidRule,
)
from tests.builders import HOUSE, MINUTE_US, SALE, SECOND_US, SECRET, STAFF_MEMBER, at
from tests.model import Model, comes_to

START_US: Final = at("15:50")
HOUR_US: Final = 60 * MINUTE_US

PEOPLE: Final = (None, PersonId("person-1"), PersonId("person-2"))

# Ann bids without limit, Bob with a limit, Cid on a deposit, Dee pays tax. The others may not
# bid: the house and its kin sell, the maker consigns lot 3, nobody knows Zed.
BIDDERS: Final = ("bidder-ann", "bidder-bob", "bidder-cid", "bidder-dee")
OTHERS: Final = ("house", "bidder-kin", "bidder-maker", "bidder-zed")
LOTS: Final = ("1", "2", "3")

SOFT_CLOSES: Final = (
    None,
    SoftClose(5 * MINUTE_US, 5 * MINUTE_US),
    SoftClose(5 * MINUTE_US, 5 * MINUTE_US, ExtensionMode.ADD),
)
COMBINATIONS: Final = [
    (rule, void, closing, soft)
    for rule in PriceRule
    for void in VoidRule
    for closing in ClosingMode
    for soft in SOFT_CLOSES
]


@dataclass(frozen=True)
class Wait:
    """For ``by_us``, or until the next end of a lot plus ``by_us``."""

    by_us: int
    to_the_next_end: bool = False


@dataclass(frozen=True)
class Step:
    """What somebody does, after a wait. The numbers mean what the kind makes of them; lots and
    bidders are counted among those to whom it can happen."""

    wait: Wait
    kind: str
    who: int = 0
    lot: int = 0
    aim: str = ""
    miss: int = 0


AIMS: Final = ("minimum", "minimum", "top", "top", "own", "reserve", "price", "limit", "budget")
# By units of the sale, but 5: by an increment, and 50 and more: by dollars.
MISSES: Final = (0, 1, -1, 5, 5, 50, 50, 300)
STATUS_OF: Final = {
    "fund": "SOLD",
    "accept": "IF_BID",
    "decline": "IF_BID",
    "counter": "IF_BID",
    "answer": "IF_BID",
}
KINDS: Final = (
    *["bid"] * 30,
    *["repeat"] * 2,
    *["close"] * 4,
    *["budgets"] * 4,
    *["void", "void", "reserve", "withdraw", "limit", "register", "fund", "fund"],
    *["accept", "decline", "counter", "counter", "answer", "answer"],
    *["pause", "resume", "outage", "add lot"],
    *["admit", "admit", "dismiss", "move", "move", "cancel"],
)

# How long the service is away: around each border of the outage rule.
OUTAGES_US: Final = (
    SECOND_US,
    10 * SECOND_US - 1,
    10 * SECOND_US,
    MINUTE_US,
    30 * MINUTE_US,
    2 * HOUR_US - 1,
    2 * HOUR_US,
    3 * HOUR_US,
)

BEFORE_THE_END_US: Final = (
    *[-5 * MINUTE_US - 1, -5 * MINUTE_US, -4 * MINUTE_US, -MINUTE_US, -SECOND_US, -1] * 3,
    *[0, 0, 1, 1],
)


def _step(seed: int) -> Step:
    # A generator of its own for each step: plain choices, of which Hypothesis would repeat too
    # many, and still a scenario shrinks step by step.
    draw = Random(seed)
    wait = Wait(0)
    if draw.random() < 0.25:
        wait = Wait(draw.choice([SECOND_US, 20 * SECOND_US, MINUTE_US]))
    elif draw.random() < 0.25:
        wait = Wait(draw.choice(BEFORE_THE_END_US), to_the_next_end=True)
    return Step(
        wait=wait,
        kind=draw.choice(KINDS),
        who=draw.choice([*range(4)] * 8 + [*range(4, 8)]),
        lot=draw.choice([0] * 14 + [1] * 8 + [2] * 4 + [3]),
        aim=draw.choice(AIMS),
        miss=draw.choice(MISSES),
    )


steps: Final = st.lists(st.integers(0, 2**20).map(_step), min_size=20, max_size=60)


@st.composite
def listings(draw: st.DrawFn) -> tuple[LotListing, ...]:
    """Three lots two minutes apart; the second may open late, the third is consigned."""
    lots = []
    for number, name in enumerate(LOTS):
        closes_at_us = at("16:00") + number * draw(st.sampled_from([0, 2])) * MINUTE_US
        lots.append(
            LotListing(
                lot_id=LotId(name),
                opening_minor=draw(st.sampled_from([100_00, 250_00])),
                reserve_minor=draw(st.sampled_from([None, None, 50_00, 300_00, 1_000_00])),
                opens_at_us=at("15:53") if number == 1 else START_US,
                closes_at_us=closes_at_us,
                latest_end_us=draw(
                    st.sampled_from([None, closes_at_us, closes_at_us + 7 * MINUTE_US])
                ),
                group=draw(st.sampled_from(["", "tools"])),
                restrictions=("export only",) if number == 2 else (),
                consignor_id=BidderId("bidder-maker") if number == 2 else None,
            )
        )
    return tuple(lots)


@st.composite
def all_terms(
    draw: st.DrawFn,
    rule: PriceRule,
    void: VoidRule,
    closing: ClosingMode,
    soft: SoftClose | None,
) -> Terms:
    """Terms with these rules; the rest is drawn."""
    tiers = (PremiumTier(0, 1_500), PremiumTier(200_00, 1_200), PremiumTier(900_00, 333))
    return Terms(
        increments=draw(st.sampled_from([EBAY, LIQUIDATION])),
        price_rule=rule,
        void_rule=void,
        closing=closing,
        soft_close=soft,
        enforce_minimum=draw(st.sampled_from([True, True, True, False])),
        if_bid_us=draw(st.sampled_from([None, 24 * HOUR_US])),
        premium=draw(
            st.sampled_from([Premium(), Premium(tiers, minimum_minor=50_00, taxable=False)])
        ),
        freight_taxable=draw(st.booleans()),
    )


def schedule(
    terms: Terms, lots: tuple[LotListing, ...], audience: SaleAudience = SaleAudience.PUBLIC
) -> ScheduleSale:
    """The command that opens the sale of a scenario."""
    return ScheduleSale(
        sale_id=SALE,
        liquidator_id=HOUSE,
        audience=audience,
        seller_ids=(BidderId("bidder-kin"),),
        terms=terms,
        lots=lots,
        secret=SECRET,
        actor_id=STAFF_MEMBER,
    )


def registrations() -> list[RegisterBidder]:
    """The four bidders as they are admitted."""
    ann, bob, cid, dee = (
        RegisterBidder(
            sale_id=SALE,
            bidder_id=BidderId(bidder),
            terms_version=1,
            restrictions=("export only",),
        )
        for bidder in BIDDERS
    )
    return [
        ann,
        replace(bob, limit_minor=4_000_00),
        replace(cid, deposit_minor=200_00),
        replace(dee, tax_bps=825, restrictions=()),
    ]


class Concrete:
    """Makes steps concrete against the model as it stands."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._bid_numbers = count(1)
        self._bids: list[PlaceBid] = []

    def time_us(self, step: Step, now_us: int) -> int:
        """When the step is done; time does not go back."""
        wait, live = step.wait, self._lots("LIVE") or self._lots("IF_BID")
        ends = [self._model.lots[lot_id].end for lot_id in live]
        ahead = [end for end in ends if end > now_us] or [now_us]
        if not wait.to_the_next_end:
            return now_us + wait.by_us
        return max(now_us, min(ahead) + wait.by_us)

    def command(self, step: Step, now_us: int) -> Command:  # noqa: C901 - dispatch
        """What the step asks of the sale."""
        lot_id = self._lot(step, now_us)
        bidder_id = BidderId((*BIDDERS, *OTHERS)[step.who])
        on_lot: dict[str, Any] = {"sale_id": SALE, "lot_id": lot_id, "actor_id": STAFF_MEMBER}
        in_sale: dict[str, Any] = {"sale_id": SALE, "actor_id": STAFF_MEMBER}
        match self._kind(step):
            case "bid":
                return self._bid(step, lot_id, bidder_id)
            case "repeat" if self._bids:
                return self._repeat(step)
            case "void":
                return VoidBids(
                    bidder_id=self._one_that_bid(step, lot_id), reason="an error", **on_lot
                )
            case "reserve":
                amount = self._amount(step, lot_id, bidder_id)
                return ChangeReserve(reserve_minor=amount if step.who else None, **on_lot)
            case "withdraw":
                cause = list(WithdrawalCause)[step.who % 4]
                return WithdrawLot(cause=cause, reason="an error", **on_lot)
            case "limit":
                limit = self._amount(step, lot_id, bidder_id) if step.miss else None
                return SetLimit(bidder_id=bidder_id, limit_minor=limit, **in_sale)
            case "budgets":
                return SetBudgets(
                    bidder_id=bidder_id, budgets=self._budgets(step, lot_id, bidder_id), **in_sale
                )
            case "register":
                return self._register(step, bidder_id)
            case "fund":
                return RecordFunding(bidder_id=self._leader(step, lot_id), **on_lot)
            case "accept":
                return AcceptIfBid(**on_lot)
            case "decline":
                return DeclineIfBid(**on_lot)
            case "counter":
                amount = self._amount(step, lot_id, bidder_id)
                return CounterIfBid(amount_minor=amount, **on_lot)
            case "answer":
                return AnswerCounter(
                    sale_id=SALE,
                    lot_id=lot_id,
                    bidder_id=self._leader(step, lot_id),
                    accepted=step.miss != 1,
                )
            case "pause":
                return PauseSale(reason="a fire alarm", **in_sale)
            case "resume":
                return ResumeSale(**in_sale)
            case "outage":
                return MoveEndsAfterOutage(sale_id=SALE, dark_from_us=now_us)
            case "add lot":
                return self._add_lot(step, now_us)
            case "admit":
                return AdmitBidders(bidder_ids=(bidder_id, BidderId("bidder-eve")), **in_sale)
            case "dismiss":
                return DismissBidders(bidder_ids=(bidder_id,), **in_sale)
            case "move":
                return self._move_lots(step, now_us)
            case "cancel" if step.lot == 2:  # a scenario that ends early tells little
                cause = list(WithdrawalCause)[step.who % 4]
                return CancelSale(cause=cause, reason="a flood", **in_sale)
        return CloseDue(sale_id=SALE)

    def _bid(self, step: Step, lot_id: LotId, bidder_id: BidderId) -> PlaceBid:
        bid = PlaceBid(
            sale_id=SALE,
            lot_id=lot_id,
            bidder_id=bidder_id,
            bid_id=BidId(f"00000000-0000-4000-8000-{next(self._bid_numbers):012x}"),
            amount_minor=self._amount(step, lot_id, bidder_id),
            currency="USD",
            freight_minor=35_00 if step.who == 3 else 0,
            person_id=PEOPLE[(step.who + AIMS.index(step.aim or "own")) % 3],
        )
        self._bids.append(bid)
        return bid

    def _repeat(self, step: Step) -> PlaceBid:
        """A bid that was sent before, accepted or not; sometimes with another content."""
        bid = self._bids[-1 - step.who % len(self._bids)]
        match step.miss:
            case -1:
                return replace(bid, amount_minor=bid.amount_minor + 100)
            case 5:
                return replace(bid, currency="EUR")
            case 50:
                return replace(bid, lot_id=LotId("2"))
        return bid

    def _register(self, step: Step, bidder_id: BidderId) -> RegisterBidder:
        return RegisterBidder(
            sale_id=SALE,
            bidder_id=bidder_id,
            terms_version=2 if step.miss == -1 else 1,
            restrictions=("export only",) if step.lot else (),
            deposit_minor=50_00 if step.aim == "limit" else 0,
            tax_bps=825 if step.aim in ("top", "price") else 0,
        )

    def _budgets(self, step: Step, lot_id: LotId, bidder_id: BidderId) -> tuple[Budget, ...]:
        """One or several around what the bidder leads and would lead, or none."""
        if step.miss == 300:
            return ()
        named = None if step.aim == "price" else (lot_id, LotId("2"))
        amount = self._amount(step, lot_id, bidder_id) * (1 + step.lot)
        budgets: tuple[Budget, ...] = (
            LotCountBudget(name="lots", at_most=step.lot, lots=named),
            AllInBudget(name="sum", at_most_minor=amount, lots=named),
            PersonCeiling(name="one", person_id=PersonId("person-1"), at_most_minor=amount),
            PersonCeiling(name="two", person_id=PersonId("person-2"), at_most_minor=2 * amount),
        )
        first = AIMS.index(step.aim) % 4
        return budgets[first:] if step.miss != -1 else budgets[:first] * 2

    def _add_lot(self, step: Step, now_us: int) -> AddLots:
        listing = LotListing(
            lot_id=LotId(f"new-{step.who}"),
            opening_minor=100_00,
            opens_at_us=now_us - MINUTE_US,
            closes_at_us=now_us + step.miss * MINUTE_US // 5,
            group="tools",
        )
        return AddLots(sale_id=SALE, lots=(listing,), actor_id=STAFF_MEMBER)

    def _move_lots(self, step: Step, now_us: int) -> MoveLots:
        """One or two lots, mostly such as have not opened yet, to times around now."""
        lots = self._model.lots
        ahead = [name for name, lot in lots.items() if lot.listing.opens_at_us > now_us]
        chosen = (ahead or list(lots))[: 1 + step.lot % 2]
        opens_us = now_us + step.miss * SECOND_US
        ends_us = opens_us + (step.who + 1) * MINUTE_US
        named = chosen + chosen[:1] if step.who == 7 else chosen
        times = tuple(LotTimes(LotId(name), max(0, opens_us), ends_us) for name in named)
        return MoveLots(sale_id=SALE, times=times, actor_id=STAFF_MEMBER)

    def _kind(self, step: Step) -> str:
        """What the step does, or a bid instead of most that cannot happen now."""
        if step.miss == -1:
            return step.kind
        if self._model.paused_at is not None and step.kind == "bid" and step.miss in (0, 1):
            return "resume"
        missing = self._lots(STATUS_OF.get(step.kind, "LIVE")) == []
        return "bid" if missing and step.kind != "close" else step.kind

    def _lots(self, status: str) -> list[LotId]:
        return [LotId(name) for name, lot in self._model.lots.items() if lot.status == status]

    def _lot(self, step: Step, now_us: int) -> LotId:
        """A lot to which this can happen, mostly; or no lot."""
        if step.lot == 3:
            return LotId("nowhere")
        lots = self._lots(STATUS_OF.get(self._kind(step), "LIVE"))
        ahead = [lot for lot in lots if self._model.lots[lot].end > now_us and step.miss != -1]
        lots = ahead or lots or [LotId(name) for name in self._model.lots]
        return lots[step.lot % len(lots)]

    def _leader(self, step: Step, lot_id: LotId) -> BidderId:
        """The lot's leader, mostly."""
        lot = self._model.lots.get(lot_id)
        leader = self._model.standing(lot).leader if lot else None
        return BidderId(leader if leader and step.who else BIDDERS[step.lot])

    def _one_that_bid(self, step: Step, lot_id: LotId) -> BidderId:
        """One of those with bids on the lot, mostly."""
        lot = self._model.lots.get(lot_id)
        maxima = list(self._model.standing(lot).maxima) if lot else []
        return BidderId((maxima or BIDDERS)[step.who % len(maxima or BIDDERS)])

    def _left(self, bidder_id: BidderId, lot_id: LotId) -> int | None:
        """What the bidder's first budget of a sum leaves for this lot."""
        if bidder_id not in self._model.bidders:
            return None
        held = self._model.holdings(bidder_id, leaving_out=self._model.lots[lot_id])
        sums = [
            b for b in self._model.bidders[bidder_id].budgets if not isinstance(b, LotCountBudget)
        ]
        left = [budget.at_most_minor - comes_to(budget, held) for budget in sums]
        return max(0, left[0]) if left else None

    def _amount(self, step: Step, lot_id: LotId, bidder_id: BidderId) -> int:
        """The amount aimed at, missed by ``step.miss``; never below one."""
        lot = self._model.lots.get(lot_id)
        if lot is None:
            return 100_00
        model, standing = self._model, self._model.standing(lot)
        own, leader = standing.maxima.get(bidder_id), standing.leader
        bidder = model.bidders.get(bidder_id)
        aimed = {
            "top": standing.maxima[leader].amount if leader else None,
            "own": own.amount if own else None,
            "reserve": standing.reserve,
            "price": standing.price,
            "limit": bidder.limit if bidder else None,
            "budget": self._left(bidder_id, lot_id),
        }.get(step.aim)
        if aimed is None:
            aimed = model.next_minimum(lot)
        if step.miss == 5:
            return aimed + model.increment(aimed)
        unit = 100 if step.miss >= 50 else model.terms.increments.unit_minor
        return max(1, aimed + step.miss * unit)
