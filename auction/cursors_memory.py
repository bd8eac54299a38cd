"""Cursors beside the log in memory; a step that fails leaves the cursor where it was."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from auction.ids import Shard
from auction.ports import EventLog, LoggedEvent


class MemoryStep:
    """A held cursor; there is no transaction, so ``context`` is nothing."""

    context = None

    def __init__(self, log: EventLog, shard: int, position: int) -> None:
        self._log, self._shard = log, shard
        self.position = position

    async def read(self, limit: int) -> list[LoggedEvent]:
        """See ``foundation.follower.Step``."""
        return await self._log.read(Shard(self._shard), self.position, limit)

    async def move_to(self, position: int) -> None:
        """See ``foundation.follower.Step``."""
        self.position = position


class MemoryCursors:
    """``foundation.follower.Cursors`` for the followers of one process."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self.positions: dict[tuple[str, int], int] = {}
        self._held: defaultdict[tuple[str, int], asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def step(self, name: str, shard: int) -> AsyncIterator[MemoryStep]:
        """See ``foundation.follower.Cursors``."""
        async with self._held[name, shard]:
            step = MemoryStep(self._log, shard, self.positions.get((name, shard), 0))
            yield step
            self.positions[name, shard] = step.position

    async def is_behind(self, name: str, shard: int) -> bool:
        """See ``foundation.follower.Cursors``."""
        heads = await self._log.heads()
        return heads.get(Shard(shard), 0) > self.positions.get((name, shard), 0)
