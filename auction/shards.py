"""The shards that this process owns: their sales, their place in the log, their next deadline.

A shard is owned under an epoch. Everything here is memory: what the log holds wins, and a
shard whose state may differ from it is loaded again (``load``), never patched.
"""

import heapq
from collections.abc import Iterable

from msgspec import Struct, field

from auction.chain import apply
from auction.codec import Recorded, decode_body
from auction.events import (
    BidPlaced,
    IfBidOpened,
    LotScheduled,
    LotsRescheduled,
    MaximumRaised,
    SaleCancelled,
)
from auction.ids import SaleId, Shard
from auction.ports import EventLog, LoggedEvent, ShardHead, Snapshot
from auction.sale import AcceptedBid, LotStatus, Sale
from auction.snapshot import (
    ShardImage,
    decode_image,
    encode_accepted,
    encode_image,
)

# Events read at once when a shard is loaded: a few megabytes.
READ_CHUNK = 5_000
# A shard's snapshot is at most this old, and all shards together have at most this many events
# after theirs: at 10 us each, recovery folds half a second of events.
SNAPSHOT_EVERY = 20_000
MOST_TAIL = 50_000
# A closed sale leaves memory this long after its last event; a command brings it back.
RETIRE_AFTER_US = 7 * 86_400 * 1_000_000


class ShardState(Struct):
    """An owned shard after ``position``, which may be ahead of what is durable."""

    shard: Shard
    epoch: int
    position: int = 0
    sales: dict[SaleId, Sale] = field(default_factory=dict)
    retired: set[SaleId] = field(default_factory=set)
    snapshot_position: int = 0
    # The bids accepted after this position: no segment that was saved holds them.
    accepted_after: int = 0
    accepted_since: list[AcceptedBid] = field(default_factory=list)

    @property
    def tail(self) -> int:
        """Events after the latest snapshot."""
        return self.position - self.snapshot_position

    def fold(self, recorded: Recorded) -> Sale:
        """Apply the shard's next event."""
        assert recorded.position == self.position + 1, "a gap in the shard's positions"
        sale = self.sales.get(recorded.sale_id)
        if sale is None:
            sale = self.sales[recorded.sale_id] = Sale(recorded.sale_id)
        apply(sale, recorded)
        self.position = recorded.position
        event = recorded.event
        if type(event) is BidPlaced or type(event) is MaximumRaised:
            self.accepted_since.append(sale.accepted[event.bidder_id, event.bid_id])
        return sale

    def snapshot(self, now_us: int) -> "PendingSnapshot":
        """The state as it is now, and a segment of all bids that none holds; puts old sales away.

        They are kept here until it is ``saved``: one that never is costs nothing.
        """
        for sale in list(self.sales.values()):
            if sale.closed and sale.last_at_us + RETIRE_AFTER_US <= now_us:
                del self.sales[sale.sale_id]
                self.retired.add(sale.sale_id)
        image = ShardImage(list(self.sales.values()), sorted(self.retired))
        kept = Snapshot(
            self.shard,
            self.position,
            self.accepted_after,
            encode_image(image),
            encode_accepted(self.accepted_since),
        )
        self.snapshot_position = self.position
        return PendingSnapshot(kept, self.epoch, self, len(self.accepted_since))

    def saved(self, pending: "PendingSnapshot") -> None:
        """The next segment begins where this one ends."""
        assert pending.snapshot.after == self.accepted_after, "one snapshot at a time"
        del self.accepted_since[: pending.accepted]
        self.accepted_after = pending.snapshot.position


class PendingSnapshot(Struct, frozen=True):
    """A snapshot of ``state``, to be saved once its last event is durable.

    ``accepted``: how many of the state's bids its segment holds.
    """

    snapshot: Snapshot
    epoch: int
    state: ShardState
    accepted: int


async def load(log: EventLog, head: ShardHead, warm: ShardState | None = None) -> ShardState:
    """The state of a shard at this head: its latest snapshot and the events after it.

    ``warm``: the state at an earlier head, which is gone on from.
    """
    state = warm or await _load_snapshot(log, head)
    state.epoch = head.epoch
    while state.position < head.position:
        # Not past the head: what follows it is another owner's, who took the shard meanwhile.
        limit = min(READ_CHUNK, head.position - state.position)
        for logged in await log.read(head.shard, state.position, limit):
            await _bring_back(log, state, logged)
            state.fold(decode_body(logged.position, logged.body))
    assert state.position == head.position, "the log ends before its head"
    return state


