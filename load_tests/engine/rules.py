"""What all contenders agree on: proxy bidding on one lot, as small as it can be written.

The peers are programs of their own; so that they are compared at the same task, they follow
these rules, and the engine's terms in ``ours`` say the same in its own words. Everything is an
integer: minor units, and microseconds since the epoch.
"""

import time
from bisect import bisect_right
from dataclasses import astuple, dataclass
from typing import Final

from auction.increments import LIQUIDATION

OPENING_MINOR: Final = 100_00
WINDOW_US: Final = 300_000_000
EXTENSION_US: Final = 300_000_000

BOUNDS: Final = [step.from_minor for step in LIQUIDATION.steps]
INCREMENTS: Final = [step.increment_minor for step in LIQUIDATION.steps]


def increment_minor(price_minor: int) -> int:
    """The increment of the table that all share."""
    return INCREMENTS[bisect_right(BOUNDS, price_minor) - 1]


def wall_us() -> int:
    """The time by this machine's clock."""
    return time.time_ns() // 1_000


@dataclass(slots=True)
class ProxyLot:
    """A lot under proxy bids. ``leader`` is 0 before the first bid."""

    closes_at_us: int
    price_minor: int = 0
    minimum_minor: int = OPENING_MINOR
    leader: int = 0
    top_minor: int = 0
    second_minor: int = 0
    bid_count: int = 0

    def bid(self, bidder: int, amount_minor: int, now_us: int) -> bool:
        """Whether the bid stands; if so, it has happened."""
        if now_us >= self.closes_at_us:
            return False
        if amount_minor <= self.top_minor if bidder == self.leader else self._too_low(amount_minor):
            return False
        before = (self.price_minor, self.leader)
        if bidder == self.leader:
            self.top_minor = amount_minor
        elif amount_minor > self.top_minor:  # the earlier maximum wins a tie
            self.second_minor, self.top_minor, self.leader = self.top_minor, amount_minor, bidder
        else:
            self.second_minor = max(self.second_minor, amount_minor)
        self._reprice()
        if before != (self.price_minor, self.leader):
            self._extend(now_us)
        self.bid_count += 1
        return True

    def row(self) -> tuple[int, ...]:
        """The fields, in their order."""
        return astuple(self)

    def _too_low(self, amount_minor: int) -> bool:
        return amount_minor < self.minimum_minor

    def _reprice(self) -> None:
        price = OPENING_MINOR
        if self.second_minor:
            price = max(price, self.second_minor + increment_minor(self.second_minor))
        self.price_minor = min(self.top_minor, price)
        self.minimum_minor = self.price_minor + increment_minor(self.price_minor)

    def _extend(self, now_us: int) -> None:
        if now_us >= self.closes_at_us - WINDOW_US:
            self.closes_at_us = max(self.closes_at_us, now_us + EXTENSION_US)
