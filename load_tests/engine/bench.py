"""One contender after the other, round after round, on the same two cores.

A round runs every contender once, so that what else the machine does hits all alike; figures are
the medians of the rounds, ratios those of the medians. The peers' number of connections is found
first, by trying.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from foundation.database import Connection
from load_tests.engine.closed_loop import Place, Sample, closed_loop
from load_tests.engine.floor import floor
from load_tests.engine.ours import Ours
from load_tests.engine.redis_lua import pipelined_redis_lua, redis_lua
from load_tests.engine.row_lock import row_lock
from load_tests.engine.workload import Bid, make_bids
from load_tests.series import Series
from load_tests.steps import Say

BIDDERS: Final = 200
BIDDERS_A_LOT: Final = 8  # where there are a thousand lots
# Bids enough for any contender on a fast machine, for each second of a run.
BIDS_PER_S: Final = 80_000
CLIENTS: Final = 1_000
PIPELINE_CLIENTS: Final = 512
RUNS_A_ROUND: Final = 7


class LostBids(Exception):
    """A contender accepted more or fewer bids than it holds."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, how often, and which numbers of connections are tried."""

    rounds: int
    seconds: float
    lots: int
    tries: int
    try_seconds: float
    pool_sizes: Sequence[int]
    redis_connections: Sequence[int]

    @property
    def steps(self) -> int:
        """How many runs it takes."""
        tried = len(self.pool_sizes) + len(self.redis_connections)
        return self.tries * tried + self.rounds * RUNS_A_ROUND


FULL: Final = Plan(5, 4.0, 1_000, 3, 2.0, (1, 2, 4, 8, 16), (1, 4, 8, 16, 32, 64))
QUICK: Final = Plan(3, 1.2, 1_000, 1, 0.8, (2, 4, 8), (8, 32))
TINY: Final = Plan(1, 0.3, 64, 1, 0.2, (2,), (2,))  # for tests: every path, no meaning


@dataclass(slots=True)
class Bench:
    """The contenders and what they were measured to do."""

    plan: Plan
    dsn: str
    redis_port: int
    ours: Ours
    admin: Connection
    say: Say
    series: Series = field(default_factory=Series)
    pool_size: int = 0
    redis_connections: int = 0
    hot_bids: list[Bid] = field(default_factory=list)
    spread_bids: list[Bid] = field(default_factory=list)

    async def run(self) -> None:
        """Make the bids, tune the peers, then measure."""
        count = round(BIDS_PER_S * max(self.plan.seconds, self.plan.try_seconds))
        self.hot_bids = make_bids(count, 1, BIDDERS, seed=1)
        self.spread_bids = make_bids(count, self.plan.lots, BIDDERS_A_LOT, seed=2)
        self.pool_size = await self._best("row lock", self.plan.pool_sizes, self._row_lock)
        self.redis_connections = await self._best(
            "Redis script", self.plan.redis_connections, self._redis_lua
        )
        for number in range(self.plan.rounds):
            await self._round(number)

    async def _best(
        self, name: str, sizes: Sequence[int], run: Callable[[int, float], Awaitable[Sample]]
    ) -> int:
        """The number of connections at which a peer is fastest."""
        found: dict[int, list[float]] = {size: [] for size in sizes}
        for _ in range(self.plan.tries):
            for size in sizes:
                self.say(f"{name}, {size} connections")
                sample = await run(size, self.plan.try_seconds)
                found[size].append(sample.bids_per_s)
        return max(sizes, key=lambda size: median(found[size]))

    async def _round(self, number: int) -> None:
        seconds = self.plan.seconds
        name = f"round {number + 1} of {self.plan.rounds}"
        self.say(f"{name}: one hot lot")
        self._note("hot_lot", await self._hot_lot(CLIENTS, seconds))
        self._note_batches("hot_lot")
        self.say(f"{name}: the floor")
        self.series.add("floor_bids_per_s", await self._floor())
        self.say(f"{name}: row lock")
        self._note("row_lock", await self._row_lock(self.pool_size, seconds))
        self.say(f"{name}: Redis script")
        self._note("redis_lua", await self._redis_lua(self.redis_connections, seconds))
        self.say(f"{name}: Redis script, pipelined")
        self._note("redis_lua_pipelined", await self._pipelined(seconds))
        self.say(f"{name}: one client on a hot lot")
        self._note_idle(await self._hot_lot(1, seconds / 2))
        self.say(f"{name}: {self.plan.lots} lots")
        self._note("thousand_lots", await self._lots(seconds))
        self._note_batches("thousand_lots")

    async def _hot_lot(self, clients: int, seconds: float) -> Sample:
        await self.ours.prepare(1, BIDDERS)
        sample = await self._measure(self.ours.place, self.hot_bids, clients, seconds)
        return _whole(sample, await self.ours.recorded(self.admin))

    async def _lots(self, seconds: float) -> Sample:
        await self.ours.prepare(self.plan.lots, BIDDERS_A_LOT)
        sample = await self._measure(self.ours.place, self.spread_bids, CLIENTS, seconds)
        return _whole(sample, await self.ours.recorded(self.admin))

    async def _floor(self) -> float:
        """The batches of the run before, once more."""
        async with floor(self.dsn) as contender:
            await contender.prepare()
            await self.admin.execute("checkpoint")
            return await contender.insert(self.ours.log.batches)

    async def _row_lock(self, size: int, seconds: float) -> Sample:
        async with row_lock(self.dsn, size) as contender:
            await contender.prepare(1)
            sample = await self._measure(contender.place, self.hot_bids, size, seconds)
            return _whole(sample, await contender.recorded())

    async def _redis_lua(self, connections: int, seconds: float) -> Sample:
        async with redis_lua(self.redis_port, connections) as contender:
            await contender.prepare(1)
            sample = await self._measure(contender.place, self.hot_bids, connections, seconds)
            return _whole(sample, await contender.recorded())

    async def _pipelined(self, seconds: float) -> Sample:
        async with pipelined_redis_lua(self.redis_port) as contender:
            await contender.prepare(1)
            sample = await self._measure(contender.place, self.hot_bids, PIPELINE_CLIENTS, seconds)
            return _whole(sample, await contender.recorded())

    async def _measure(
        self, place: Place, bids: Sequence[Bid], clients: int, seconds: float
    ) -> Sample:
        # Nobody pays for pages that another one has left to be written.
        await self.admin.execute("checkpoint")
        return await closed_loop(place, bids, clients, seconds)

    def _note(self, name: str, sample: Sample) -> None:
        self.series.add(f"{name}_bids_per_s", sample.bids_per_s)
        self.series.add(f"{name}_latency_ms_p50", sample.latency_ms_p50)
        self.series.add(f"{name}_latency_ms_p99", sample.latency_ms_p99)
        self.series.add(f"{name}_cpu_us_per_bid", sample.cpu_us_per_bid)

    def _note_idle(self, sample: Sample) -> None:
        self.series.add("one_client_latency_ms_p50", sample.latency_ms_p50)
        self.series.add("one_client_latency_ms_p99", sample.latency_ms_p99)

    def _note_batches(self, name: str) -> None:
        sizes = [len(batch.positions) for batch in self.ours.log.batches]
        self.series.add(f"{name}_bids_per_append", sum(sizes) / len(sizes))


def _whole(sample: Sample, recorded: int) -> Sample:
    """The sample, if the contender holds exactly the bids that it accepted."""
    if sample.accepted != recorded:
        raise LostBids(f"{sample.accepted} bids were accepted, {recorded} are recorded")
    return sample
