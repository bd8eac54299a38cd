"""The followers of the log that this process runs: for each shard, whatever keeps tables of it."""

import asyncio
from collections.abc import Sequence

from auction.board import FOLLOWER, keep_board
from auction.codec import Recorded
from auction.cursors_postgres import PostgresCursors
from auction.ids import Shard
from auction.ports import LoggedEvent
from auction.writer import ALL_SHARDS
from foundation.database import AnyConnection, open_pool
from foundation.follower import LogFollower

# A step is short, and what it keeps may trail the log by moments.
MAX_CONNECTIONS = 4


class Followers:
    """The board's followers, woken by the bus; they read from the log what it only announces."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._followers: dict[Shard, LogFollower[AnyConnection, LoggedEvent]] = {}

    def wake(self, shard: Shard, _recorded: Sequence[Recorded]) -> None:
        """A listener for the bus."""
        if shard in self._followers:
            self._followers[shard].wake()

    async def run(self) -> None:
        """Follow until cancelled."""
        pool = await open_pool(self._dsn, name="followers", max_connections=MAX_CONNECTIONS)
        try:
            cursors = PostgresCursors(pool)
            for shard in ALL_SHARDS:
                self._followers[shard] = LogFollower(FOLLOWER, shard, keep_board, cursors)
            async with asyncio.TaskGroup() as tasks:
                for follower in self._followers.values():
                    tasks.create_task(follower.run())
        finally:
            pool.terminate()
