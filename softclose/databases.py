"""Which database a command works on: the one in the settings, else the one in the data folder."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from foundation.database import connect, loss_named, refuse_unsafe
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


@dataclass(frozen=True)
class ServingDatabase:
    """A safe and migrated database for the process that serves."""

    dsn: str
    embedded: EmbeddedPostgres | None

    async def keep_running(self) -> None:
        """A task for the process's own group: an embedded server that ends is started again.

        Cancelled at the end of work; ends at once for a database of the operator's own.
        """
        if self.embedded is not None:
            await self.embedded.keep_running()


@asynccontextmanager
async def serving_database(settings: Settings) -> AsyncIterator[ServingDatabase]:
    """The database for the process that serves; an embedded one belongs to this process alone."""
    async with AsyncExitStack() as stack:
        embedded = None
        if settings.database_url is not None:
            dsn = settings.database_url.get_secret_value()
        else:
            embedded = await stack.enter_async_context(embedded_server(settings.data))
            dsn = embedded.dsn
        await prepare(dsn)
        yield ServingDatabase(dsn, embedded)


async def prepare(dsn: str) -> list[Migration]:
    """Refuse an unsafe server and bring its tables up to this version, as every start does."""
    connection = await connect(dsn, name="migrate")
    try:
        with loss_named(connection):
            await refuse_unsafe(connection)
            return await migrate(connection, rooms())
    finally:
        await connection.close()
