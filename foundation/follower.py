"""Follow a log: read on from a stored cursor, and move it in the handler's own transaction.

So each event takes effect once, in order, whatever crashes: a step that does not commit leaves
the cursor where it was, and is done again. Of two followers of one name and shard, one waits
for the other's step and goes on behind it.

A follower is woken when there is something to read, and looks by itself at its start and every
``POLL_S``, so that a lost wake-up costs seconds, never an event. To look is one question for all
followers that look at the same time: a step, which is a transaction, follows only where there is
something to read.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Generic, Protocol, TypeVar

import structlog

# Rows in one step: some megabytes, and a transaction of well under a second.
CHUNK = 1_000
# The floor under wake-ups.
POLL_S = 10.0
# After a failed step: from a moment to half a minute, for as long as it fails.
RETRY_FIRST_S, RETRY_MOST_S = 0.1, 30.0

_logger = structlog.get_logger(__name__)


class Row(Protocol):
    """What is followed has a position; positions rise without gaps."""

    @property
    def position(self) -> int: ...


RowT = TypeVar("RowT", bound=Row)
RowT_co = TypeVar("RowT_co", bound=Row, covariant=True)
# What the handler works in: for PostgreSQL the connection, in its transaction.
ContextT = TypeVar("ContextT")
ContextT_co = TypeVar("ContextT_co", covariant=True)


class Step(Protocol[ContextT_co, RowT_co]):
    """One transaction that holds the cursor."""

    @property
    def context(self) -> ContextT_co: ...

    async def read(self, limit: int) -> Sequence[RowT_co]:
        """The rows after the cursor, in order."""
        ...

    async def move_to(self, position: int) -> None:
        """Put the cursor there, if the transaction commits."""
        ...


class Cursors(Protocol[ContextT_co, RowT_co]):
    """Where cursors live, beside what they read."""

    def step(
        self, name: str, shard: int
    ) -> AbstractAsyncContextManager[Step[ContextT_co, RowT_co]]:
        """Hold the cursor of this name and shard until the block ends: commit, or undo on error."""
        ...

    async def is_behind(self, name: str, shard: int) -> bool:
        """Whether there is something after the cursor, without holding it."""
        ...


Handler = Callable[[ContextT, Sequence[RowT]], Awaitable[None]]


class LogFollower(Generic[ContextT, RowT]):
    """Hands every event of a shard to ``handler``, in order, each in effect once."""

    def __init__(
        self,
        name: str,
        shard: int,
        handler: Handler[ContextT, RowT],
        cursors: Cursors[ContextT, RowT],
    ) -> None:
        self._name, self._shard = name, shard
        self._handler, self._cursors = handler, cursors
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There may be something to read."""
        self._woken.set()

    async def step(self) -> int:
        """Handle up to ``CHUNK`` events; how many. What the handler raises, this raises."""
        async with self._cursors.step(self._name, self._shard) as step:
            rows = await step.read(CHUNK)
            if rows:
                await self._handler(step.context, rows)
                await step.move_to(rows[-1].position)
        return len(rows)

    async def run(self) -> None:
        """Follow until cancelled. A step that fails is logged and tried again."""
        pause_s = RETRY_FIRST_S
        woken = False
        while True:
            self._woken.clear()
            try:
                if not woken and not await self._cursors.is_behind(self._name, self._shard):
                    woken = await self._wait()
                    continue
                handled = await self.step()
            except Exception:  # whatever it is, the event must not be passed over: the log tells
                _logger.warning(
                    "follower_failed",
                    follower=self._name,
                    shard=self._shard,
                    next_try_in_s=pause_s,
                    exc_info=pause_s == RETRY_FIRST_S,  # once for each row of failures
                )
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, RETRY_MOST_S)
                continue
            pause_s = RETRY_FIRST_S
            woken = True if handled == CHUNK else await self._wait()

    async def _wait(self) -> bool:
        """Whether somebody woke it before it is time to look by itself."""
        try:
            async with asyncio.timeout(POLL_S):
                return await self._woken.wait()
        except TimeoutError:
            return False
