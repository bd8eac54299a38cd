"""What became of each lot of a recording, folded from the events as they became durable."""

import heapq

from msgspec import Struct

from auction.codec import Recorded
from auction.events import (
    BidPlaced,
    EndExtended,
    EndsMoved,
    LotPassed,
    LotScheduled,
    LotSold,
    MaximumRaised,
)
from auction.ids import BidderId, BidId, LotId, SaleId
from foundation.errors import OperatorError

Key = tuple[SaleId, LotId]


class ReplayFailed(OperatorError):
    """The recording could not be played to its end; there are no results."""


class Outcome(Struct):
    """A lot. ``sold`` is ``None`` until it has ended; a lot that passed keeps its price."""

    closes_at_us: int
    sold: bool | None = None
    price_minor: int | None = None
    winner: BidderId | None = None
    bids: int = 0  # accepted
    extensions: int = 0


class Outcomes:
    """All lots of a recording."""

    def __init__(self) -> None:
        self._lots: dict[Key, Outcome] = {}
        self._ends: list[tuple[int, Key]] = []  # an end per lot, perhaps not the one in force
        self._expected: dict[BidId, int] = {}

    def __getitem__(self, key: Key) -> Outcome:
        return self._lots[key]

    def lots(self) -> list[Outcome]:
        """Every lot."""
        return list(self._lots.values())

    def expect(self, bid_id: BidId, at_us: int) -> None:
        """Hold the log to it: this bid, if accepted, was judged at this instant."""
        self._expected[bid_id] = at_us

    def take(self, recorded: Recorded) -> None:
        """Fold an event."""
        sale_id, event = recorded.sale_id, recorded.event
        match event:
            case LotScheduled():
                key = sale_id, event.lot_id
                self._lots[key] = Outcome(event.closes_at_us)
                heapq.heappush(self._ends, (event.closes_at_us, key))
            case BidPlaced() | MaximumRaised():
                judged_at_us = self._expected.pop(event.bid_id)
                assert recorded.at_us == judged_at_us, "a bid is judged at its own instant"
                self._lots[sale_id, event.lot_id].bids += 1
            case EndExtended():
                lot = self._lots[sale_id, event.lot_id]
                lot.closes_at_us, lot.extensions = event.closes_at_us, event.extensions
            case LotSold():
                lot = self._lots[sale_id, event.lot_id]
                lot.sold, lot.price_minor = True, event.hammer_price_minor
                (lot.winner,) = event.winners
            case LotPassed():
                lot = self._lots[sale_id, event.lot_id]
                lot.sold, lot.price_minor = False, event.price_minor
            case EndsMoved():
                raise ReplayFailed("the database was away for a while, and ends were moved")

    def next_end_us(self) -> int | None:
        """The earliest end, as far as is known, of the lots that have not ended."""
        while self._ends:
            end_us, key = self._ends[0]
            lot = self._lots[key]
            if lot.sold is not None:
                heapq.heappop(self._ends)
            elif lot.closes_at_us != end_us:
                heapq.heapreplace(self._ends, (lot.closes_at_us, key))
            else:
                return end_us
        return None
