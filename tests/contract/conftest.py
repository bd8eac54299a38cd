"""Both logs, each behind the same door: what holds for one must hold for the other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any, Protocol

import pytest

from auction.cursors_memory import MemoryCursors
from auction.cursors_postgres import PostgresCursors
from auction.leases import Leases
from auction.leases_postgres import PostgresLeases
from auction.log_memory import MemoryLog
from auction.log_postgres import PostgresLog
from auction.ports import EventLog, LoggedEvent
from foundation.database import connect, open_pool
from foundation.follower import Cursors
from softclose.embedded_postgres import EmbeddedPostgres
from softclose.redis_server import RedisServer
from tests.conftest import TEMPLATE
from tests.contract import engine_room
from tests.manual_clock import ManualClock
from tests.watched_log import WatchedLog


class Place(Protocol):
    """Where one log's data are; whatever is opened here sees the same data."""

    async def open_log(self) -> EventLog:
        """A log as one process has it; closed with the place."""
        ...

    async def open_cursors(self) -> Cursors[Any, LoggedEvent]:
        """The log's cursors."""
        ...

    def leases(self, log: EventLog) -> Leases:
        """The leases of a log that was opened here."""
        ...


class InMemory:
    """One process sees what another wrote because they share the object."""

    def __init__(self) -> None:
        self._log = MemoryLog()
        self._cursors = MemoryCursors(self._log)

    async def open_log(self) -> EventLog:
        return self._log

    async def open_cursors(self) -> Cursors[Any, LoggedEvent]:
        return self._cursors

    def leases(self, log: EventLog) -> Leases:
        return self._log.leases


class InPostgres:
    """Every log has connections of its own."""

    def __init__(self, dsn: str, stack: AsyncExitStack) -> None:
        self._dsn, self._stack = dsn, stack

    async def open_log(self) -> EventLog:
        log = PostgresLog(self._dsn)
        self._stack.push_async_callback(log.close)
        return log

    async def open_cursors(self) -> Cursors[Any, LoggedEvent]:
        pool = await open_pool(self._dsn, name="cursors")
        self._stack.callback(pool.terminate)
        return PostgresCursors(pool)

    def leases(self, log: EventLog) -> Leases:
        assert isinstance(log, PostgresLog)
        return PostgresLeases(log)


@pytest.fixture(scope="session")
def shared_database_url(postgres: EmbeddedPostgres) -> str:
    """One database for all tests here, which are many: emptied, not made anew, for each."""
    return asyncio.run(_create(postgres, "contract"))


@pytest.fixture(params=["memory", "postgres"])
def dsn_if_any(request: pytest.FixtureRequest) -> str | None:
    """The dsn of a database, or nothing for the adapter that needs none."""
    if request.param == "memory":
        return None
    dsn: str = request.getfixturevalue("shared_database_url")
    return dsn


@pytest.fixture(params=["local engine", "engine across Redis"])
def each_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the engine rooms of a test answer in this process, then across Redis."""
    if request.param != "local engine":
        server: RedisServer = request.getfixturevalue("redis_of_the_run")
        monkeypatch.setattr(engine_room, "through", server.url)


@pytest.fixture
async def place(dsn_if_any: str | None) -> AsyncIterator[Place]:
    """Both places in turn, empty."""
    async with AsyncExitStack() as stack:
        if dsn_if_any is None:
            yield InMemory()
        else:
            await _empty(dsn_if_any)
            yield InPostgres(dsn_if_any, stack)


@pytest.fixture
async def log(place: Place) -> EventLog:
    """A log with nothing in it."""
    return await place.open_log()


@pytest.fixture
async def watched(log: EventLog) -> WatchedLog:
    """A log with nothing in it, and room for a test between it and the writer."""
    return WatchedLog(log)


@pytest.fixture
def clock() -> ManualClock:
    """Ten in the morning, until the test moves it."""
    return ManualClock("10:00")


# A test may have left a statement under way: first nobody else is connected.
_END_OTHERS = """
select pg_terminate_backend(pid, 30000) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
"""
# As a replica, which no trigger keeps from deleting what is append-only.
_EMPTY = """
set session_replication_role = replica;
delete from log_event;
delete from log_snapshot;
delete from log_snapshot_accepted;
delete from log_cursor;
update log_shard set position = 0, epoch = 0, owner = null, beat_at_us = null;
delete from log_engine;
update log_plan set engine = null, warm = null, pin = null;
update log_plan_version set version = 0;
"""


async def _create(postgres: EmbeddedPostgres, name: str) -> str:
    connection = await connect(postgres.dsn, name="contract")
    await connection.execute(f"create database {name} template {TEMPLATE}")
    await connection.close()
    return postgres.dsn.rpartition("/")[0] + "/" + name


async def _empty(dsn: str) -> None:
    connection = await connect(dsn, name="contract")
    await connection.execute(_END_OTHERS)
    await connection.execute(_EMPTY)
    await connection.close()
