"""The floor under every log in PostgreSQL: the same bytes in the same batches, with no rules.

The batches that the engine appended are inserted into an identical table, back to back on one
connection: no fence, no bidder, nothing judged and nobody told.
"""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from auction.ports import Batch
from foundation.database import Connection, connect

TABLE = """
create table if not exists floor_event (like log_event including all);
truncate floor_event
"""

INSERT = """
insert into floor_event (shard, position, epoch, sale_id, body)
select e.shard, e.position, 1, e.sale_id, e.body
from unnest($1::smallint[], $2::bigint[], $3::text[], $4::bytea[])
    as e (shard, position, sale_id, body)
"""


class Floor:
    """Inserts what the engine appended."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def prepare(self) -> None:
        """An empty table."""
        await self._connection.execute(TABLE)

    async def insert(self, batches: Sequence[Batch]) -> float:
        """Insert all of them; the events per second that this came to."""
        insert = await self._connection.prepare(INSERT)
        start_s = time.perf_counter()
        for batch in batches:
            await insert.fetch(batch.shards, batch.positions, batch.sale_ids, batch.bodies)
        took_s = time.perf_counter() - start_s
        return sum(len(batch.positions) for batch in batches) / took_s


@asynccontextmanager
async def floor(dsn: str) -> AsyncIterator[Floor]:
    """The floor on the engine's database, for the block."""
    connection = await connect(dsn, name="floor")
    try:
        yield Floor(connection)
    finally:
        await connection.close()
