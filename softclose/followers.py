"""The followers of the log that this process runs: for each shard, whatever keeps tables of it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from auction.board import FOLLOWER, keep_board
from auction.codec import Recorded
from auction.cursors_postgres import PostgresCursors, PostgresStep
from auction.ids import Shard
from auction.ports import LoggedEvent
from auction.writer import ALL_SHARDS
from foundation.database import AnyConnection, open_pool
from foundation.follower import LogFollower
from softclose.host import Host

# A step is short, and what it keeps may trail the log by moments.
MAX_CONNECTIONS = 4


class Followers:
    """The board's followers, woken by the bus; they read from the log what it only announces."""

    def __init__(self, dsn: str, host: Host) -> None:
        self._dsn, self._host = dsn, host
        self._followers: dict[Shard, LogFollower[AnyConnection, LoggedEvent]] = {}
        host.bus.listen(self._wake)

    def _wake(self, shard: Shard, _recorded: Sequence[Recorded]) -> None:
        if shard in self._followers:
            self._followers[shard].wake()

    async def run(self) -> None:
        """Follow until cancelled."""
        pool = await open_pool(self._dsn, name="followers", max_connections=MAX_CONNECTIONS)
        try:
            cursors = _PatientCursors(PostgresCursors(pool), self._host)
            for shard in ALL_SHARDS:
                self._followers[shard] = LogFollower(FOLLOWER, shard, keep_board, cursors)
            async with asyncio.TaskGroup() as tasks:
                for follower in self._followers.values():
                    tasks.create_task(follower.run())
        finally:
            pool.terminate()


class _PatientCursors:
    """While the writer is dark followers wait, and do not all complain of the same outage."""

    def __init__(self, cursors: PostgresCursors, host: Host) -> None:
        self._cursors, self._host = cursors, host

    @asynccontextmanager
    async def step(self, name: str, shard: int) -> AsyncIterator[PostgresStep]:
        """See ``foundation.follower.Cursors``."""
        await self._host.writer.serving()
        async with self._cursors.step(name, shard) as step:
            yield step
