"""A run: people, hosts, readers, the log and what goes wrong between them, from one seed.

For a minute everything may fail. Then all faults stop, and the system has a minute to
converge; what it must have reached by then is checked here while it runs, everything else
by the ``checker`` from the tape.
"""

import asyncio
from random import Random
from typing import Final

from auction.commands import SetLimit
from auction.ids import SaleId
from tests.simulation.faults import Fault, draw_faults
from tests.simulation.folds import Reference
from tests.simulation.hosts import Host
from tests.simulation.people import Bidder, Desk, Room
from tests.simulation.readers import Reader, Store
from tests.simulation.salerooms import BIDDERS, DESK, draw_sales, shards_of
from tests.simulation.simulated_log import LogServer
from tests.simulation.tape import Tape
from tests.simulation.virtual_loop import VirtualLoop
from tests.simulation.weather import SECOND, Weather

# People act and faults begin until here.
QUIET_US: Final = 60 * SECOND
# After the last fault everything must be well again within this time.
CONVERGE_S: Final = 60.0
# How long to go on after that, for lots whose end was moved.
LINGER_S: Final = 75.0
# A writer that is asked to stop in good weather returns within this time.
STOP_S: Final = 2.0
LOOK_EVERY_S: Final = 0.2
COMPARE_EVERY_S: Final = 5.0
# More than that between the engine's clock and the log's is looked into (reliability: 250 ms).
SKEW_US: Final = 250_000


