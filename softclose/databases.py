"""Which database a command works on: the one in the settings, else the one in the data folder."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from foundation.database import connect, refuse_unsafe
from foundation.migrator import Migration, migrate
from softclose.data_folder import DataFolderHeld, hold
from softclose.embedded_postgres import EmbeddedPostgres
from softclose.postgres_cluster import Cluster, embedded_folder
from softclose.restores import finish_restore
from softclose.rooms import rooms
from softclose.settings import Settings


def running_dsn(data: Path) -> str | None:
    """Where the server of a running softclose on this folder is; None when none runs."""
    cluster = Cluster(embedded_folder(data))
    server = cluster.server()
    return cluster.dsn(server.port) if server else None


@asynccontextmanager
async def embedded_server(data: Path) -> AsyncIterator[EmbeddedPostgres]:
    """Hold the data folder and run its PostgreSQL for the block."""
    with hold(data):
        finish_restore(data)
        postgres = EmbeddedPostgres(embedded_folder(data))
        try:
            await postgres.start()
            yield postgres
        finally:
            await postgres.stop()


@asynccontextmanager
async def any_database(settings: Settings) -> AsyncIterator[str]:
    """The dsn for a command beside others: a running softclose's server is shared."""
    async with AsyncExitStack() as stack:
        if settings.database_url is not None:
            dsn = settings.database_url.get_secret_value()
        else:
            dsn = await _shared_or_own(settings.data, stack)
        yield dsn


async def _shared_or_own(data: Path, stack: AsyncExitStack) -> str:
    try:
        return (await stack.enter_async_context(embedded_server(data))).dsn
    except DataFolderHeld:
        dsn = running_dsn(data)
        if dsn is None:
            raise
        return dsn


@asynccontextmanager
async def serving_database(settings: Settings) -> AsyncIterator[str]:
    """The dsn for the process that serves, safe and migrated.

    An embedded server belongs to this process alone and is started again if it ends.
    """
    if settings.database_url is not None:
        dsn = settings.database_url.get_secret_value()
        await prepare(dsn)
        yield dsn
        return
    async with embedded_server(settings.data) as postgres, asyncio.TaskGroup() as tasks:
        await prepare(postgres.dsn)
        keeper = tasks.create_task(postgres.keep_running())
        yield postgres.dsn
        keeper.cancel()


async def prepare(dsn: str) -> list[Migration]:
    """Refuse an unsafe server and bring its tables up to this version, as every start does."""
    connection = await connect(dsn, name="migrate")
    try:
        await refuse_unsafe(connection)
        return await migrate(connection, rooms())
    finally:
        await connection.close()
