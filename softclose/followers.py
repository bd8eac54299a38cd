"""The followers of the log that this process runs: for each shard, whatever keeps tables of it.

A *following* is a name with its keepers. It has one cursor a shard, and its keepers share each
step: the events are read and decoded once, and the tables of all of them agree, because they
move in one transaction. What may fail or be slow by itself (mail, webhooks) is a following of its
own. A keeper that is added to a following sees only what comes from then on: its migration puts
the cursors of the following back to the start and empties the tables.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Final, TypeAlias

from auction import board
from auction.board import keep_board
from auction.codec import Recorded, decode_body
from auction.cursors_postgres import PostgresCursors, PostgresStep
from auction.desk.recovery import keep_results
from auction.ids import Shard
from auction.ports import LoggedEvent
from auction.writer import ALL_SHARDS
from bidder_gateway.bidder_tables import keep_bidder_tables
from bidder_gateway.lot_events import keep_lot_events
from bidder_gateway.sale_board import keep_sale_board
from foundation.database import AnyConnection, open_pool
from foundation.follower import Handler, LogFollower
from softclose.host import Host

# Takes events in order, in the follower's transaction.
Keeper: TypeAlias = Callable[[AnyConnection, Sequence[Recorded]], Awaitable[None]]

# In the order in which they are called: later ones read what earlier ones have written.
FOLLOWINGS: Final[Mapping[str, Sequence[Keeper]]] = MappingProxyType(
    {
        board.FOLLOWER: (
            keep_board,
            keep_sale_board,
            keep_lot_events,
            keep_bidder_tables,
            keep_results,
        )
    }
)

# A step is short, and what it keeps may trail the log by moments.
MAX_CONNECTIONS = 4
# Events decoded before the event loop gets a turn: about 2 ms.
DECODE_SLICE = 100


class Followers:
    """Followers of every shard, woken by the bus; they read from the log what it announces."""

    def __init__(
        self, dsn: str, host: Host, followings: Mapping[str, Sequence[Keeper]] = FOLLOWINGS
    ) -> None:
        self._dsn, self._host, self._followings = dsn, host, followings
        self._followers: dict[Shard, list[LogFollower[AnyConnection, LoggedEvent]]] = {}
        host.bus.listen(self._wake)

    def _wake(self, shard: Shard, _recorded: Sequence[Recorded]) -> None:
        for follower in self._followers.get(shard, ()):
            follower.wake()

    async def run(self) -> None:
        """Follow until cancelled."""
        pool = await open_pool(self._dsn, name="followers", max_connections=MAX_CONNECTIONS)
        try:
            cursors = PatientCursors(PostgresCursors(pool), self._host)
            for shard in ALL_SHARDS:
                self._followers[shard] = [
                    LogFollower(name, shard, handler_of(keepers), cursors)
                    for name, keepers in self._followings.items()
                ]
            async with asyncio.TaskGroup() as tasks:
                for followers in self._followers.values():
                    for follower in followers:
                        tasks.create_task(follower.run())
        finally:
            pool.terminate()


def handler_of(keepers: Sequence[Keeper]) -> Handler[AnyConnection, LoggedEvent]:
    """One handler that decodes the events and hands them to each keeper in turn."""

    async def handle(connection: AnyConnection, rows: Sequence[LoggedEvent]) -> None:
        events: list[Recorded] = []
        for first in range(0, len(rows), DECODE_SLICE):
            events += [
                decode_body(row.position, row.body) for row in rows[first : first + DECODE_SLICE]
            ]
            await asyncio.sleep(0)
        for keep in keepers:
            await keep(connection, events)

    return handle


class PatientCursors:
    """While the writer is dark followers wait, and do not all complain of the same outage."""

    def __init__(self, cursors: PostgresCursors, host: Host) -> None:
        self._cursors, self._host = cursors, host

    @asynccontextmanager
    async def step(self, name: str, shard: int) -> AsyncIterator[PostgresStep]:
        """See ``foundation.follower.Cursors``."""
        await self._host.serving()
        async with self._cursors.step(name, shard) as step:
            yield step

    async def is_behind(self, name: str, shard: int) -> bool:
        """See ``foundation.follower.Cursors``."""
        await self._host.serving()
        return await self._cursors.is_behind(name, shard)
