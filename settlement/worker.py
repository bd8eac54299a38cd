"""The worker: does what is due, a few operations at once, of each subject one at a time.

It is rung when something was written that is due at once, and looks by itself every second: a lost
ring costs a second, never an operation. Several workers may share a table.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import asyncpg
import structlog

from foundation.database import Pool, acquire, transaction
from settlement.operations import (
    Handler,
    NeedsPerson,
    Operation,
    Refused,
    Unknown,
    claim,
    end,
    hold_for_person,
    still_ours,
    try_later,
)

# At once; each holds a connection for moments only, and Stripe allows 100 calls a second.
AT_ONCE: Final = 16
POLL_S: Final = 1.0
# After a step that failed because the database is away.
RETRY_S: Final = 2.0

# What may go well the next time, with nobody doing anything.
_PASSING: Final = (
    Unknown,
    OSError,  # a time-out too
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.SerializationError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # statements that took too long, and a server that stops
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,
)

_logger = structlog.get_logger(__name__)


class Worker:
    """Does the operations of which it knows the kind, as they come due by ``now_us``."""

    def __init__(
        self, pool: Pool, handlers: Mapping[str, Handler], now_us: Callable[[], int]
    ) -> None:
        self._pool, self._handlers, self._now_us = pool, handlers, now_us
        self._kinds = sorted(handlers)
        self._busy: set[str] = set()
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Something may be due."""
        self._rung.set()

    async def run(self) -> None:
        """Work until cancelled. What was under way is left to its lease."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._rung.clear()
                pause_s = POLL_S
                try:
                    for operations in await self._claim(AT_ONCE - len(self._busy)):
                        task = tasks.create_task(self._do_all(operations))
                        task.add_done_callback(lambda _: self.ring())
                except Exception:  # the database is away, or said no: it is asked again
                    _logger.warning("settlement_cannot_claim", exc_info=True)
                    pause_s = RETRY_S
                await self._wait(pause_s)

    async def drain(self) -> int:
        """Do all that is due now and what follows from it at once; how many operations."""
        done = 0
        while claimed := await self._claim(AT_ONCE):
            await asyncio.gather(*(self._do_all(operations) for operations in claimed))
            done += sum(map(len, claimed))
        return done

    async def _claim(self, limit: int) -> list[Sequence[Operation]]:
        """What is due, by subject."""
        if limit <= 0:
            return []
        async with acquire(self._pool) as connection:
            claimed = await claim(
                connection, self._now_us(), limit, sorted(self._busy), self._kinds
            )
        by_subject: dict[str, list[Operation]] = {}
        for op in claimed:
            by_subject.setdefault(op.subject, []).append(op)
        self._busy |= by_subject.keys()
        return list(by_subject.values())

    async def _do_all(self, operations: Sequence[Operation]) -> None:
        """The operations of one subject, one after the other."""
        try:
            for op in operations:
                await self._do(op)
        finally:
            self._busy.discard(operations[0].subject)

    async def _do(self, op: Operation) -> None:
        handler = self._handlers[op.operation]
        try:
            try:
                answer = await handler.call(op)
            except Refused as refused:
                answer = refused
            async with transaction(self._pool) as connection:
                if await still_ours(connection, op):
                    again = await handler.settle(connection, op, answer, self._now_us())
                    await end(connection, op, again, self._now_us())
        except _PASSING as error:
            await self._note(op, error, held=False)
        except Exception as error:  # noqa: BLE001 - a person looks at it, nothing is guessed
            await self._note(op, error, held=True)

    async def _note(self, op: Operation, error: Exception, *, held: bool) -> None:
        note = str(error) or type(error).__name__
        log = _logger.bind(operation=op.operation, subject=op.subject, attempts=op.attempts)
        try:
            async with acquire(self._pool) as connection:
                if held:
                    log.error("operation_held", exc_info=not isinstance(error, NeedsPerson))
                    await hold_for_person(connection, op, note)
                else:
                    log.warning("operation_tried_later", reason=note)
                    await try_later(connection, op, note, self._now_us())
        except Exception:  # the lease runs out, and the operation is claimed again
            log.warning("operation_left_to_its_lease", exc_info=True)

    async def _wait(self, pause_s: float) -> None:
        try:
            async with asyncio.timeout(pause_s):
                await self._rung.wait()
        except TimeoutError:
            pass
