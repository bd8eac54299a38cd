"""The log in memory: for simulations and the tests of everything that needs a log but no disk."""

import time
from collections.abc import Callable, Iterable, Mapping

from auction.ids import SHARDS, SaleId, Shard, shard_of
from auction.leases_memory import MemoryLeases
from auction.ports import Batch, LoggedEvent, ShardHead, Snapshot, StoredSnapshot


def _wall_us() -> int:
    return time.time_ns() // 1_000


class MemoryLog:
    """An ``EventLog`` whose every call takes effect at once."""

    def __init__(self, clock_us: Callable[[], int] = _wall_us) -> None:
        self.now_us = clock_us
        self.events: list[list[LoggedEvent]] = [[] for _ in range(SHARDS)]
        self.epochs: list[int] = [0] * SHARDS
        self.owners: list[str | None] = [None] * SHARDS
        self.beats: list[int | None] = [None] * SHARDS
        self.snapshots: dict[Shard, list[Snapshot]] = {}
        self.leases = MemoryLeases(self)

    async def take(self, shards: Iterable[Shard], owner: str, *, back: bool) -> list[ShardHead]:
        """See ``EventLog``."""
        heads = []
        for shard in shards:
            if (back and self.owners[shard] != owner) or self.leases.is_gone(owner):
                continue
            self.owners[shard] = owner
            self.epochs[shard] += 1
            position = len(self.events[shard])
            heads.append(ShardHead(shard, position, self.epochs[shard], self.beats[shard]))
        return heads

    async def append(self, batch: Batch) -> set[Shard]:
        """See ``EventLog``."""
        lost = set()
        for shard, part in batch.appends.items():
            if (part.position, part.epoch) != (len(self.events[shard]), self.epochs[shard]):
                lost.add(shard)
            else:
                self.beats[shard] = batch.at_us
        rows = zip(batch.shards, batch.positions, batch.sale_ids, batch.bodies, strict=True)
        for number, position, sale_id, body in rows:
            shard = Shard(number)
            if shard not in lost:
                event = LoggedEvent(shard, position, self.epochs[shard], SaleId(sale_id), body)
                self.events[shard].append(event)
                assert position == len(self.events[shard]), "positions are gapless"
        return lost

    async def beat(self, epochs: Mapping[Shard, int], at_us: int, owner: str) -> set[Shard]:
        """See ``EventLog``."""
        if not self.leases.beat(owner):
            return set(epochs)
        lost = {shard for shard, epoch in epochs.items() if self.epochs[shard] != epoch}
        for shard in epochs.keys() - lost:
            self.beats[shard] = at_us
        return lost

    async def read(self, shard: Shard, after: int, limit: int) -> list[LoggedEvent]:
        """See ``EventLog``."""
        return self.events[shard][after : after + limit]

    async def read_sale(self, sale_id: SaleId, after: int, limit: int) -> list[LoggedEvent]:
        """See ``EventLog``."""
        events = self.events[shard_of(sale_id)]
        found = [e for e in events if e.sale_id == sale_id and e.position > after]
        return found[:limit]

    async def heads(self) -> dict[Shard, int]:
        """See ``EventLog``."""
        return {Shard(number): len(events) for number, events in enumerate(self.events)}

    async def save_snapshot(self, snapshot: Snapshot, epoch: int) -> bool:
        """See ``EventLog``."""
        if self.epochs[snapshot.shard] != epoch:
            return False
        kept = self.snapshots.get(snapshot.shard, [])
        before = [earlier for earlier in kept if earlier.position <= snapshot.after]
        self.snapshots[snapshot.shard] = [*before, snapshot]
        return True

    async def load_snapshot(self, shard: Shard) -> StoredSnapshot | None:
        """See ``EventLog``."""
        kept = self.snapshots.get(shard)
        if not kept:
            return None
        return StoredSnapshot(kept[-1].position, kept[-1].state, [s.accepted for s in kept])

    async def clock_us(self) -> int:
        """See ``EventLog``."""
        return self.now_us()