class World:
    """The parts of a run, each with a stream of chance of its own."""

    def __init__(self, seed: int, loop: VirtualLoop, tape: Tape) -> None:
        self._seed, self._loop, self._tape = seed, loop, tape
        self._weather = Weather(self._chance("weather"))
        self.server = LogServer(loop, tape, self._weather)
        self.sales = draw_sales(self._chance("sales"))
        self.shards = shards_of(self.sales)
        self.hosts: list[Host] = []
        self.readers: list[Reader] = []
        self.store = Store(self._chance("store"))
        self._route, self._restart = self._chance("route"), self._chance("restart")
        self._away_us = 0  # how long nobody starts the next host
        self._somebody_died, self._just_looked = asyncio.Event(), asyncio.Event()
        self._room = Room(self.sales, loop, self._reach)
        self._reference = Reference(self.server)
        self._healed = False
        self._sick_since_us: int | None = 0

    def _chance(self, name: str) -> Random:
        return Random(f"{self._seed} {name}")

    @property
    def primary(self) -> Host:
        """The host that was started last."""
        return self.hosts[-1]

    async def play(self) -> None:
        """The whole run."""
        self._start_host()
        self._start_reader()
        helpers = [asyncio.create_task(helper) for helper in (self._watch(), self._look_after())]
        faults = draw_faults(self._chance("faults"), QUIET_US)
        trouble = [asyncio.create_task(self._strike(fault)) for fault in faults]
        people = [asyncio.create_task(self._desk())]
        people += [asyncio.create_task(self._bidder(number)) for number in range(len(BIDDERS))]
        await asyncio.sleep(QUIET_US / 1e6)
        await _end(trouble)
        self._heal()
        await self._converge(people)
        await asyncio.sleep(LINGER_S)
        self._must_be_well("after lingering")
        await _end(helpers)
        await self._stop_cleanly()

    # --- People -----------------------------------------------------------------------------

    async def _desk(self) -> None:
        desk = Desk(self._room, self._chance("desk"))
        await desk.open()
        await desk.run(QUIET_US)

    async def _bidder(self, number: int) -> None:
        bidder = Bidder(self._room, BIDDERS[number], self._chance(f"bidder {number}"))
        await bidder.run(QUIET_US)

    def _reach(self) -> Host | None:
        """Whom a caller reaches: the newest host; before all is well perhaps an older one."""
        living = [host for host in self.hosts if host.lives]
        if len(living) > 1 and not self._healed and self._route.random() < 0.1:
            return self._route.choice(living)
        return living[-1] if living else None

    # --- Hosts and readers ------------------------------------------------------------------

    def _start_host(self) -> Host:
        host = Host(f"host-{len(self.hosts) + 1}", self.server, self.shards)
        host.process.on_death.append(self._somebody_died.set)
        host.when_finished(self._somebody_died.set)
        self.hosts.append(host)
        host.start()
        return host

    def _start_reader(self) -> None:
        name = f"reader-{len(self.readers) + 1}"
        reader = Reader(name, self.server, self.store, self.shards)
        reader.process.on_death.append(self._somebody_died.set)
        self.readers.append(reader)
        reader.start()

    async def _look_after(self) -> None:
        """Start what died again, after a while."""
        while True:
            await self._somebody_died.wait()
            self._somebody_died.clear()
            self._sicken()
            if not self.readers[-1].process.alive:
                self._start_reader()
            if not any(host.lives for host in self.hosts):
                await self._start_next()

    async def _start_next(self) -> None:
        away_us, self._away_us = self._away_us + self._restart.randrange(SECOND), 0
        await asyncio.sleep(away_us / 1e6)
        if not any(host.lives for host in self.hosts):
            self._start_host()

    # --- Trouble ----------------------------------------------------------------------------

    async def _strike(self, fault: Fault) -> None:
        await asyncio.sleep(fault.at_us / 1e6)
        self._tape.note("fault", fault)
        self._tape.faults.append(f"{fault.at_us / 1e6:.3f} s: {fault.kind}")
        self._sicken()
        if not self._trouble_the_log(fault):
            await self._trouble_a_process(fault)

    def _trouble_the_log(self, fault: Fault) -> bool:
        weather, until_us = self._weather, self._loop.now_us + fault.lasts_us
        match fault.kind:
            case "cut":
                weather.cut_until[self.primary.name] = until_us
            case "storm":
                weather.storm_until = until_us
                self.store.troubled = True
            case "down":
                weather.down_until = until_us
            case "slow":
                weather.slow_until = until_us
            case "clock":
                self.server.clock_step_us += fault.by_us
            case _:
                return False
        return True

    async def _trouble_a_process(self, fault: Fault) -> None:
        host = self.primary
        match fault.kind:
            case "kill":
                self._away_us = fault.lasts_us
                host.process.kill()
            case "kill at a step":
                host.process.dies_at = host.process.steps + fault.steps
            case "kill at a call":
                self._weather.ambushes.append(fault.ambush)
            case "stop and start":
                await self._restart_host(host, fault)
            case "freeze":
                await self._freeze(host, fault.lasts_us)
            case "freeze and replace":
                await self._freeze_and_replace(host, fault)
            case "replace":
                self._start_host()
            case "reader dies":
                self.readers[-1].process.kill()
            case _:
                raise AssertionError(fault.kind)

    async def _restart_host(self, host: Host, fault: Fault) -> None:
        self._away_us = fault.lasts_us
        host.stop()
        await asyncio.sleep(15.0)
        host.process.kill()  # if it has not returned by now, somebody loses patience

    async def _freeze(self, host: Host, lasts_us: int) -> None:
        host.process.stop()
        self._tape.note(host.name, "is frozen")
        try:
            await asyncio.sleep(lasts_us / 1e6)
        finally:
            self._tape.note(host.name, "goes on")
            host.process.go_on()

    async def _freeze_and_replace(self, host: Host, fault: Fault) -> None:
        async with asyncio.TaskGroup() as both:
            both.create_task(self._freeze(host, fault.lasts_us))
            await asyncio.sleep(fault.steps / 200 * fault.lasts_us / 1e6)
            self._start_host()

    # --- Getting well -----------------------------------------------------------------------

    def _heal(self) -> None:
        """All faults stop. A host that lost a shard is replaced, as an operator would do."""
        self._healed = True
        self._tape.note("everything heals")
        self._weather.clear()
        self.store.troubled = False
        self._let_the_clock_catch_up()
        owners = {self.server.memory.owners[shard] for shard in self.shards}
        for host in self.hosts:
            host.process.dies_at = None
        if not self.primary.lives or owners != {self.primary.name}:
            self._start_host()
        for host in self.hosts[:-1]:
            if host.process.alive and not host.stopping:
                host.stop()

    def _let_the_clock_catch_up(self) -> None:
        """A clock that was set back would let engine time stand still for longer than we wait."""
        known_us = [host.clock.now_us() for host in self.hosts if host.process.alive]
        known_us += [call.at_us for call in self._tape.calls]
        behind_us = max(known_us, default=0) - self.server.clock_us()
        self.server.clock_step_us += max(0, behind_us)

    async def _converge(self, people: list[asyncio.Task[None]]) -> None:
        try:
            async with asyncio.timeout(CONVERGE_S):
                await asyncio.gather(*people)
                while not self._is_well():
                    await self._looked()
                for sale in self.sales:
                    await self._probe(sale.sale_id)
        except TimeoutError:
            self._tape.broken("I27", f"not well a minute after the last fault: {self._state()}")

    async def _probe(self, sale_id: SaleId) -> None:
        """The engine judges again: it accepts a limit, or says why not."""
        probe = SetLimit(sale_id=sale_id, bidder_id=BIDDERS[0], limit_minor=4_000_00, actor_id=DESK)
        await self._room.insist(probe, self._chance("probe"))

    def _is_well(self) -> bool:
        """Whether the newest host owns all shards, serves, and keeps the log's time."""
        host = self.primary
        return (
            not self._weather.is_bad(self._loop.now_us)
            and host.lives
            and not host.process.stopped
            and host.writer.ready
            and host.writer.owned.keys() == set(self.shards)
            and abs(host.clock.now_us() - self.server.clock_us()) <= SKEW_US
        )

    def _must_be_well(self, when: str) -> None:
        if not self._is_well():
            self._tape.broken("I27", f"not well {when}: {self._state()}")

    def _state(self) -> str:
        host = self.primary
        return (
            f"{host.name} alive={host.process.alive} ready={host.writer.ready} "
            f"owns={sorted(host.writer.owned)} of {self.shards} open={host.unanswered} "
            f"skew={host.clock.now_us() - self.server.clock_us()} us"
        )

    def _sicken(self) -> None:
        if self._sick_since_us is None:
            self._sick_since_us = self._loop.now_us

    async def _watch(self) -> None:
        """Note when all is well, and compare states."""
        compared_us = 0
        while True:
            if not self._is_well():
                self._sicken()
            elif self._sick_since_us is not None:
                self._tape.sick.append((self._sick_since_us, self._loop.now_us + SECOND))
                self._sick_since_us = None
            if self._loop.now_us >= compared_us + COMPARE_EVERY_S * 1e6:
                compared_us = self._loop.now_us
                for host in self.hosts:
                    self._reference.compare(host)
            self._just_looked.set()
            self._just_looked.clear()
            await asyncio.sleep(LOOK_EVERY_S)

    async def _looked(self) -> None:
        await self._just_looked.wait()

    # --- The end ----------------------------------------------------------------------------

    async def _stop_cleanly(self) -> None:
        """The last host stops in time, and everything that was made of the log is the same."""
        self._tape.checked_us = self.primary.clock.now_us()
        self._tape.ended_well = self._is_well()
        self._reference.compare(self.primary)
        self.primary.stop()
        await asyncio.sleep(STOP_S)
        self.readers[-1].wake()
        await asyncio.sleep(STOP_S)
        self._reference.compare_all(self.primary, self.store)
        for other in self.hosts:
            if other.process.alive and not other.finished:
                self._tape.broken("I27", f"{other.name} was asked to stop and did not")
        for open_host in self.hosts:
            if open_host.process.alive and open_host.unanswered:
                count = open_host.unanswered
                self._tape.broken("I26", f"{open_host.name} left {count} commands unanswered")


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception):
            raise result
