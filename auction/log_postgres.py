"""The log in PostgreSQL.

Appends and heartbeats have a connection of their own, so that no pool queue stands before a
bid. The fence is in the statement: a shard's row moves from (position, epoch) to the next
position or the shard is left out, and a row lock makes the loser of a race wait and look
again. What a lost connection leaves behind is one statement that either happened whole or not
at all; ``take`` updates the same rows and so waits for its end.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

import asyncpg
from asyncpg.protocol import Record

from auction.ids import SaleId, Shard
from auction.ports import (
    Batch,
    LoggedEvent,
    OutcomeUnknown,
    ShardHead,
    Snapshot,
    StoredSnapshot,
)
from foundation.database import AnyConnection, Connection, Pool, acquire, connect, open_pool

# A batch that takes longer than this has met a lost database; its outcome is settled by `take`.
APPEND_TIMEOUT_S = 5.0

_TAKE = """
update log_shard set epoch = epoch + 1, owner = $2
where shard = any ($1::smallint[]) and (not $3 or owner = $2)
    and not exists (select from log_engine where name = $2 and gone)
returning shard, position, epoch, beat_at_us
"""

# Move each shard's row if its position and epoch are the ones expected, then insert the
# events of the shards that moved, in the order of the arrays.
_APPEND = """
with moved as (
    update log_shard s
    set position = s.position + w.count, beat_at_us = $9
    from unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::integer[])
        as w (shard, position, epoch, count)
    where s.shard = w.shard and s.position = w.position and s.epoch = w.epoch
    returning s.shard, s.epoch
), written as (
    insert into log_event (shard, position, epoch, sale_id, body)
    select e.shard, e.position, m.epoch, e.sale_id, e.body
    from unnest($5::smallint[], $6::bigint[], $7::text[], $8::bytea[])
        as e (shard, position, sale_id, body)
    join moved m on m.shard = e.shard
)
select shard from moved
"""

# An engine that was counted out gives no sign of life: it has to join again. Whoever never
# joined owns its shards without a lease.
_BEAT = """
with here as (
    update log_engine set beats = beats + 1, alive_at = clock_timestamp()
    where name = $4 and not gone returning name
)
update log_shard s set beat_at_us = $3
from unnest($1::smallint[], $2::bigint[]) as w (shard, epoch)
where s.shard = w.shard and s.epoch = w.epoch
    and (exists (select from here) or not exists (select from log_engine where name = $4))
