"""One gateway through storms, then one through readers who stall; bids go on all the time."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from load_tests.children import PAGE_KIB, quick_resident_kib
from load_tests.gateway.contender import OurGateway, our_gateway
from load_tests.series import Series
from load_tests.steps import Say
from load_tests.watchers import EventsLost, Watchers, watching

# Between groups of bids from inside; a rate, since each group waits for its verdicts.
PAUSE_S: Final = 0.1
SEND_AT_ONCE: Final = 100
POLL_S: Final = 0.25
# The sockets that are not closed by then never are.
CLOSED_WITHIN_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Plan:
    """``storms`` of all watchers; ``late``: who stays away while ``away`` events happen.

    ``bids``: in each group while storms go on, and while readers stall; ``stall_rounds``: each
    first with all reading for ``listen_s``, then with ``stalled`` of them not.
    """

    watchers: int
    storms: int
    bids: int
    late: int
    away: int
    stall_rounds: int
    stalled: int
    listen_s: float

    @property
    def steps(self) -> int:
        """Storms, one that comes back late, and the rounds of stalling."""
        return self.storms + 1 + self.stall_rounds


FULL: Final = Plan(2_000, 5, 20, 2_000, 6_000, 5, 1_000, 10.0)
QUICK: Final = Plan(2_000, 5, 20, 200, 6_000, 1, 1_000, 8.0)
TINY: Final = Plan(20, 2, 2, 10, 300, 1, 5, 0.5)  # for tests: every path, no meaning


class Bids:
    """Bids that go on by themselves, in groups; ``last`` is the sequence after the latest."""

    def __init__(self, gateway: OurGateway, group: int) -> None:
        self._gateway, self._group = gateway, group
        self.last = 0
        self._ending = asyncio.Event()

    async def run(self) -> None:
        """Until `stop`."""
        while not self._ending.is_set():
            self.last = await self._gateway.send(self._group, 0)
            await asyncio.sleep(PAUSE_S)

    def stop(self) -> None:
        """After the group that is under way."""
        self._ending.set()


@asynccontextmanager
async def bids_going_on(gateway: OurGateway, group: int) -> AsyncIterator[Bids]:
    """For the block; when it ends all bids have their verdicts."""
    bids = Bids(gateway, group)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(bids.run())
        try:
            yield bids
        finally:
            bids.stop()


@dataclass(slots=True)
class Bench:
    """The rounds and what they found."""

    plan: Plan
    dsn: str
    say: Say
    series: Series = field(default_factory=Series)

    async def run(self) -> None:
        """Storms and stalling, on one gateway; its watchers are new for the second."""
        plan = self.plan
        async with our_gateway(None, dsn=self.dsn) as gateway:
            async with watching(gateway.port, gateway.speech, at_once=plan.watchers) as watchers:
                await watchers.open(plan.watchers)
                for number in range(plan.storms):
                    self.say(f"storm {number + 1} of {plan.storms}")
                    await self._storm(gateway, watchers)
                self.say(f"{plan.late:,} come back after {plan.away:,} events")
                await self._long_away(gateway, watchers)
                seen = (await watchers.seen()).whole()
                self.series.add("reconnects", seen.found["reconnects"])
                self.series.add("tries_again", seen.found["tries_again"])
            for number in range(plan.stall_rounds):
                self.say(f"stalled readers, round {number + 1} of {plan.stall_rounds}")
                await self._stalling(gateway)

    async def _storm(self, gateway: OurGateway, watchers: Watchers) -> None:
        plan = self.plan
        await watchers.mark()
        before_s, began_s = gateway.cpu_s(), time.perf_counter()
        async with bids_going_on(gateway, plan.bids) as bids:
            await watchers.reconnect(plan.watchers)
            took_s = time.perf_counter() - began_s
        await watchers.reach(bids.last)
        seen = (await watchers.seen()).whole()
        self.series.add("storm_reconnects_per_s", plan.watchers / took_s)
        cpu_s = gateway.cpu_s() - before_s
        self.series.add("storm_cpu_ms_per_reconnect", cpu_s / plan.watchers * 1e3)
        for share in ("p50", "p99", "max"):
            self.series.add(f"storm_back_ms_{share}", seen.ms("opened", share))

    async def _long_away(self, gateway: OurGateway, watchers: Watchers) -> None:
        plan = self.plan
        await watchers.cut(plan.late)
        for _ in range(0, plan.away, SEND_AT_ONCE):
            last = await gateway.send(SEND_AT_ONCE, 0)
            await watchers.reach(last)  # those who stayed
        await watchers.mark()
        began_s = time.perf_counter()
        async with bids_going_on(gateway, plan.bids) as bids:
            await watchers.come_back()
            await watchers.reach(last)
            self.series.add("long_away_all_up_to_date_s", time.perf_counter() - began_s)
        await watchers.reach(bids.last)
        seen = (await watchers.seen()).whole()
        for share in ("p50", "p99", "max"):
            self.series.add(f"long_away_back_ms_{share}", seen.ms("opened", share))

    async def _stalling(self, gateway: OurGateway) -> None:
        plan = self.plan
        async with watching(gateway.port, gateway.speech) as watchers:
            await watchers.open(plan.watchers)
            async with bids_going_on(gateway, plan.bids) as bids:
                await watchers.mark()
                await asyncio.sleep(plan.listen_s)
                all_read = (await watchers.seen()).whole().ms("latency", "p99")
                await watchers.mark()
                await self._stall(gateway, watchers)
            await watchers.reach(bids.last)
            beside = (await watchers.seen()).whole().ms("latency", "p99")
        self.series.add("all_read_heard_ms_p99", all_read)
        self.series.add("beside_stalled_heard_ms_p99", beside)
        self.series.add("others_p99_beside_stalled_ratio", beside / all_read)

    async def _stall(self, gateway: OurGateway, watchers: Watchers) -> None:
        """Have some read no more until the server has closed them."""
        count = self.plan.stalled
        kib, files, kernel_kib = quick_resident_kib(gateway.pid), _files(gateway.pid), _kernel_kib()
        most_kib, most_kernel_kib = kib, kernel_kib
        await watchers.stall(count)
        began_s = time.perf_counter()
        while _files(gateway.pid) > files - count:
            if time.perf_counter() > began_s + CLOSED_WITHIN_S:
                raise EventsLost(f"readers who stalled were not closed in {CLOSED_WITHIN_S:g} s")
            await asyncio.sleep(POLL_S)
            most_kib = max(most_kib, quick_resident_kib(gateway.pid))
            most_kernel_kib = max(most_kernel_kib, _kernel_kib())
        self.series.add("stalled_closed_s", time.perf_counter() - began_s)
        self.series.add("kib_per_stalled", max(1.0, (most_kib - kib) / count))
        self.series.add("kernel_kib_per_stalled", (most_kernel_kib - kernel_kib) / count)


def _files(pid: int) -> int:
    """How many files, connections among them, a process has open."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def _kernel_kib() -> float:
    """What the kernel holds for all TCP sockets of this machine, both ends of ours among them."""
    for line in Path("/proc/net/sockstat").read_text("ascii").splitlines():
        words = line.split()
        if words[0] == "TCP:":
            return float(words[words.index("mem") + 1]) * PAGE_KIB
    return 0.0
