"""Keeps the shards of a writer as the plan has them, beside other engines on the same log.

Every look counts out whose lease is over, and makes the plan anew where it does not fit who is
here. What is wanted elsewhere is let go once the other one is warm; what is wanted here is
warmed, taken as soon as it is free, and handed to the writer. An engine that dies in the middle of
a hand-over leaves a shard that is free, or that its own lease frees.
"""

import asyncio
from collections.abc import Iterable, Mapping

import structlog

from auction.ids import Shard
from auction.leases import AnotherEngine, Lease, Leases, View
from auction.owning import Taken
from auction.ports import Clock, EventLog, OutcomeUnknown, ShardHead
from auction.shard_plan import plan
from auction.shards import ShardState, load
from auction.writer import Writer

# How often an engine looks who is here. With the lease it is how long a dead one goes unnoticed.
LOOK_S = 0.25
# While shards are about to be let go for this engine: the pause that bidders may notice.
SOON_S = 0.01
# Shards let go at once: each of them pauses until all of them are taken.
AT_ONCE = 8
# Who wants a shard and does not get warm is given it cold.
PATIENCE_S = 5.0
# An engine that stops waits this long for others to take over.
LEAVE_WITHIN_S = 10.0

_logger = structlog.get_logger(__name__)


class ShardKeeper:
    """One engine's part. ``alone``: it wants all shards, and no other engine beside it."""

    def __init__(
        self,
        leases: Leases,
        log: EventLog,
        clock: Clock,
        writer: Writer,
        lease_us: int,
        *,
        alone: bool,
        certainly: bool = False,
    ) -> None:
        self._leases, self._log, self._clock = leases, log, clock
        self._writer, self._name = writer, writer.owner
        self._lease_us, self._alone, self._certainly = lease_us, alone, certainly
        self._warm: dict[Shard, ShardState] = {}
        # The last beat of each engine that was seen, and when it was first seen, by our own clock.
        self._beats: dict[str, tuple[int, int]] = {}
        self._wanted_elsewhere_s: dict[Shard, float] = {}
        self._loop = asyncio.get_running_loop()
        self._leave_by_s: float | None = None
        self._left = asyncio.Event()
        self._woken = asyncio.Event()
        self.view: View | None = None
        # Whatever shall be owned here is.
        self.in_order = asyncio.Event()

    async def run(self) -> None:
        """Keep them until cancelled, or until `leave` is done. `join` comes first.

        Raises `AnotherEngine` when this one was counted out, and one that does not go with it runs.
        """
        try:
            while not self._may_leave():
                try:
                    pause_s = await self._round()
                except OutcomeUnknown as error:
                    _logger.warning("shards_not_looked_after", error=str(error))
                    pause_s = LOOK_S
                await self._sleep(pause_s)
        finally:
            self._left.set()

    async def leave(self) -> None:
        """Hand all shards over, if there is anybody; return when that is done, or took too long."""
        self._leave_by_s = self._loop.time() + LEAVE_WITHIN_S
        try:
            await self._leases.drain(self._name, draining=True)
        except OutcomeUnknown:
            self._leave_by_s = 0
        self._woken.set()
        await self._left.wait()

    async def join(self) -> None:
        """Be counted on. One that was killed a moment ago is waited for: its lease ends.

        Raises `AnotherEngine` where an engine runs that does not go with this one.
        """
        until_s = self._loop.time() + 1.5 * self._lease_us / 1e6
        while True:
            try:
                await self._leases.join(
                    self._name, self._lease_us, alone=self._alone, certainly=self._certainly
                )
            except AnotherEngine:
                if self._loop.time() > until_s:
                    raise
                await self._look()
            except OutcomeUnknown as error:
                _logger.warning("engine_not_joined", error=str(error))
            else:
                _logger.info("engine_joined", engine=self._name, alone=self._alone)
                return
            await asyncio.sleep(LOOK_S)

    def _may_leave(self) -> bool:
        if self._leave_by_s is None:
            return False
        others = self.view is not None and any(
            engine.name != self._name and not engine.draining for engine in self.view.engines
        )
        return not (self._writer.owned and others and self._loop.time() < self._leave_by_s)

    async def _sleep(self, pause_s: float) -> None:
        try:
            async with asyncio.timeout(pause_s):
                await self._woken.wait()
        except TimeoutError:
            pass
        self._woken.clear()

    async def _round(self) -> float:
        """One look, and what follows from it; after how long the next one is due."""
        view = self.view = await self._look()
        if all(engine.name != self._name for engine in view.engines):
            _logger.warning("engine_counted_out", engine=self._name)
            await self.join()
            return 0
        wanted = plan(view)
        if any(wanted[lease.shard] != lease.wanted for lease in view.leases):
            if await self._leases.plan(wanted, view.version):
                _logger.info("shards_planned", engines=len(view.engines))
            return 0
        if not self._writer.ready:
            return LOOK_S
        await self._put_in_order(view.leases)
        await self._let_go(view)
        expected = {
            lease.shard: lease.epoch
            for lease in view.leases
            if lease.wanted == self._name and lease.owner != self._name
            if lease.free or lease.shard in self._warm
        }
        await self._take(expected)
        await self._warm_up(view.leases)
        self._say_whether_in_order(wanted)
        return SOON_S if self._warm else LOOK_S

    def _say_whether_in_order(self, wanted: Mapping[Shard, str | None]) -> None:
        mine = {shard for shard, name in wanted.items() if name == self._name}
        if mine <= self._writer.owned.keys():
            self.in_order.set()
        else:
            self.in_order.clear()

    async def _look(self) -> View:
        """How things are, without those whose lease is over."""
        view = await self._leases.look()
        seen, self._beats = self._beats, {}
        gone = False
        for engine in view.engines:
            now_us = self._clock.monotonic_us()
            beats, since_us = seen.get(engine.name, (-1, 0))
            if beats != engine.beats:
                since_us = now_us
            self._beats[engine.name] = engine.beats, since_us
            if since_us + engine.lease_us < now_us:
                gone = True
                await self._leases.count_out(engine.name, engine.beats)
        return await self._leases.look() if gone else view

    async def _put_in_order(self, leases: Iterable[Lease]) -> None:
        """Shards that the log says are ours and that no writer has: a step was cut short."""
        stray = {
            lease.shard: lease.epoch
            for lease in leases
            if lease.owner == self._name and lease.shard not in self._writer.owned
        }
        if stray and self._writer.ready:
            await self._leases.let_go(stray, 0)

    async def _let_go(self, view: View) -> None:
        """Let others have what is planned for them and what they are warm for."""
        now_s = self._loop.time()
        elsewhere = {
            lease.shard: lease
            for lease in view.leases
            if lease.shard in self._writer.owned and lease.wanted not in (None, self._name)
        }
        since_s = self._wanted_elsewhere_s
        since_s = {shard: since_s.get(shard, now_s) for shard in elsewhere}
        self._wanted_elsewhere_s = since_s
        going = [
            shard
            for shard, lease in elsewhere.items()
            if lease.warm == lease.wanted or since_s[shard] + PATIENCE_S < now_s
        ][:AT_ONCE]
        if going:
            gone, at_us = await self._writer.let_go(going)
            await self._leases.let_go(gone, at_us)
            _logger.info("shards_let_go", shards=sorted(gone))

    async def _take(self, claims: Mapping[Shard, int]) -> None:
        """Take what is free, and have it judged here."""
        if not claims:
            return
        heads = await self._leases.take(claims, self._name)
        for head in heads:
            state = await load(self._log, head, self._warm.pop(head.shard, None))
            await self._writer.adopt([Taken(head, state)])
        if heads:
            _logger.info("shards_taken", shards=[head.shard for head in heads])

    async def _warm_up(self, leases: Iterable[Lease]) -> None:
        """Read the state of a few shards that will be ours, while their owner still has them."""
        coming = {
            lease.shard: lease
            for lease in leases
            if lease.wanted == self._name and lease.owner != self._name and not lease.free
        }
        for shard in self._warm.keys() - coming.keys():
            del self._warm[shard]
        cold = [lease for shard, lease in coming.items() if shard not in self._warm][:AT_ONCE]
        for lease in cold:
            head = ShardHead(lease.shard, lease.position, lease.epoch, None)
            self._warm[lease.shard] = await load(self._log, head)
        if cold:
            await self._leases.warmed([lease.shard for lease in cold], self._name)
