"""A running writer over a watched log, with a clock in the test's hand."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from msgspec.structs import replace

from auction.bus_local import LocalBus
from auction.codec import Recorded
from auction.commands import Command, PlaceBid
from auction.engine_local import LocalEngine
from auction.events import AnyEvent
from auction.ids import LotId, SaleId, Shard, shard_of
from auction.ports import Engine
from auction.sale import Lot, Sale
from auction.terms import LotListing, Terms
from auction.verdicts import Verdict
from auction.writer import ALL_SHARDS, Writer
from tests.builders import EBAY_TERMS, SALE, bid, register, schedule
from tests.manual_clock import ManualClock
from tests.redis_rooms import Behind, behind_redis, owned_by
from tests.waiting import turns, until
from tests.watched_log import WatchedLog

# Sales in shards of their own.
SALES = [SaleId(name) for name in ("S-1", "S-2", "S-3", "S-4", "S-5")]


# The Redis that commands go through, if they do.
through: str | None = None


class EngineRoom:
    """One run of one engine."""

    def __init__(
        self, log: WatchedLog, clock: ManualClock, owner: str, shards: Iterable[Shard]
    ) -> None:
        self.log, self.clock = log, clock
        self.published: list[Recorded] = []
        bus = LocalBus()
        bus.listen(self._hear)
        self.writer = Writer(log, clock, bus, owner, shards)
        self.engine: Engine = LocalEngine(self.writer)
        self.behind: Behind | None = None
        self.run = asyncio.create_task(self.writer.run())

    def _hear(self, _shard: Shard, recorded: Sequence[Recorded]) -> None:
        self.published += recorded

    async def does(self, *commands: Command) -> list[Verdict]:
        """Submit one after the other what must be accepted."""
        verdicts = [await self.engine.submit(command) for command in commands]
        assert all(verdict.accepted for verdict in verdicts), verdicts
        return verdicts

    async def opens(
        self,
        *lots: LotListing,
        sale_id: SaleId = SALE,
        terms: Terms = EBAY_TERMS,
        bidders: str = "AB",
    ) -> None:
        """Schedule a sale and register its bidders."""
        await self.does(replace(schedule(*lots, terms=terms), sale_id=sale_id))
        await self.does(*(register(bidder, sale_id=sale_id) for bidder in bidders))

    async def bid(self, bidder: str, amount_minor: int, **changes: Any) -> Verdict:
        """The verdict on a new bid."""
        return await self.engine.submit(bid(bidder, amount_minor, **changes))

    def submitted(self, command: Command) -> "asyncio.Task[Verdict]":
        """A command under way."""
        return asyncio.create_task(self.engine.submit(command))

    async def in_flight(self, command: Command) -> "asyncio.Task[Verdict]":
        """A command whose append was begun."""
        appends = len(self.log.batches)
        task = self.submitted(command)
        await until(lambda: len(self.log.batches) > appends)
        return task

    async def happened(self, sale_id: SaleId = SALE) -> list[AnyEvent]:
        """What the log holds of a sale."""
        return await self.log.events(sale_id)

    async def until_logged(self, kind: type[AnyEvent], count: int = 1) -> None:
        """Wait until this was published, and so is in the log."""
        await until(lambda: len([r for r in self.published if isinstance(r.event, kind)]) >= count)

    def sale(self, sale_id: SaleId = SALE) -> Sale:
        """The engine's own state of a sale."""
        return self.writer.owned[shard_of(sale_id)].sales[sale_id]

    def lot(self, lot_id: str = "1", sale_id: SaleId = SALE) -> Lot:
        return self.sale(sale_id).lots[LotId(lot_id)]

    async def until_ready(self) -> None:
        """Wait until it judges, or raise what ended it."""
        await until(lambda: self.writer.ready or self.run.done())
        if self.run.done():
            self.run.result()

    async def settled(self) -> None:
        """Let everything happen that can happen: what has not happened then waits for the test."""
        if self.behind is None:
            await turns()
        else:
            await self.behind.settle()

    async def stop(self) -> None:
        """End in an orderly way."""
        self.writer.stop()
        await self.run

    async def die(self) -> None:
        """End as if killed: what was decided and not sent to the log is gone."""
        self.run.cancel()
        await asyncio.gather(self.run, return_exceptions=True)


@asynccontextmanager
async def running(
    log: WatchedLog,
    clock: ManualClock,
    owner: str = "run-1 of engine-1",
    shards: Iterable[Shard] = ALL_SHARDS,
) -> AsyncIterator[EngineRoom]:
    """An engine that is ready, and ended with the block unless it has ended before."""
    room = EngineRoom(log, clock, owner, shards)
    try:
        await room.until_ready()
        async with AsyncExitStack() as stack:
            if through is not None:
                behind = behind_redis(through, room.engine, clock, owned_by(room.writer))
                room.behind = await stack.enter_async_context(behind)
                room.engine = room.behind.engine
            yield room
        if room.run.done() and not room.run.cancelled():
            room.run.result()  # whatever ended it is the test's failure
    finally:
        await room.die()


def bid_events(events: Sequence[AnyEvent], command: PlaceBid) -> list[AnyEvent]:
    """The events that this bid id led to."""
    return [e for e in events if getattr(e, "bid_id", None) == command.bid_id]
