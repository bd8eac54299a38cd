"""A reader of the log: ``LogFollower`` in a process of its own, with what it has made of it.

The cursor and the projection live in a store that outlives the process and commits both at once
or neither, as a database does.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random

from msgspec import Struct, field

from auction.chain import apply
from auction.codec import decode_body
from auction.ids import SaleId, Shard
from auction.ports import EventLog, LoggedEvent, OutcomeUnknown
from auction.sale import Sale
from foundation.follower import LogFollower
from tests.simulation.simulated_log import Connection, LogServer
from tests.simulation.virtual_loop import Process


class Projection(Struct):
    """What a reader has made of a shard. ``positions``: what it was handed, for ever."""

    cursor: int = 0
    positions: list[int] = field(default_factory=list)
    sales: dict[SaleId, Sale] = field(default_factory=dict)


class Store:
    """Commits a projection with its cursor; now and then the outcome of a commit is lost."""

    def __init__(self, rng: Random) -> None:
        self.committed: dict[int, Projection] = {}
        self.troubled = False
        self._rng = rng

    def commit(self, shard: int, rows: Sequence[LoggedEvent], position: int) -> None:
        """Make rows and cursor durable, or not, and say so, or not."""
        fails = self.troubled and self._rng.random() < 0.1
        if fails and self._rng.random() < 0.5:
            raise OutcomeUnknown("commit refused")
        self._fold(self.committed.setdefault(shard, Projection()), rows, position)
        if fails:
            raise OutcomeUnknown("commit done, answer lost")

    def _fold(self, projection: Projection, rows: Sequence[LoggedEvent], position: int) -> None:
        for row in rows:
            sale = projection.sales.setdefault(row.sale_id, Sale(row.sale_id))
            projection.positions.append(row.position)
            apply(sale, decode_body(row.position, row.body))
        projection.cursor = position


class _Step:
    """``foundation.follower.Step``; ``context`` collects what the handler writes."""

    def __init__(self, log: EventLog, shard: int, cursor: int) -> None:
        self._log, self._shard, self.cursor = log, shard, cursor
        self.context: list[LoggedEvent] = []

    async def read(self, limit: int) -> list[LoggedEvent]:
        return await self._log.read(Shard(self._shard), self.cursor, min(limit, 7))

    async def move_to(self, position: int) -> None:
        self.cursor = position


class _Cursors:
    """``foundation.follower.Cursors`` in the store."""

    def __init__(self, store: Store, log: EventLog) -> None:
        self._store, self._log = store, log

    @asynccontextmanager
    async def step(self, name: str, shard: int) -> AsyncIterator[_Step]:
        committed = self._store.committed.get(shard, Projection())
        step = _Step(self._log, shard, committed.cursor)
        yield step
        if step.context or step.cursor != committed.cursor:
            self._store.commit(shard, step.context, step.cursor)

    async def is_behind(self, name: str, shard: int) -> bool:
        heads = await self._log.heads()
        cursor = self._store.committed.get(shard, Projection()).cursor
        return heads.get(Shard(shard), 0) > cursor


class Reader:
    """Follows some shards until it is killed."""

    def __init__(self, name: str, server: LogServer, store: Store, shards: list[Shard]) -> None:
        self.process = Process(server.loop, name)
        cursors = _Cursors(store, Connection(server, self.process))
        self._followers = [LogFollower(name, shard, _write, cursors) for shard in shards]

    def start(self) -> None:
        """Follow."""
        for follower in self._followers:
            self.process.spawn(follower.run())
        self.process.spawn(self._wake_now_and_then())

    def wake(self) -> None:
        """There is something to read."""
        for follower in self._followers:
            self.process.call(follower.wake)

    async def _wake_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(2.0)
            self.wake()


async def _write(context: list[LoggedEvent], rows: Sequence[LoggedEvent]) -> None:
    await asyncio.sleep(0.001)
    context += rows
