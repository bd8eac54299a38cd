"""One gateway, its watchers and its bidders; rate after rate, round after round."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

from foundation.database import connect
from foundation.redis_client import open_redis
from load_tests.bidders import Answers, Bidders, BidsLost, bidding
from load_tests.children import cpu_of_tree_s, cpu_s
from load_tests.gateway.contender import OurGateway, our_gateway, our_remote_engine
from load_tests.series import Series
from load_tests.steps import Say
from load_tests.watchers import Watchers, watching
from softclose.databases import prepare
from softclose.embedded_postgres import EmbeddedPostgres

# The rate that the limits are for.
RATE: Final = 1_000
WARM_UP_S: Final = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """How many watch and bid, how fast, how long and how often."""

    watchers: int
    lots: int
    rounds: int
    seconds: int
    rates: tuple[int, ...]

    @property
    def steps(self) -> int:
        """Each round with every rate and the peak."""
        return self.rounds * (len(self.rates) + 1)


FULL: Final = Plan(1_000, 100, 5, 8, (100, RATE, 5_000))
QUICK: Final = Plan(1_000, 100, 1, 4, (100, RATE, 5_000))
TINY: Final = Plan(10, 50, 1, 1, (100, RATE))  # for tests: every path, no meaning
# Bids enough for the peak of any machine, for each second of it.
PEAK_BIDS_PER_S: Final = 15_000


_runs = count()


@dataclass(frozen=True, slots=True)
class Crowd:
    """Everybody who takes part in a run."""

    gateway: OurGateway
    watchers: Watchers
    bidders: Bidders
    postgres_pid: int
    others: Mapping[str, int] = field(default_factory=dict)  # more processes by name


class Usage:
    """The CPU time of everybody since its making."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd, self._before = crowd, self._now(crowd)

    def since(self) -> dict[str, float]:
        """Seconds by process."""
        now = self._now(self._crowd)
        return {name: now[name] - self._before[name] for name in now}

    @staticmethod
    def _now(crowd: Crowd) -> dict[str, float]:
        return {
            "gateway": crowd.gateway.cpu_s(),
            "watchers": crowd.watchers.program.cpu_s(),
            "bidders": crowd.bidders.program.cpu_s(),
            "postgres": cpu_of_tree_s(crowd.postgres_pid),
            **{name: cpu_s(pid) for name, pid in crowd.others.items()},
        }


@dataclass(slots=True)
class Bench:
    """The rounds and what they found."""

    plan: Plan
    postgres: EmbeddedPostgres
    folder: Path
    say: Say
    # Where the engine is: across this Redis, else in the gateway's process.
    redis_url: str | None = None
    series: Series = field(default_factory=Series)

    @property
    def where(self) -> str:
        """The engine's place, for what is said meanwhile."""
        return "" if self.redis_url is None else ", across Redis"

    async def run(self) -> None:
        """All rounds."""
        for number in range(self.plan.rounds):
            await self.round(number)

    async def round(self, number: int) -> None:
        """Every rate, then the peak; each on a gateway and a sale of its own."""
        plan = self.plan
        name = f"round {number + 1} of {plan.rounds}{self.where}"
        for rate in plan.rates:
            self.say(f"{name}: {rate:,} bids a second")
            await self._at_rate(rate)
        self.say(f"{name}: the peak")
        await self._at_peak()

    async def _at_rate(self, rate: int) -> None:
        plan, name = self.plan, f"at_{rate}"
        bids, warm_up = rate * plan.seconds, rate * WARM_UP_S
        async with self._crowd(bids + warm_up) as crowd:
            await crowd.bidders.bid(warm_up, rate)
            before = await self._all_heard(crowd)
            await crowd.watchers.mark()
            usage = Usage(crowd)
            answers = await crowd.bidders.bid(bids, rate)
            used = usage.since()
            _as_many_events(answers, await self._all_heard(crowd) - before)
            await self._note(name, crowd, answers, used)

    async def _at_peak(self) -> None:
        plan = self.plan
        async with self._crowd(plan.seconds * PEAK_BIDS_PER_S) as crowd:
            before, usage = await self._all_heard(crowd), Usage(crowd)
            answers = await crowd.bidders.bid_at_once(plan.seconds)
            used = usage.since()
            _as_many_events(answers, await self._all_heard(crowd) - before)
            await self._note("peak", crowd, answers, used)
            self.series.add("peak_bids_per_s", answers.per_s)

    @asynccontextmanager
    async def _crowd(self, bids: int) -> AsyncIterator[Crowd]:
        plan, pid = self.plan, self.postgres.pid
        assert pid is not None, "PostgreSQL runs as long as the bench"
        dsn = await self._fresh_database()
        async with AsyncExitStack() as stack:
            others = {}
            if self.redis_url is not None:
                await _empty(self.redis_url)  # it holds what another database's log said
                engine = await stack.enter_async_context(our_remote_engine(dsn, self.redis_url))
                others["engine"] = engine.pid
            ours = our_gateway(None, lots=plan.lots, dsn=dsn, redis_url=self.redis_url)
            gateway = await stack.enter_async_context(ours)
            watchers = await stack.enter_async_context(watching(gateway.port, gateway.speech))
            await watchers.open(plan.watchers)
            crowd = bidding(gateway.port, self.folder, plan.lots, bids)
            yield Crowd(gateway, watchers, await stack.enter_async_context(crowd), pid, others)

    async def _fresh_database(self) -> str:
        """A database of its own for each run, and nothing left to be written from the last."""
        name = f"run_{next(_runs)}"
        admin = await connect(self.postgres.dsn, name="load test")
        try:
            await admin.execute(f"create database {name}")
            await admin.execute("checkpoint")
        finally:
            await admin.close()
        dsn = f"{self.postgres.dsn.rpartition('/')[0]}/{name}"
        await prepare(dsn)
        return dsn

    async def _all_heard(self, crowd: Crowd) -> int:
        """The last event, once every watcher has heard it."""
        sequence = await crowd.gateway.sequence()
        await crowd.watchers.reach(sequence)
        return sequence

    async def _note(
        self, name: str, crowd: Crowd, answers: Answers, used: dict[str, float]
    ) -> None:
        """Nothing may be lost; who is too slow for all may get some events as their result."""
        seen = (await crowd.watchers.seen()).whole(conflation=True)
        answers.whole()
        self.series.add(f"{name}_refused_share", answers.refused_share)
        for share in ("p50", "p99"):
            self.series.add(f"{name}_ack_ms_{share}", answers.ms(share))
            self.series.add(f"{name}_heard_ms_{share}", seen.ms("latency", share))
        self.series.add(f"{name}_conflated_share", seen.conflated_share(answers.accepted))
        for process, used_s in used.items():
            self.series.add(f"{name}_{process}_cpu_share", used_s / answers.took_s)


async def _empty(redis_url: str) -> None:
    client = open_redis(redis_url)
    try:
        await client.execute("FLUSHALL")
    finally:
        await client.close()


def _as_many_events(answers: Answers, events: int) -> None:
    """Each accepted bid is an event. But where one was refused, because a higher bid was read
    before it, its bidder's rival has two in a row, and may have raised without anybody's knowing.
    """
    if not answers.accepted - answers.refused <= events <= answers.accepted:
        raise BidsLost(f"{answers.accepted} bids were accepted, {events} are events")
