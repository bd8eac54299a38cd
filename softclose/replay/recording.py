"""What a recorded auction comes to: the commands that play it, each at its time."""

import re
from hashlib import sha256
from typing import NamedTuple

from auction.commands import MAX_LOTS_PER_COMMAND, AddLots, Command, PlaceBid, ScheduleSale
from auction.ids import ActorId, BidderId, BidId, LiquidatorId, SaleId
from auction.terms import LotListing, Terms

ACTOR = ActorId("replay")
HOUSE = LiquidatorId("replay")

# A subset of the ids that the engine takes. What does not fit, or begins like a stand-in,
# gets a stand-in.
_PLAIN = re.compile(r"(?!x-)[A-Za-z0-9][A-Za-z0-9_.:\-]{0,59}", re.ASCII)


class TimedBid(NamedTuple):
    """A bid to submit at an instant of virtual time."""

    at_us: int
    bid: PlaceBid


class Recording(NamedTuple):
    """At ``start_us`` the preparations in their order, then the bids, which are sorted by time."""

    start_us: int
    preparations: list[Command]
    bids: list[TimedBid]


def safe_id(name: str) -> str:
    """An id that the engine takes: the name itself if it does, else one that stands for it."""
    if _PLAIN.fullmatch(name):
        return name
    return f"x-{sha256(name.encode()).hexdigest()[:32]}"


def bid_id(number: int) -> BidId:
    """The id of the recording's bid of this number."""
    return BidId(f"{number:08x}-0000-4000-8000-000000000000")


def scheduling(
    sale_id: SaleId, terms: Terms, lots: list[LotListing], secret: bytes
) -> list[Command]:
    """The commands that schedule a sale of any number of lots."""
    chunks = [
        tuple(lots[at : at + MAX_LOTS_PER_COMMAND])
        for at in range(0, len(lots), MAX_LOTS_PER_COMMAND)
    ]
    schedule = ScheduleSale(
        sale_id=sale_id,
        liquidator_id=HOUSE,
        terms=terms,
        lots=chunks[0],
        secret=secret,
        actor_id=ACTOR,
    )
    more = (AddLots(sale_id=sale_id, lots=chunk, actor_id=ACTOR) for chunk in chunks[1:])
    return [schedule, *more]


def place(
    sale_id: SaleId, lot: LotListing, bidder: str, number: int, amount_minor: int
) -> PlaceBid:
    """The recording's bid of this number."""
    return PlaceBid(
        sale_id=sale_id,
        lot_id=lot.lot_id,
        bidder_id=BidderId(bidder),
        bid_id=bid_id(number),
        amount_minor=amount_minor,
        currency="USD",
    )
