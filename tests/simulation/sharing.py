"""A run with several engines that share the shards of one log, hand them over and take them over.

What a caller sends reaches the owner of its sale's shard, as a stream of commands would bring it
there, or now and then somebody who owned it a moment ago.
"""

import asyncio
from collections.abc import Iterable
from random import Random
from typing import Final
from unittest.mock import patch

import auction.shard_keeper
import tests.simulation.virtual_loop
from auction.commands import Command
from auction.ids import SHARDS, Shard, shard_of
from auction.leases import SHARED_BEAT_US, SHARED_LEASE_US
from auction.liveness import Liveness
from auction.owning import Taken
from auction.ports import OutcomeUnknown
from auction.shard_keeper import ShardKeeper
from auction.writer import Writer
from tests.simulation.faults import draw_faults
from tests.simulation.hosts import Host
from tests.simulation.operations import Operations
from tests.simulation.run import Run, play
from tests.simulation.salerooms import BIDDERS, draw_audiences, draw_sales
from tests.simulation.scenarios import QUIET_US, Scenario
from tests.simulation.sharing_leases import SharedLeases
from tests.simulation.simulated_log import Connection, LogServer
from tests.simulation.tape import Ready
from tests.simulation.virtual_loop import outside
from tests.simulation.weather import SECOND
from tests.simulation.world import World

# Engines that there are when all is well, and at most.
ENGINES: Final = 2
MOST_ENGINES: Final = 4
# Calls that only these runs have.
CALLS: Final = ("join", "look", "plan", "take", "let_go", "warmed", "beat", "append")
# Handing over takes looks, a few shards each.
STOPS_WITHIN_S: Final = 13.0
# In good weather a shard is on its way for less than this time.
HANDED_OVER_US: Final = SECOND // 5
# A reader that was just woken has read all by then.
READ_WITHIN_S: Final = 4.0


class SharingHost(Host):
    """A process with an engine that shares the shards."""

    stops_within_s = STOPS_WITHIN_S

    def __init__(self, name: str, server: LogServer, shards: list[Shard]) -> None:
        server.tape.dark_us = SHARED_LEASE_US
        super().__init__(name, server, shards)
        self._leases = SharedLeases(server, self.process)
        self.keeper = ShardKeeper(
            self._leases,
            Connection(server, self.process),
            self.clock,
            self.writer,
            SHARED_LEASE_US,
            alone=False,
        )
        adopt = self.writer._owning.adopt

        def adopt_and_note(taken: Iterable[Taken]) -> None:
            taken = list(taken)
            self._note_adopted(taken)
            adopt(taken)

        self.writer._owning.adopt = adopt_and_note  # type: ignore[method-assign]

    def make_writer(self, server: LogServer, shards: list[Shard]) -> Writer:
        """See ``Host``."""
        liveness = Liveness(self.clock, SHARED_BEAT_US, SHARED_LEASE_US)
        log = Connection(server, self.process)
        return Writer(log, self.clock, self.bus, self.name, (), liveness)

    def start(self) -> None:
        """See ``Host``."""
        super().start()
        keeping = self.process.spawn(self._keep())
        keeping.add_done_callback(self._kept, context=outside())

    def stop(self) -> None:
        """SIGTERM: hand over, then stop, then leave."""
        self._tape.note(self.name, "is asked to stop")
        self.stopping = True
        self.process.spawn(self._leave())

    async def _keep(self) -> None:
        await self.keeper.join()
        await self.keeper.run()

    async def _leave(self) -> None:
        await self.keeper.leave()
        self._stop()
        try:
            await self._leases.leave(self.name)
        except OutcomeUnknown:
            self._tape.note(self.name, "did not leave")

    def _kept(self, keeping: "asyncio.Task[None]") -> None:
        error = None if keeping.cancelled() else keeping.exception()
        if error is not None:
            self._tape.broken("keeper", f"{self.name} ended by itself: {error!r}")
            self.process.kill()

    def _note_adopted(self, taken: list[Taken]) -> None:
        """The tape learns of a shard that is judged from now on."""
        engine_us = self.clock.now_us()
        no = self._tape.note(self.name, "adopts", [one.head for one in taken])
        heads = tuple(one.head for one in taken)
        ready = Ready(
            no, self._loop.now_us, self.name, engine_us, standing=False, heads=heads, adopted=True
        )
        self._tape.readies.append(ready)
        now_us = self._loop.now_us
        for head in heads:
            if head.let_go:
                around = (now_us - HANDED_OVER_US, now_us)
                self._tape.handed_over.setdefault(head.shard, []).append(around)


