"""The bids that every contender gets, in one order, all of which stand if taken in that order.

A third each, roughly: a rival's maximum above the leader's, a rival's below it, and the leader
raising the own. Made beforehand from a seed, and kept out of the garbage collector's rounds, so
that they cost no contender anything while the clock runs.
"""

from random import Random
from typing import Final

from msgspec import Struct

from load_tests.engine.rules import ProxyLot, increment_minor

FAR_END_US: Final = 2**52

OUTBID_SHARE: Final = 0.45
RAISE_SHARE: Final = 0.2  # the rest are challengers below the leader's maximum


class Bid(Struct, frozen=True, gc=False):
    """A bid and what it leads to when it is taken in its turn. Each lot's bidders count from 1."""

    lot: int
    bidder: int
    bid_id: str
    amount_minor: int
    leads: bool
    price_minor: int


def make_bids(count: int, lots: int, bidders: int, seed: int) -> list[Bid]:
    """``count`` bids over ``lots`` lots with ``bidders`` bidders each."""
    random = Random(seed)
    states = [ProxyLot(FAR_END_US) for _ in range(lots)]
    return [_next_bid(random, random.randrange(lots), states, bidders) for _ in range(count)]


def _next_bid(random: Random, number: int, states: list[ProxyLot], bidders: int) -> Bid:
    lot = states[number]
    step_minor = increment_minor(lot.top_minor)
    draw = random.random()
    bidder, amount_minor = lot.leader, lot.top_minor + step_minor * random.randint(1, 4)
    if not lot.leader or draw >= RAISE_SHARE:
        bidder = _other_than(lot.leader, random, bidders)
        room = (lot.top_minor - lot.minimum_minor) // step_minor
        if draw >= RAISE_SHARE + OUTBID_SHARE and room >= 0:
            amount_minor = lot.minimum_minor + step_minor * random.randint(0, min(room, 2))
        else:
            amount_minor = max(amount_minor, lot.minimum_minor + step_minor * random.randint(0, 4))
    assert lot.bid(bidder, amount_minor, 0), "a bid of the workload stands in its turn"
    bid_id = f"{random.getrandbits(128):032x}"
    uuid = f"{bid_id[:8]}-{bid_id[8:12]}-{bid_id[12:16]}-{bid_id[16:20]}-{bid_id[20:]}"
    return Bid(number, bidder, uuid, amount_minor, lot.leader == bidder, lot.price_minor)


def _other_than(leader: int, random: Random, bidders: int) -> int:
    bidder = random.randint(1, bidders - 1)
    return bidder + 1 if leader and bidder >= leader else bidder
