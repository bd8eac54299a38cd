"""Both logs, each behind the same door: what holds for one must hold for the other."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any, Protocol

import pytest

from auction.cursors_memory import MemoryCursors
from auction.cursors_postgres import PostgresCursors
from auction.log_memory import MemoryLog
from auction.log_postgres import PostgresLog
from auction.ports import EventLog, LoggedEvent
from foundation.database import open_pool
from foundation.follower import Cursors


class Place(Protocol):
    """Where one log's data are; whatever is opened here sees the same data."""

    async def open_log(self) -> EventLog:
        """A log as one process has it; closed with the place."""
        ...

    async def open_cursors(self) -> Cursors[Any, LoggedEvent]:
        """The log's cursors."""
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


@pytest.fixture(params=["memory", "postgres"])
def dsn_if_any(request: pytest.FixtureRequest) -> str | None:
    """The dsn of a database, or nothing for the adapter that needs none."""
    if request.param == "memory":
        return None
    dsn: str = request.getfixturevalue("database_url")
    return dsn


@pytest.fixture
async def place(dsn_if_any: str | None) -> AsyncIterator[Place]:
    """Both places in turn, empty."""
    async with AsyncExitStack() as stack:
        yield InMemory() if dsn_if_any is None else InPostgres(dsn_if_any, stack)


@pytest.fixture
async def log(place: Place) -> EventLog:
    """A log with nothing in it."""
    return await place.open_log()
