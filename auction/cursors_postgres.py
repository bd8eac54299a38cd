"""Cursors of the log's followers in the log's own database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

from auction.log_postgres import READ_SHARD
from auction.ports import LoggedEvent
from foundation.database import AnyConnection, Pool, acquire

_CREATE = """
insert into log_cursor (name, shard, position) values ($1, $2, 0) on conflict do nothing
"""
_HOLD = "select position from log_cursor where name = $1 and shard = $2 for update"
_MOVE = "update log_cursor set position = $3 where name = $1 and shard = $2"
# Every cursor, and under no name the end of every shard.
_ALL: Final = """
select '' as name, shard, position from log_shard
union all select name, shard, position from log_cursor
"""

Positions: TypeAlias = dict[tuple[str, int], int]


class PostgresStep:
    """A held cursor; ``context`` is the connection, in its transaction."""

    def __init__(self, connection: AnyConnection, name: str, shard: int, position: int) -> None:
        self.context = connection
        self._name, self._shard, self._position = name, shard, position

    async def read(self, limit: int) -> list[LoggedEvent]:
        """See ``foundation.follower.Step``."""
        rows = await self.context.fetch(READ_SHARD, self._shard, self._position, limit)
        return [LoggedEvent(*row) for row in rows]

    async def move_to(self, position: int) -> None:
        """See ``foundation.follower.Step``."""
        await self.context.execute(_MOVE, self._name, self._shard, position)


class PostgresCursors:
    """``foundation.follower.Cursors`` over the log's tables."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._looking: asyncio.Task[Positions] | None = None

    @asynccontextmanager
    async def step(self, name: str, shard: int) -> AsyncIterator[PostgresStep]:
        """See ``foundation.follower.Cursors``."""
        async with acquire(self._pool) as connection, connection.transaction():
            position = await connection.fetchval(_HOLD, name, shard)
            if position is None:  # the first step of this follower
                await connection.execute(_CREATE, name, shard)
                position = await connection.fetchval(_HOLD, name, shard)
            yield PostgresStep(connection, name, shard, position)

    async def is_behind(self, name: str, shard: int) -> bool:
        """See ``foundation.follower.Cursors``. Whoever asks at the same time shares one answer."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        positions = await asyncio.shield(self._looking)
        return positions["", shard] > positions.get((name, shard), 0)

    async def _look(self) -> Positions:
        await asyncio.sleep(0)  # for those who ask in this turn of the loop
        self._looking = None  # who asks from now on asks anew: this answer may be too old
        async with acquire(self._pool) as connection:
            rows = await connection.fetch(_ALL)
        return {(row["name"], row["shard"]): row["position"] for row in rows}
