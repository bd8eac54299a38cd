"""Cursors of the log's followers in the log's own database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from auction.log_postgres import READ_SHARD
from auction.ports import LoggedEvent
from foundation.database import AnyConnection, Pool, acquire

_CREATE = """
insert into log_cursor (name, shard, position) values ($1, $2, 0) on conflict do nothing
"""
_HOLD = "select position from log_cursor where name = $1 and shard = $2 for update"
_MOVE = "update log_cursor set position = $3 where name = $1 and shard = $2"


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

    @asynccontextmanager
    async def step(self, name: str, shard: int) -> AsyncIterator[PostgresStep]:
        """See ``foundation.follower.Cursors``."""
        async with acquire(self._pool) as connection, connection.transaction():
            position = await connection.fetchval(_HOLD, name, shard)
            if position is None:  # the first step of this follower
                await connection.execute(_CREATE, name, shard)
                position = await connection.fetchval(_HOLD, name, shard)
            yield PostgresStep(connection, name, shard, position)
