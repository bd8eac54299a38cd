"""Those who run the installation: they start what died again, and in the end look after it."""

import asyncio
from collections.abc import Callable

from auction.commands import Command
from auction.ids import Shard
from tests.simulation.hosts import Host
from tests.simulation.readers import Reader, Store
from tests.simulation.scenarios import Scenario
from tests.simulation.simulated_log import LogServer
from tests.simulation.weather import SECOND

# Calls that were sent before everything healed may still come through for this long.
LATE_CALLS_US = 10 * SECOND


class Operations:
    """Hosts and readers, the newest last. ``away_us``: how long nobody starts the next host."""

    def __init__(
        self,
        scenario: Scenario,
        server: LogServer,
        shards: list[Shard],
        sicken: Callable[[], None],
        make_host: Callable[[str, LogServer, list[Shard]], Host],
    ) -> None:
        self._server, self._shards, self._sicken = server, shards, sicken
        self._make_host = make_host
        self._chance = scenario.chance("restart")
        self._route = scenario.chance("route")
        self._somebody_died = asyncio.Event()
        self._healed_us: int | None = None
        self.hosts: list[Host] = []
        self.readers: list[Reader] = []
        self.store = Store(scenario.chance("store"))
        self.away_us = 0

    @property
    def primary(self) -> Host:
        """The host that was started last."""
        return self.hosts[-1]

    def reach(self, _command: Command | None = None) -> Host | None:
        """Whom a caller reaches: the newest host; before all is well perhaps an older one."""
        living = [host for host in self.hosts if host.lives]
        if len(living) > 1 and self._healed_us is None and self._route.random() < 0.4:
            return self._route.choice(living)
        return living[-1] if living else None

    def start_host(self) -> None:
        """One more. Until it serves, not all is well."""
        self._sicken()
        host = self._make_host(f"host-{len(self.hosts) + 1}", self._server, self._shards)
        host.process.on_death.append(self._somebody_died.set)
        host.when_finished(self._somebody_died.set)
        self.hosts.append(host)
        host.start()

    def start_reader(self) -> None:
        """One more."""
        name = f"reader-{len(self.readers) + 1}"
        reader = Reader(name, self._server, self.store, self._shards)
        reader.process.on_death.append(self._somebody_died.set)
        self.readers.append(reader)
        reader.start()

    async def look_after(self) -> None:
        """Start what died again, after a while."""
        while True:
            await self._somebody_died.wait()
            self._somebody_died.clear()
            self._sicken()
            if not self.readers[-1].process.alive:
                self.start_reader()
            if not any(host.lives for host in self.hosts):
                await self._start_next()

    async def _start_next(self) -> None:
        away_us, self.away_us = self.away_us + self._chance.randrange(SECOND), 0
        await asyncio.sleep(away_us / 1e6)
        if not any(host.lives for host in self.hosts):
            self.start_host()

    def heal(self) -> None:
        """All faults have stopped. A clock that was set back is not waited for."""
        self._healed_us = self._server.loop.now_us
        self._server.tape.note("everything heals")
        self._server.weather.clear(self._healed_us)
        self.store.troubled, self.away_us = False, 0
        for host in self.hosts:
            host.process.dies_at = host.process.freezes_at = None
            if host.process.stopped:
                host.process.go_on()
        known_us = [host.clock.now_us() for host in self.hosts if host.process.alive]
        known_us += [call.at_us for call in self._server.tape.calls]
        behind_us = max(known_us, default=0) - self._server.clock_us()
        self._server.clock_step_us += max(0, behind_us)

    def put_in_order(self) -> None:
        """One host that lives and owns all shards: where there is none, a new one is started.

        A shard may also belong to the dead: their last ``take`` can come through late.
        """
        if self._healed_us is None or self._server.loop.now_us > self._healed_us + LATE_CALLS_US:
            return
        owners = {self._server.memory.owners[shard] for shard in self._shards}
        if not self.primary.lives or owners - {self.primary.name, None}:
            self.start_host()
        for host in self.hosts[:-1]:
            if host.process.alive and not host.stopping:
                host.stop()
