"""The log of an installation, running or stopped, for commands that read it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from auction.ids import SaleId, Shard
from auction.log_postgres import PostgresLog
from auction.ports import LoggedEvent
from foundation.database import connect
from foundation.errors import OperatorError
from foundation.migrator import pending
from softclose.databases import any_database
from softclose.postgres_cluster import Cluster, embedded_folder
from softclose.rooms import rooms
from softclose.settings import Settings

# Events read at once: a few megabytes.
CHUNK = 2_000


class NoLog(OperatorError):
    """There is no log here, or not the part of it that was asked for."""


class OpenLog(NamedTuple):
    """The log, and where it is."""

    log: PostgresLog
    dsn: str


@asynccontextmanager
async def open_log(settings: Settings) -> AsyncIterator[OpenLog]:
    """Raises `NoLog` where there is none; makes and changes nothing."""
    own = Cluster(embedded_folder(settings.data))
    if settings.database_url is None and not own.exists():
        raise NoLog(f"there is no log in {settings.data}; name its folder with --data")
    async with any_database(settings) as dsn:
        await _refuse_other_version(dsn)
        log = PostgresLog(dsn)
        try:
            yield OpenLog(log, dsn)
        finally:
            await log.close()


async def _refuse_other_version(dsn: str) -> None:
    connection = await connect(dsn, name="log")
    try:
        missing = await pending(connection, rooms())
    finally:
        await connection.close()
    if missing:
        raise NoLog("the tables of this database are not of this version: run softclose migrate")


async def sale_events(
    log: PostgresLog, sale_id: SaleId, after: int = 0
) -> AsyncIterator[LoggedEvent]:
    """The events of a sale, in order. Raises `NoLog` if there is no such sale."""
    if not await log.read_sale(sale_id, 0, 1):
        raise NoLog(f"the log holds no sale {sale_id}")
    while chunk := await log.read_sale(sale_id, after, CHUNK):
        for logged in chunk:
            yield logged
        after = chunk[-1].position


async def shard_events(
    log: PostgresLog, shard: Shard, after: int = 0
) -> AsyncIterator[LoggedEvent]:
    """The events of a shard, in order."""
    while chunk := await log.read(shard, after, CHUNK):
        for logged in chunk:
            yield logged
        after = chunk[-1].position