returning s.shard
"""

READ_SHARD = """
select shard, position, epoch, sale_id, body from log_event
where shard = $1 and position > $2 order by position limit $3
"""

_READ_SALE = """
select shard, position, epoch, sale_id, body from log_event
where sale_id = $1 and position > $2 order by position limit $3
"""

_HEADS = "select shard, position from log_shard"

# The shard's row is locked, so that a new owner's snapshot is never replaced by an old one.
_HOLD_SHARD = "select 1 from log_shard where shard = $1 and epoch = $2 for share"

_SAVE_STATE = """
insert into log_snapshot (shard, position, state) values ($1, $2, $3)
on conflict (shard) do update set position = excluded.position, state = excluded.state
"""

_DROP_ACCEPTED = "delete from log_snapshot_accepted where shard = $1 and position > $2"

_SAVE_ACCEPTED = "insert into log_snapshot_accepted (shard, position, accepted) values ($1, $2, $3)"

# One statement, so that both are of one moment.
_LOAD_SNAPSHOT = """
select s.position, s.state, array(
    select a.accepted from log_snapshot_accepted a
    where a.shard = s.shard and a.position <= s.position order by a.position
)
from log_snapshot s where s.shard = $1
"""

_CLOCK = "select (extract(epoch from clock_timestamp()) * 1000000)::bigint"


class PostgresLog:
    """An ``EventLog`` on a migrated database whose settings are safe."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._appender: Connection | None = None
        self._pool: Pool | None = None
        self._opening = asyncio.Lock()

    async def close(self) -> None:
        """Let the connections go; nothing may be under way."""
        self._hang_up()

    async def take(self, shards: Iterable[Shard], owner: str, *, back: bool) -> list[ShardHead]:
        """See ``EventLog``."""
        async with self._appending() as connection:
            rows = await connection.fetch(_TAKE, list(shards), owner, back)
        return [ShardHead(*row) for row in sorted(rows, key=lambda row: int(row[0]))]

    async def append(self, batch: Batch) -> set[Shard]:
        """See ``EventLog``."""
        parts = batch.appends.values()
        async with self._appending() as connection:
            rows = await connection.fetch(
                _APPEND,
                [part.shard for part in parts],
                [part.position for part in parts],
                [part.epoch for part in parts],
                [part.count for part in parts],
                batch.shards,
                batch.positions,
                batch.sale_ids,
                batch.bodies,
                batch.at_us,
                timeout=APPEND_TIMEOUT_S,
            )
        return batch.appends.keys() - {row[0] for row in rows}

    async def beat(self, epochs: Mapping[Shard, int], at_us: int, owner: str) -> set[Shard]:
        """See ``EventLog``."""
        sent = list(epochs), list(epochs.values())
        async with self._appending() as connection:
            rows = await connection.fetch(_BEAT, *sent, at_us, owner, timeout=APPEND_TIMEOUT_S)
        return epochs.keys() - {row[0] for row in rows}

    async def read(self, shard: Shard, after: int, limit: int) -> list[LoggedEvent]:
        """See ``EventLog``."""
        async with self.reading() as connection:
            return _events(await connection.fetch(READ_SHARD, shard, after, limit))

    async def read_sale(self, sale_id: SaleId, after: int, limit: int) -> list[LoggedEvent]:
        """See ``EventLog``."""
        async with self.reading() as connection:
            return _events(await connection.fetch(_READ_SALE, sale_id, after, limit))

    async def heads(self) -> dict[Shard, int]:
        """See ``EventLog``."""
        async with self.reading() as connection:
            return {Shard(row[0]): row[1] for row in await connection.fetch(_HEADS)}

    async def save_snapshot(self, snapshot: Snapshot, epoch: int) -> bool:
        """See ``EventLog``."""
        shard, position = snapshot.shard, snapshot.position
        async with self.reading() as connection:
            saving = connection.transaction()
            await saving.start()
            await connection.execute(_SAVE_STATE, shard, position, snapshot.state)
            await connection.execute(_DROP_ACCEPTED, shard, snapshot.after)
            await connection.execute(_SAVE_ACCEPTED, shard, position, snapshot.accepted)
            # Last, since no event is appended to the shard while its row is held.
            if await connection.fetchval(_HOLD_SHARD, shard, epoch) is None:
                await saving.rollback()
                return False
            await saving.commit()
        return True

    async def load_snapshot(self, shard: Shard) -> StoredSnapshot | None:
        """See ``EventLog``."""
        async with self.reading() as connection:
            row = await connection.fetchrow(_LOAD_SNAPSHOT, shard)
        return None if row is None else StoredSnapshot(*row)

    async def clock_us(self) -> int:
        """See ``EventLog``."""
        async with self.reading() as connection:
            clock_us: int = await connection.fetchval(_CLOCK)
        return clock_us

    @asynccontextmanager
    async def _appending(self) -> AsyncIterator[Connection]:
        """The writer's own connection; after any fault a new one, with nothing half-way.

        New ones for readers too: on a line that is dead without a word, each of the old ones
        would cost a time-out before the log can be read again.
        """
        try:
            if self._appender is None:
                self._appender = await connect(self._dsn, name="writer")
            yield self._appender
        except _FAULTS as error:
            self._hang_up()
            raise _unknown(error) from error

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AnyConnection]:
        """A connection for everything but appends; its faults are ``OutcomeUnknown``."""
        try:
            async with self._opening:
                if self._pool is None:
                    self._pool = await open_pool(self._dsn, name="log")
                pool = self._pool
            async with acquire(pool) as connection:
                yield connection
        except _FAULTS as error:
            raise _unknown(error) from error

    def _hang_up(self) -> None:
        appender, self._appender = self._appender, None
        pool, self._pool = self._pool, None
        if appender is not None:
            appender.terminate()
        if pool is not None:
            pool.terminate()


# Whatever a server, a network or a full disk can do to a statement. A line that ends between two
# steps of asyncpg's protocol is an InternalClientError, or on uvloop a RuntimeError.
_FAULTS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    RuntimeError,
    asyncio.TimeoutError,
)


def _unknown(error: BaseException) -> BaseException:
    """``OutcomeUnknown``, unless the caller was cancelled and this came of tidying up after it."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        return asyncio.CancelledError()
    reason = str(error) or "no answer in time"
    return OutcomeUnknown(f"{type(error).__name__}: {reason}".splitlines()[0])


def _events(rows: list[Record]) -> list[LoggedEvent]:
    return [LoggedEvent(*row) for row in rows]
