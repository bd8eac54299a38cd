"""A run: people, hosts, readers, the log and what goes wrong between them.

For a minute everything may fail. Then all faults stop, and the system has a minute to
converge; what it must have reached by then is checked here while it runs, everything else
by the ``checker`` from the tape.
"""

import asyncio
from typing import Final

from auction.commands import SetLimit
from auction.ids import SaleId, Shard
from tests.simulation.desk import Desk
from tests.simulation.folds import Reference
from tests.simulation.hosts import Host
from tests.simulation.operations import Operations
from tests.simulation.people import Bidder, Room
from tests.simulation.salerooms import BIDDERS, DESK, shards_of
from tests.simulation.scenarios import Scenario
from tests.simulation.simulated_log import LogServer
from tests.simulation.tape import Tape
from tests.simulation.trouble import Trouble
from tests.simulation.virtual_loop import Process, VirtualLoop
from tests.simulation.weather import SECOND, Weather

# After the last fault everything must be well again within this time.
CONVERGE_S: Final = 60.0
# A host that is killed in good weather is replaced, and serves, within this time.
RESTART_S: Final = 3.0
LOOK_EVERY_S: Final = 0.2
COMPARE_EVERY_S: Final = 5.0
# More than that between the engine's clock and the log's is looked into (reliability: 250 ms).
SKEW_US: Final = 250_000


class World:
    """The parts of a run."""

    operations_of: type[Operations] = Operations

    def __init__(self, scenario: Scenario, loop: VirtualLoop, tape: Tape) -> None:
        self._scenario, self._loop, self._tape = scenario, loop, tape
        self._weather = Weather(scenario.chance("weather"))
        self._weather.ambient = scenario.ambient
        self._server = LogServer(loop, tape, self._weather)
        self._shards = shards_of(scenario.sales)
        self._operations = self.operations_of(
            scenario, self._server, self._shards, self._sicken, self.make_host
        )
        self._room = Room(scenario.sales, loop, self._operations.reach)
        seller = scenario.chance("seller") if scenario.seller_acts else None
        self._desk = Desk(self._room, scenario.bidders, scenario.chance("desk"), seller)
        self._bidders = [Bidder(self._room, b, scenario.chance(b)) for b in scenario.bidders]
        bursts = [bidder.bid_in_a_burst for bidder in self._bidders[:2]]
        self._trouble = Trouble(self._server, self._operations, bursts, self._is_well, self._sicken)
        self._reference = Reference(self._server)
        self._just_looked = asyncio.Event()
        self._sick_since_us: int | None = 0

    @property
    def processes(self) -> list[Process]:
        """All that there ever were."""
        hosts = [host.process for host in self._operations.hosts]
        return hosts + [reader.process for reader in self._operations.readers]

    def make_host(self, name: str, server: LogServer, shards: list[Shard]) -> Host:
        """One more process."""
        return Host(name, server, shards)

    async def settle(self, when: str) -> None:
        """All is well: let everybody learn what has happened."""

    async def play(self) -> None:
        """The whole run."""
        operations, quiet_us = self._operations, self._scenario.quiet_us
        operations.start_host()
        operations.start_reader()
        helpers = [
            asyncio.create_task(helper) for helper in (self._watch(), operations.look_after())
        ]
        self._trouble.begin(self._scenario.faults)
        people = [asyncio.create_task(self._desk.open_and_run(quiet_us))]
        people += [asyncio.create_task(bidder.run(quiet_us)) for bidder in self._bidders]
        await asyncio.sleep(quiet_us / 1e6)
        await self._trouble.end()
        operations.heal()
        await self._converge(people)
        await asyncio.sleep(self._scenario.linger_s)
        self._must_be_well("after lingering")
        await self.settle("after lingering")
        await self._ask_again()
        operations.primary.process.kill()
        await asyncio.sleep(RESTART_S)
        self._must_be_well("after the last restart")
        await self.settle("after the last restart")
        await self._ask_again()
        for helper in helpers:
            helper.cancel()
        await asyncio.gather(*helpers, return_exceptions=True)
        await self._stop_cleanly()

    async def _ask_again(self) -> None:
        """What became of all that was sent? Sales that were put away come back for this."""
        await asyncio.gather(self._desk.ask_again(), *(b.ask_again() for b in self._bidders))

    # --- Being well -------------------------------------------------------------------------

    async def _converge(self, people: list[asyncio.Task[None]]) -> None:
        try:
            async with asyncio.timeout(CONVERGE_S):
                await asyncio.gather(*people)
                while not self._is_well():
                    await self._just_looked.wait()
                for sale in self._scenario.sales:
                    await self._room.insist(_probe(sale.sale_id), self._scenario.chance("probe"))
        except TimeoutError:
            self._tape.broken("I27", f"not well a minute after the last fault: {self._state()}")

    def _is_well(self) -> bool:
        """Whether the newest host owns all shards, serves, and keeps the log's time."""
        host = self._operations.primary
        return (
            self._weather.has_settled(self._loop.now_us)
            and host.lives
            and host.writer.owned.keys() == set(self._shards)
            and self._keeps_time(host)
        )

    def _keeps_time(self, host: Host) -> bool:
        skew_us = host.clock.now_us() - self._server.clock_us()
        return not host.process.stopped and host.writer.ready and abs(skew_us) <= SKEW_US

    def _must_be_well(self, when: str) -> None:
        if not self._is_well():
            self._tape.broken("I27", f"not well {when}: {self._state()}")

    def _state(self) -> str:
        host = self._operations.primary
        return (
            f"{host.name} alive={host.process.alive} ready={host.writer.ready} "
            f"owns={sorted(host.writer.owned)} of {self._shards} open={host.unanswered} "
            f"skew={host.clock.now_us() - self._server.clock_us()} us"
        )

    def _sicken(self) -> None:
        if self._sick_since_us is None:
            self._sick_since_us = self._loop.now_us

    async def _watch(self) -> None:
        """Note when all is well, and compare states."""
        compared_us = 0
        while True:
            self._operations.put_in_order()
            if not self._is_well():
                self._sicken()
            elif self._sick_since_us is not None:
                self._tape.sick.append((self._sick_since_us, self._loop.now_us + SECOND))
                self._sick_since_us = None
            if self._loop.now_us >= compared_us + COMPARE_EVERY_S * 1e6:
                compared_us = self._loop.now_us
                for host in self._operations.hosts:
                    self._reference.compare(host)
            self._just_looked.set()
            self._just_looked.clear()
            await asyncio.sleep(LOOK_EVERY_S)

    # --- The end ----------------------------------------------------------------------------

    async def _stop_cleanly(self) -> None:
        """The last host stops in time, and everything that was made of the log is the same."""
        operations, host = self._operations, self._operations.primary
        self._tape.checked_us = host.clock.now_us()
        self._tape.ended_well = self._is_well()
        self._reference.compare(host)
        host.stop()
        await asyncio.sleep(host.stops_within_s)
        operations.readers[-1].wake()
        await asyncio.sleep(host.stops_within_s)
        self._reference.compare_all(host, operations.store)
        for other in operations.hosts:
            if other.process.alive and not other.finished:
                self._tape.broken("I27", f"{other.name} was asked to stop and did not")
            if other.process.alive and other.unanswered:
                count = other.unanswered
                self._tape.broken("I26", f"{other.name} left {count} commands unanswered")


def _probe(sale_id: SaleId) -> SetLimit:
    """The engine judges again: it accepts a limit, or says why not."""
    return SetLimit(sale_id=sale_id, bidder_id=BIDDERS[0], limit_minor=4_000_00, actor_id=DESK)