async def _load_snapshot(log: EventLog, head: ShardHead) -> ShardState:
    state = ShardState(head.shard, head.epoch)
    stored = await log.load_snapshot(head.shard)
    if stored is not None and stored.position <= head.position:
        image = decode_image(stored.state, stored.accepted)
        if image is not None:
            state.sales = {sale.sale_id: sale for sale in image.sales}
            state.retired = set(image.retired)
            state.position = state.snapshot_position = stored.position
            state.accepted_after = stored.position
    return state


async def _bring_back(log: EventLog, state: ShardState, logged: LoggedEvent) -> None:
    """A retired sale that has an event in the tail was in memory when that was written."""
    if logged.sale_id in state.retired:
        state.sales[logged.sale_id] = await load_sale(log, logged.sale_id, logged.position - 1)
        state.retired.discard(logged.sale_id)


async def load_sale(log: EventLog, sale_id: SaleId, until: int | None = None) -> Sale:
    """A sale folded from its own events, up to and with position ``until``."""
    sale, position = Sale(sale_id), 0
    while chunk := await log.read_sale(sale_id, position, READ_CHUNK):
        for logged in chunk:
            position = logged.position
            if until is not None and position > until:
                return sale
            apply(sale, decode_body(position, logged.body))
    return sale


class Deadlines:
    """When each sale next has something to close: one live entry a sale, in a heap.

    Extensions only move ends later, so an entry fires too early at worst; what fires is
    looked at again. What can make a sale's next deadline earlier is noted: a new lot, lots that
    were moved, an if-bid, and a sale that is cancelled, whose lots are withdrawn at once.
    """

    def __init__(self) -> None:
        self.moved = False  # the next deadline became earlier; whoever sleeps resets this
        self._heap: list[tuple[int, SaleId]] = []
        self._earliest: dict[SaleId, int] = {}

    def add(self, sale_id: SaleId, at_us: int) -> None:
        """Look at this sale at ``at_us`` at the latest."""
        known = self._earliest.get(sale_id)
        if known is None or at_us < known:
            self._earliest[sale_id] = at_us
            self.moved = self.moved or not self._heap or at_us < self._heap[0][0]
            heapq.heappush(self._heap, (at_us, sale_id))

    def note(self, recorded: Recorded) -> None:
        """Take the deadline of an event that sets one."""
        event = recorded.event
        if type(event) is LotScheduled:
            self.add(recorded.sale_id, event.closes_at_us)
        elif type(event) is IfBidOpened:
            self.add(recorded.sale_id, event.until_us)
        elif type(event) is LotsRescheduled:
            self.add(recorded.sale_id, min(lot.closes_at_us for lot in event.lots))
        elif type(event) is SaleCancelled:
            self.add(recorded.sale_id, recorded.at_us)

    def next_us(self) -> int | None:
        """The next deadline."""
        while self._heap and self._earliest.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop(self, now_us: int) -> list[SaleId]:
        """The sales whose deadline has come, earliest first. They have none after this."""
        due: list[SaleId] = []
        while (next_us := self.next_us()) is not None and next_us <= now_us:
            _, sale_id = heapq.heappop(self._heap)
            del self._earliest[sale_id]
            due.append(sale_id)
        return due

    def add_sales(self, sales: Iterable[Sale]) -> None:
        """Take the deadlines of sales that were loaded or looked at."""
        for sale in sales:
            at_us = next_deadline_us(sale)
            if at_us is not None:
                self.add(sale.sale_id, at_us)


def next_deadline_us(sale: Sale) -> int | None:
    """The earliest end of what has not ended; ``None`` while nothing can close.

    What is to be withdrawn with its sale is due since the sale was cancelled, in a pause too.
    """
    if sale.cancelled is not None and any(map(sale.goes_with_the_sale, sale.lots.values())):
        return sale.cancelled.at_us
    if sale.paused_from_us is not None:
        return None
    live = (LotStatus.LIVE, LotStatus.IF_BID)
    return min((lot.closes_at_us for lot in sale.lots.values() if lot.status in live), default=None)
