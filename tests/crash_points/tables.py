"""A server of one's own, whose tables are new as often as one likes."""

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from foundation.database import connect
from softclose.databases import prepare
from softclose.embedded_postgres import EmbeddedPostgres

# A database of all tables with nothing in them, for as long as the block lasts.
Tables = Callable[[], AbstractAsyncContextManager[str]]


@asynccontextmanager
async def server() -> AsyncIterator[Tables]:
    """New tables, as often as one likes."""
    with TemporaryDirectory(prefix="softclose-crash-points-") as folder:
        postgres = EmbeddedPostgres(Path(folder) / "postgres", scratch=True)
        dsn = await postgres.start()
        try:
            await prepare(dsn)
            yield _tables_like(dsn)
        finally:
            await postgres.stop()


def _tables_like(dsn: str) -> Tables:
    address, _, template = dsn.rpartition("/")
    numbers = itertools.count(1)

    async def execute(statement: str) -> None:
        connection = await connect(f"{address}/template1", name="crash-points")
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    @asynccontextmanager
    async def tables() -> AsyncIterator[str]:
        name = f"life_{next(numbers)}"
        await execute(f"create database {name} template {template} strategy file_copy")
        yield f"{address}/{name}"
        await execute(f"drop database {name} with (force)")

    return tables
