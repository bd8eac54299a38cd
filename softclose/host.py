"""The engine's rooms in one process: log, writer, bus and engine under one owner.

``softclose serve``, the demonstration, the replay and tests differ in the log and the clock
that they bring; everything between is the same.
"""

import asyncio
import gc
import os
import secrets
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

from auction.bus_local import LocalBus
from auction.engine_local import LocalEngine
from auction.ids import SHARDS
from auction.leases import AnotherEngine, Leases
from auction.liveness import DARK_AFTER_US
from auction.ports import Clock, Engine, EventLog, OutcomeUnknown
from auction.shard_keeper import ShardKeeper
from auction.writer import ALL_SHARDS, Writer
from foundation.errors import OperatorError

_logger = structlog.get_logger(__name__)


class AnotherSoftclose(OperatorError):
    """The database is in use by another process that serves."""


class Host:
    """The rooms over ``log``, which stays the caller's to close. ``running`` owns the tasks.

    ``leases``: where other engines may be on the same log, which has to be this one's alone;
    ``certainly``: there can be none, whatever was left there.
    """

    def __init__(
        self, log: EventLog, clock: Clock, leases: Leases | None = None, *, certainly: bool = False
    ) -> None:
        self.log, self.clock = log, clock
        self.bus = LocalBus()
        shards = ALL_SHARDS if leases is None else ()
        self.writer = Writer(log, clock, self.bus, name_of_this_run(), shards)
        self.engine: Engine = LocalEngine(self.writer)
        self._leases, self._keeper = leases, None
        if leases is not None:
            self._keeper = ShardKeeper(
                leases, log, clock, self.writer, DARK_AFTER_US, alone=True, certainly=certainly
            )

    @asynccontextmanager
    async def running(self, *besides: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
        """Run the writer, and what goes on ``besides`` it, for the block.

        At its end no new command is taken, and what was decided is appended and answered before
        the rest is cancelled. A task that fails ends the block: nothing goes on half alive.
        Raises `AnotherSoftclose` before anything begins.
        """
        if self._keeper is not None:
            await self._join(self._keeper)
        async with asyncio.TaskGroup() as tasks:
            writing = tasks.create_task(self.writer.run(), name="writer")
            others = [tasks.create_task(work) for work in besides]
            if self._keeper is not None:
                others.append(tasks.create_task(self._keeper.run(), name="shards"))
            try:
                yield
            finally:
                self.writer.stop()
                await asyncio.wait([writing])
                for other in others:
                    other.cancel()
                await self._leave()

    async def serving(self) -> None:
        """Return once all shards are taken and commands are judged."""
        await self.writer.serving()
        if self._keeper is not None:
            await self._keeper.in_order.wait()

    async def _join(self, keeper: ShardKeeper) -> None:
        try:
            await keeper.join()
        except AnotherEngine as other:
            raise AnotherSoftclose(
                f"another Softclose runs on this database ({other}); stop it first, or give this "
                "one a database of its own"
            ) from None

    async def _leave(self) -> None:
        """The next one need not wait until the lease is over."""
        if self._leases is not None:
            try:
                await self._leases.leave(self.writer.owner)
            except OutcomeUnknown as error:
                _logger.warning("engine_not_left", error=str(error))

    def reasons_not_ready(self) -> list[str]:
        """Why commands are not judged now, in words; empty when they are."""
        reasons = []
        if len(self.writer.owned) < SHARDS:
            reasons.append(f"shards: {len(self.writer.owned)} of {SHARDS} owned")
        if not self.writer.ready:
            reasons.append("dark: nothing can be made durable; the writer tries to recover")
        return reasons


def calm_collector() -> None:
    """Have the garbage collector look seldom, and never again at what is loaded by now.

    What a bid makes and drops goes by its reference count; the collector's rounds only looked at
    it, for 2.5 to 3.5 us a bid and 60 ms at the 99th percentile on the hot lot (two cores,
    `python -m load_tests engine`, 22 November 2026).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 5, 100)


def name_of_this_run() -> str:
    """The owner that the log knows this process by; another run never has the same."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
