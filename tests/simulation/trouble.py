"""Applies the faults of a scenario: to the log and its network, or to a host's process."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from tests.simulation.faults import Fault
from tests.simulation.hosts import Host
from tests.simulation.operations import Operations
from tests.simulation.simulated_log import LogServer
from tests.simulation.tape import Tape
from tests.simulation.weather import SECOND

# In bad weather, somebody loses patience after this time.
PATIENCE_S = 15.0


class Trouble:
    """One task a fault, which ends with the fault or when it is cancelled."""

    def __init__(
        self,
        server: LogServer,
        operations: Operations,
        bursts: Sequence[Callable[[], Awaitable[None]]],
        is_well: Callable[[], bool],
        sicken: Callable[[], None],
    ) -> None:
        self._server, self._operations, self._bursts = server, operations, bursts
        self._is_well, self._sicken = is_well, sicken
        self._tape: Tape = server.tape
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self, faults: list[Fault]) -> None:
        """Let them strike when it is their time."""
        self._tasks = [asyncio.create_task(self._strike(fault)) for fault in faults]

    async def end(self) -> None:
        """Those that last end now, and those that are to come never come."""
        for task in self._tasks:
            task.cancel()
        for result in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result

    async def _strike(self, fault: Fault) -> None:
        await asyncio.sleep(fault.at_us / 1e6)
        self._tape.note("fault", fault)
        self._tape.faults.append(f"{fault.at_us / 1e6:.3f} s: {fault.kind}")
        self._sicken()
        if not self._strike_log(fault):
            await self._strike_process(fault, self._operations.primary)

    def _strike_log(self, fault: Fault) -> bool:
        weather, until_us = self._server.weather, self._server.loop.now_us + fault.lasts_us
        match fault.kind:
            case "cut":
                weather.cut_until[self._operations.primary.name] = until_us
            case "storm":
                weather.storm_until = until_us
                self._operations.store.troubled = True
            case "down":
                weather.down_until = until_us
            case "slow":
                weather.slow_until = until_us
            case "clock":
                self._server.clock_step_us += fault.by_us
            case "kill at a call":
                weather.ambushes.append(fault.ambush)
            case _:
                return False
        return True

    async def _strike_process(self, fault: Fault, host: Host) -> None:
        operations = self._operations
        match fault.kind:
            case "kill":
                operations.away_us = fault.lasts_us
                host.process.kill()
            case "clock and kill":
                self._server.clock_step_us += fault.by_us
                operations.away_us = SECOND
                host.process.kill()
            case "kill at a step":
                operations.away_us = fault.lasts_us
                host.process.dies_at = host.process.steps + fault.steps
            case "freeze at a step":
                host.process.freezes_us = fault.lasts_us
                host.process.freezes_at = host.process.steps + fault.steps
            case "kill in a burst":
                operations.away_us = fault.lasts_us
                host.process.dies_at = host.process.steps + fault.steps // 2
                await asyncio.gather(*(burst() for burst in self._bursts))
            case "freeze in a burst":
                host.process.freezes_us = fault.lasts_us
                host.process.freezes_at = host.process.steps + fault.steps // 2
                await asyncio.gather(*(burst() for burst in self._bursts))
            case "stop and start":
                operations.away_us = fault.lasts_us
                await self._stop(host)
            case "freeze":
                await self._freeze(host, fault.lasts_us)
            case "freeze and replace":
                await self._freeze_and_replace(host, fault)
            case "replace":
                operations.start_host()
            case "reader dies":
                operations.readers[-1].process.kill()
            case _:
                raise AssertionError(fault.kind)

    async def _stop(self, host: Host) -> None:
        good = self._is_well() and self._is_good(host)
        host.stop()
        await asyncio.sleep(host.stops_within_s if good else PATIENCE_S)
        if good and self._is_good(host) and host.process.alive and not host.finished:
            self._tape.broken("I27", f"{host.name} was asked to stop and did not")
        host.process.kill()

    def _is_good(self, host: Host) -> bool:
        settled = self._server.weather.has_settled(self._server.loop.now_us)
        return settled and not host.process.stopped

    async def _freeze(self, host: Host, lasts_us: int) -> None:
        self._tape.note(host.name, "is frozen")
        host.process.stop()
        try:
            await asyncio.sleep(lasts_us / 1e6)
        finally:
            self._tape.note(host.name, "goes on")
            host.process.go_on()

    async def _freeze_and_replace(self, host: Host, fault: Fault) -> None:
        async with asyncio.TaskGroup() as both:
            both.create_task(self._freeze(host, fault.lasts_us))
            await asyncio.sleep(fault.steps / 200 * fault.lasts_us / 1e6)
            self._operations.start_host()
