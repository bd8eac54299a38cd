"""An ``EventLog`` that passes everything on, and lets a test stand in between."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

from auction.codec import Recorded, decode_body
from auction.events import AnyEvent
from auction.ids import SaleId, Shard
from auction.ports import (
    Batch,
    EventLog,
    LoggedEvent,
    OutcomeUnknown,
    ShardHead,
    Snapshot,
    StoredSnapshot,
)

Hook = Callable[[], Awaitable[None]]

ALL = 1_000_000


async def do_nothing() -> None:
    """A hook that does nothing."""


async def lose() -> None:
    """A hook: the call is not answered."""
    raise OutcomeUnknown("the test cut the line")


class Gate:
    """Open, or closed for all but those who are let through one by one."""

    def __init__(self) -> None:
        self._open, self._passes = True, 0
        self._changed = asyncio.Event()

    def close(self) -> None:
        self._open = False

    def open(self) -> None:
        self._open = True
        self._changed.set()

    def let_one_through(self) -> None:
        self._passes += 1
        self._changed.set()

    async def passed(self) -> None:
        while not self._open and not self._passes:
            self._changed.clear()
            await self._changed.wait()
        if not self._open:
            self._passes -= 1


class WatchedLog:
    """A log with a gate before its appends and hooks around the rest.

    ``down``: nothing gets through at all.
    """

    def __init__(self, inner: EventLog) -> None:
        self.inner = inner
        self.gate = Gate()
        self.before_take: Hook = do_nothing
        self.before_read: Hook = do_nothing
        self.before_read_sale: Hook = do_nothing
        self.before_save: Hook = do_nothing
        self.after_save: Hook = do_nothing
        self.down = self.without_snapshots = False
        self.batches: list[Batch] = []
        self.reads: list[int] = []  # the positions after which shards were read
        self.takes = self.beats = self.saves = 0
        self._losing: bool | None = None

    def lose_an_append(self, *, effect: bool) -> None:
        """The next append that passes the gate is not answered, with or without effect."""
        self._losing = effect

    async def events(self, sale_id: SaleId) -> list[AnyEvent]:
        """All events of a sale."""
        return [recorded.event for recorded in await self.recorded(sale_id)]

    async def recorded(self, sale_id: SaleId) -> list[Recorded]:
        """All events of a sale in their places."""
        logged = await self.inner.read_sale(sale_id, 0, ALL)
        return [decode_body(event.position, event.body) for event in logged]

    async def take(self, shards: Iterable[Shard], owner: str, *, back: bool) -> list[ShardHead]:
        self.takes += 1
        await self.before_take()
        return await self._reach().take(shards, owner, back=back)

    async def append(self, batch: Batch) -> set[Shard]:
        self.batches.append(batch)
        await self.gate.passed()
        losing, self._losing = self._losing, None
        if losing is False:
            await lose()
        lost = await self._reach().append(batch)
        if losing:
            await lose()
        return lost

    async def beat(self, epochs: Mapping[Shard, int], at_us: int, owner: str) -> set[Shard]:
        lost = await self._reach().beat(epochs, at_us, owner)
        self.beats += 1
        return lost

    async def read(self, shard: Shard, after: int, limit: int) -> list[LoggedEvent]:
        self.reads.append(after)
        await self.before_read()
        return await self._reach().read(shard, after, limit)

    async def read_sale(self, sale_id: SaleId, after: int, limit: int) -> list[LoggedEvent]:
        await self.before_read_sale()
        return await self._reach().read_sale(sale_id, after, limit)

    async def heads(self) -> dict[Shard, int]:
        return await self._reach().heads()

    async def save_snapshot(self, snapshot: Snapshot, epoch: int) -> bool:
        await self.before_save()
        saved = await self._reach().save_snapshot(snapshot, epoch)
        await self.after_save()
        self.saves += saved
        return saved

    async def load_snapshot(self, shard: Shard) -> StoredSnapshot | None:
        return None if self.without_snapshots else await self._reach().load_snapshot(shard)

    async def clock_us(self) -> int:
        return await self._reach().clock_us()

    def _reach(self) -> EventLog:
        if self.down:
            raise OutcomeUnknown("nobody answers")
        return self.inner
