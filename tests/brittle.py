"""Processes that die at a chosen await: a pool whose every step may be the last one.

Each statement, each begin and each end of a transaction counts two steps: one before it reaches
the server, one after the server has done it and before the answer is heard. A transaction that is
under way at the crash is undone, as when a connection breaks.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any

from foundation.database import Pool


class Crash(BaseException):
    """The process has died here. No ``except Exception`` sees it."""


class Fate:
    """Dies at the step of this number, the first being 1; ``None``: only counts."""

    def __init__(self, dies_at: int | None = None) -> None:
        self.dies_at, self.steps, self.died = dies_at, 0, False

    def step(self) -> None:
        if self.died:
            raise Crash  # who is dead does nothing more
        self.steps += 1
        if self.steps == self.dies_at:
            self.died = True
            raise Crash

    async def around(self, work: Callable[[], Awaitable[Any]]) -> Any:
        """Something that reaches another side: it may die before and after."""
        self.step()
        result = await work()
        self.step()
        return result


class BrittlePool:
    """As far as the rooms use a pool."""

    def __init__(self, pool: Pool, fate: Fate) -> None:
        self._pool, self._fate = pool, fate

    @asynccontextmanager
    async def acquire(self, *, timeout: float) -> AsyncIterator["BrittleConnection"]:
        self._fate.step()
        async with self._pool.acquire(timeout=timeout) as connection:
            yield BrittleConnection(connection, self._fate)


class BrittleConnection:
    """As far as the rooms use a connection."""

    def __init__(self, connection: Any, fate: Fate) -> None:
        self._connection, self._fate = connection, fate

    def transaction(self, **options: Any) -> "_BrittleTransaction":
        return _BrittleTransaction(self._connection.transaction(**options), self._fate)

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._connection, name)
        assert name in {"execute", "executemany", "fetch", "fetchrow", "fetchval"}, name
        return lambda *values: self._fate.around(lambda: real(*values))


class _BrittleTransaction:
    def __init__(self, transaction: Any, fate: Fate) -> None:
        self._transaction, self._fate = transaction, fate

    async def __aenter__(self) -> None:
        await self._transaction.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            try:
                self._fate.step()
            except Crash as crash:
                await self._transaction.__aexit__(Crash, crash, None)
                raise
        await self._transaction.__aexit__(kind, error, traceback)
        if error is None:
            self._fate.step()
