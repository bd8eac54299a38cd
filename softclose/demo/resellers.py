"""The simulated resellers: what each thinks a lot is worth, and when and how each bids.

A reseller is shown public lots and the verdicts on its own bids, and nothing else. It plans to
look at a lot at some time; when it looks, it decides anew, so a look that comes at a bad moment
does no harm. Its randomness is its own, drawn from the seed: the others do not change it.
"""

import random
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final

from auction.ids import BidderId, LotId, Paddle
from auction.rejections import Rejection
from auction.verdicts import Verdict
from softclose.demo.catalogue import SECOND_US, Catalogue
from softclose.demo.goods import Goods
from softclose.demo.saleroom import Message, PublicLot

# How far the valuations of two dealers in the same goods lie apart.
SPREAD: Final = 0.12
# Bids are round sums.
ROUND_MINOR: Final = 5_00
# A deposit that leaves room for a truckload, at ten times its amount.
USUAL_DEPOSIT_MINOR: Final = 5_000_00


class Reseller(ABC):
    """A bidder. Times are engine time in microseconds."""

    # What it would pay of what it thinks the goods are worth.
    share: float = 1.0

    def __init__(
        self, name: str, valuations: dict[LotId, int], deposit_minor: int, rng: random.Random
    ) -> None:
        self.name, self.valuations, self.deposit_minor = name, valuations, deposit_minor
        self.bidder_id = BidderId(name.lower().replace(" ", "-"))
        self.paddle: Paddle | None = None
        self.maxima: dict[LotId, int] = {}
        self._rng = rng
        self._planned: set[LotId] = set()

    def hears(self, message: Message) -> None:
        """An event that is meant for this reseller alone."""
        if message["type"] == "bidder_registered":
            self.paddle = message["paddle"]

    def plan(self, lot: PublicLot, now_us: int) -> int | None:
        """When to look at this lot next; ``None``: not now, or it is planned already."""
        if lot.lot_id in self._planned or not self._wants(lot):
            return None
        self._planned.add(lot.lot_id)
        return max(self._when_us(lot, now_us), now_us + SECOND_US // 2)

    def look(self, lot: PublicLot, now_us: int) -> int | None:
        """The maximum to bid now, if any."""
        self._planned.discard(lot.lot_id)
        return self._amount_minor(lot, now_us) if self._wants(lot) else None

    def learn(self, lot: PublicLot, amount_minor: int, verdict: Verdict) -> None:
        """The verdict on a bid of this reseller."""
        if verdict.accepted:
            self.maxima[lot.lot_id] = amount_minor
        elif verdict.code is Rejection.LIMIT_EXCEEDED:
            del self.valuations[lot.lot_id]  # it turns to what it can afford

    def _wants(self, lot: PublicLot) -> bool:
        if not lot.is_live or self._leads(lot):
            return False
        return lot.next_minimum_minor <= self._most_minor(lot)

    def _leads(self, lot: PublicLot) -> bool:
        return lot.leader is not None and lot.leader == self.paddle

    def _most_minor(self, lot: PublicLot) -> int:
        return self.valuations.get(lot.lot_id, 0)

    def _step_minor(self, lot: PublicLot, boldness: float) -> int:
        """The least that would do, or up to so large a part of what is left to bid."""
        left_minor = self._most_minor(lot) - lot.next_minimum_minor
        return lot.next_minimum_minor + rounded(left_minor * self._rng.uniform(0, boldness))

    def _between(self, low: float, high: float) -> int:
        """A time between so and so many seconds, in microseconds."""
        return int(self._rng.uniform(low, high) * SECOND_US)

    def _part(self, lot: PublicLot, low: float, high: float) -> int:
        """A moment in this part of the lot's time."""
        return lot.opens_at_us + int(
            (lot.closes_at_us - lot.opens_at_us) * self._rng.uniform(low, high)
        )

    @abstractmethod
    def _when_us(self, lot: PublicLot, now_us: int) -> int:
        """When to look at a lot that is wanted."""

    @abstractmethod
    def _amount_minor(self, lot: PublicLot, now_us: int) -> int | None:
        """What to bid on a lot that is wanted."""


class ProxyBidder(Reseller):
    """Leaves a maximum and lets the proxy work; goes to its limit once, later on."""

    caution = 0.65

    def _wants(self, lot: PublicLot) -> bool:
        most_minor = self._most_minor(lot)
        if not lot.is_live or most_minor <= self.maxima.get(lot.lot_id, 0):
            return False
        return self._leads(lot) or lot.next_minimum_minor <= most_minor

    def _when_us(self, lot: PublicLot, now_us: int) -> int:
        early = lot.lot_id not in self.maxima
        return self._part(lot, 0.02, 0.75) if early else self._part(lot, 0.7, 0.97)

    def _amount_minor(self, lot: PublicLot, now_us: int) -> int | None:
        most_minor = self._most_minor(lot)
        if lot.lot_id in self.maxima:
            return most_minor
        return max(rounded(most_minor * self.caution), lot.next_minimum_minor)


class SteadyBidder(Reseller):
    """Bids up in steps, again and again, and answers quickly when the end is near."""

    def _when_us(self, lot: PublicLot, now_us: int) -> int:
        if lot.lot_id not in self.maxima:
            return self._part(lot, 0.01, 0.6)
        if lot.closes_at_us - now_us < 90 * SECOND_US:
            return now_us + self._between(4, 40)
        return now_us + self._between(15, 100)

    def _amount_minor(self, lot: PublicLot, now_us: int) -> int | None:
        return self._step_minor(lot, 0.3)


class Sniper(Reseller):
    """Waits for the last seconds, whenever they are."""

    share = 1.1  # who deals in little else knows what it is worth
    patience_us = 25 * SECOND_US

    def _when_us(self, lot: PublicLot, now_us: int) -> int:
        return max(lot.closes_at_us - self._between(2, 22), now_us + self._between(1, 6))

    def _amount_minor(self, lot: PublicLot, now_us: int) -> int | None:
        if lot.closes_at_us - now_us > self.patience_us:
            return None  # the end has moved since: wait for the new one
        return self._step_minor(lot, 0.6)


class EarlyBird(Reseller):
    """Bids low and early in the hope that nobody else does."""

    share = 0.5

    def _when_us(self, lot: PublicLot, now_us: int) -> int:
        return now_us + self._between(1, 60)

    def _amount_minor(self, lot: PublicLot, now_us: int) -> int | None:
        return lot.next_minimum_minor


def rounded(amount_minor: float) -> int:
    """Down to a round sum."""
    return int(amount_minor) // ROUND_MINOR * ROUND_MINOR


@dataclass(frozen=True)
class Profile:
    """Who a reseller is, whatever the seed."""

    name: str
    style: type[Reseller]
    deals_in: tuple[str, ...]
    deposit_minor: int = USUAL_DEPOSIT_MINOR


ROSTER: Final = (
    Profile("Kestrel Resale", ProxyBidder, ("kitchen", "home")),
    Profile("Dockside Deals", SteadyBidder, ("tools", "furniture", "home")),
    Profile("Blue Door Bargains", Sniper, ("electronics", "toys")),
    Profile("Palletworks", SteadyBidder, ("furniture", "tools", "kitchen")),
    Profile("Second Spin", ProxyBidder, ("electronics",)),
    Profile("The Return Counter", SteadyBidder, ("kitchen", "home", "baby")),
    Profile("Maple Street Outlet", EarlyBird, ("apparel", "home", "toys")),
    Profile("Bin Day", SteadyBidder, ("toys", "apparel", "kitchen")),
    Profile("Northgate Surplus", ProxyBidder, ("furniture", "electronics", "tools")),
    Profile("Tinker and Mend", Sniper, ("electronics", "kitchen")),
    Profile("Little Acorn Kids", Sniper, ("baby", "toys")),
    Profile("Mercado Rosa", SteadyBidder, ("apparel", "home")),
    Profile("Flip It Friday", EarlyBird, ("kitchen", "toys", "tools", "baby", "home")),
    Profile("Ironwood Tools", Sniper, ("tools",)),
    Profile("Harvest Moon Thrift", ProxyBidder, ("apparel", "home")),
    Profile("Lakeside Salvage", SteadyBidder, ("electronics", "tools")),
    Profile("Crate Expectations", Sniper, ("furniture", "home")),
    Profile("Open Box Depot", ProxyBidder, ("kitchen", "electronics")),
    Profile("Weekend Warehouse", SteadyBidder, ("furniture", "toys")),
    Profile("Stroller Swap", ProxyBidder, ("baby",)),
    Profile("Corner Lot Traders", EarlyBird, ("tools", "kitchen", "electronics")),
    Profile("Vista Seconds", Sniper, ("apparel", "furniture")),
    Profile("Bluebird Boutique", ProxyBidder, ("apparel", "baby")),
    # Keen on what it cannot pay for: a limit of 1,200.
    Profile("Shoestring Resale", SteadyBidder, ("electronics", "furniture", "kitchen"), 120_00),
)


def resellers(catalogue: Catalogue, seed: int) -> list[Reseller]:
    """The room of this seed."""
    room = []
    for profile in ROSTER:
        rng = random.Random(f"{seed}/{profile.name}")  # noqa: S311 - to be repeated, not secret
        valuations = {
            lot_id: _valuation_minor(goods, profile, rng)
            for lot_id, goods in catalogue.goods.items()
            if goods.category in profile.deals_in
        }
        room.append(profile.style(profile.name, valuations, profile.deposit_minor, rng))
    return room


def _valuation_minor(goods: Goods, profile: Profile, rng: random.Random) -> int:
    worth = goods.msrp_minor * goods.worth * rng.lognormvariate(0.0, SPREAD)
    return rounded(worth * profile.style.share)