class SharingOperations(Operations):
    """Keeps some engines running."""

    @property
    def primary(self) -> Host:
        """Whoever is struck next: any that lives."""
        living = self._living()
        return self._route.choice(living) if living else self.hosts[-1]

    def reach(self, command: Command | None = None) -> Host | None:
        """See ``Operations``."""
        living = self._living()
        if not living:
            return None
        if command is None or (self._healed_us is None and self._route.random() < 0.05):
            return self._route.choice(living)
        owner = self._server.memory.owners[shard_of(command.sale_id)]
        return next((host for host in living if host.name == owner), None)

    async def look_after(self) -> None:
        """See ``Operations``."""
        while True:
            await self._somebody_died.wait()
            self._somebody_died.clear()
            self._sicken()
            if not self.readers[-1].process.alive:
                self.start_reader()
            while len(self._living()) < ENGINES:
                await self._start_next()

    async def _start_next(self) -> None:
        away_us, self.away_us = self.away_us + self._chance.randrange(SECOND), 0
        await asyncio.sleep(away_us / 1e6)
        self.start_host()

    def start_host(self) -> None:
        """See ``Operations``."""
        if len(self._living()) < MOST_ENGINES:
            super().start_host()

    def put_in_order(self) -> None:
        """See ``Operations``: enough of them, and no more."""
        if self._healed_us is None:
            return
        living = self._living()
        if not living:
            self.start_host()
        for host in living[ENGINES + 1 :]:
            host.stop()

    def _living(self) -> list[Host]:
        return [host for host in self.hosts if host.lives]


class SharingWorld(World):
    """The parts of a run."""

    operations_of = SharingOperations

    def make_host(self, name: str, server: LogServer, shards: list[Shard]) -> SharingHost:
        """See ``World``."""
        return SharingHost(name, server, shards)

    def _is_well(self) -> bool:
        """Whether every shard is owned by somebody who lives, serves, and keeps the log's time."""
        hosts = self._operations.hosts
        living = [host for host in hosts if host.process.alive and not host.finished]
        owned = [shard for host in living for shard in host.writer.owned]
        return (
            self._weather.has_settled(self._loop.now_us)
            and sum(host.lives for host in living) >= ENGINES
            and len(owned) == len(set(owned)) == SHARDS
            and all(map(self._keeps_time, living))
        )

    def _state(self) -> str:
        return "; ".join(
            f"{host.name} alive={host.process.alive} stopping={host.stopping} "
            f"ready={host.writer.ready} owns {len(host.writer.owned)} open={host.unanswered}"
            for host in self._operations.hosts
        )

    async def play(self) -> None:
        """The whole run."""
        for _ in range(ENGINES - 1):
            self._operations.start_host()
        moving = asyncio.create_task(self._move_shards(self._scenario.chance("operator")))
        await super().play()
        await moving

    async def _move_shards(self, rng: Random) -> None:
        """An operator moves what people bid on from one engine to another, all the time."""
        leases = self._server.memory.leases
        while self._loop.now_us < self._scenario.quiet_us:
            await asyncio.sleep(rng.uniform(0.3, 3.0))
            living = [host.name for host in self._operations.hosts if host.lives]
            if living:
                await leases.pin([rng.choice(self._shards)], rng.choice(living))
        await leases.pin(self._shards, None)

    async def _stop_cleanly(self) -> None:
        """All of them made the same of the log. One after the other hands over and stops."""
        operations = self._operations
        last = [host for host in operations.hosts if host.lives]
        self._tape.checked_us = last[0].clock.now_us()
        self._tape.ended_well = self._is_well()
        for host in last:
            self._reference.compare(host)
        for host in last:
            host.stop()
            await asyncio.sleep(host.stops_within_s)
        operations.readers[-1].wake()
        await asyncio.sleep(READ_WITHIN_S)
        self._reference.compare_stored(self._shards, operations.store)
        for host in operations.hosts:
            if host.process.alive and not host.finished:
                self._tape.broken("I27", f"{host.name} was asked to stop and did not")
            if host.process.alive and host.unanswered:
                count = host.unanswered
                self._tape.broken("I26", f"{host.name} left {count} commands unanswered")


def simulate_sharing(seed: int, *, trace: bool = False, until_broken: bool = False) -> Run:
    """Run a seed. The same seed gives the same run, anywhere. ``until_broken``: see ``play``."""
    rng = Random(f"{seed} sharing")
    with (
        patch.object(tests.simulation.virtual_loop, "MOST_STEPS", 2_000_000),
        patch.object(auction.shard_keeper, "AT_ONCE", rng.choice((2, 8, 64))),
    ):
        return play(
            _drawn(seed),
            trace=trace,
            world=SharingWorld,
            again="--sharing ",
            until_broken=until_broken,
        )


def _drawn(seed: int) -> Scenario:
    return Scenario(
        seed,
        draw_audiences(Random(f"{seed} audiences"), draw_sales(Random(f"{seed} sales"))),
        BIDDERS,
        draw_faults(Random(f"{seed} faults"), QUIET_US, CALLS),
        ambient=Random(f"{seed} ambient").choice((0.0, 0.0, 0.0, 0.02)),
        seller_acts=True,
    )
