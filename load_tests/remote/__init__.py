"""What it costs that the engine is another process: bids as in ``bids``, through Redis.

In each round the same crowd bids at the one process that is gateway and engine, and at a gateway
whose engine is a process of its own across a Redis that keeps everything in memory. All of them
share the machine's two cores. Each run has a database and a sale of its own, and an empty Redis.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from load_tests.bids.bench import RATE, Bench, Plan
from load_tests.machine import describe
from load_tests.redis_server import find_redis
from load_tests.report import Bar, Chart, Report
from load_tests.steps import Say
from softclose.embedded_postgres import EmbeddedPostgres
from softclose.redis_server import RedisServer, version_of

SUMMARY: Final = "A bid's way to an engine across Redis, beside one in the gateway's process."

# How many times the latency of one process, and which part of its peak.
LATENCY_LIMIT: Final = 3.0
PEAK_SHARE: Final = 0.5


class BothSides(Plan):
    """A plan that is followed in each place."""

    @property
    def steps(self) -> int:
        """Those of both."""
        return 2 * super().steps


# A hundred watchers: what is asked is the way of a bid, and they only take the cores.
FULL: Final = BothSides(100, 100, 5, 8, (RATE,))
QUICK: Final = BothSides(100, 100, 1, 4, (RATE,))
TINY: Final = BothSides(10, 50, 1, 1, (RATE,))  # for tests: every path, no meaning


async def measure(folder: Path, say: Say, *, quick: bool) -> Report:
    """Run it all; ``folder`` is empty and goes away afterwards."""
    return await measure_plan(QUICK if quick else FULL, folder, say)


def steps(*, quick: bool) -> int:
    """How often ``measure`` will say something."""
    return (QUICK if quick else FULL).steps


async def measure_plan(plan: BothSides, folder: Path, say: Say) -> Report:
    """``measure`` with any plan."""
    machine = describe(folder)
    binary = find_redis()
    machine["redis"] = version_of(binary)
    postgres = EmbeddedPostgres(folder / "postgres", scratch=True)
    redis = RedisServer(binary, folder / "redis")
    try:
        await postgres.start()
        here = Bench(plan, postgres, folder, say)
        across = Bench(plan, postgres, folder, say, redis.url)
        await redis.start()
        for number in range(plan.rounds):
            await here.round(number)
            await across.round(number)
    finally:
        redis.stop()
        await postgres.stop()
    return _report(plan, machine, {"one_process": here, "redis": across})


def _report(plan: BothSides, machine: dict[str, Any], benches: Mapping[str, Bench]) -> Report:
    figures: dict[str, float] = {"watchers": plan.watchers}
    ranges: dict[str, tuple[float, float]] = {}
    for where, bench in benches.items():
        figures |= {f"{where}_{name}": found for name, found in bench.series.medians().items()}
        ranges |= {f"{where}_{name}": found for name, found in bench.series.ranges().items()}
    latency = f"at_{RATE}_ack_ms_p50"
    here_ms, across_ms = figures[f"one_process_{latency}"], figures[f"redis_{latency}"]
    peak = figures["redis_peak_bids_per_s"] / figures["one_process_peak_bids_per_s"]
    ratios = {
        "latency_limit_vs_found": LATENCY_LIMIT * here_ms / across_ms,
        "peak_vs_one_process": peak,
    }
    return Report(
        title="Bids across Redis, beside one process",
        machine=machine,
        figures=figures,
        ranges=ranges,
        ratios=ratios,
        targets={"latency_limit_vs_found": 1.0, "peak_vs_one_process": PEAK_SHARE},
        charts=_charts(),
    )


def _charts() -> list[Chart]:
    places = [("one_process", "one process"), ("redis", "across Redis")]
    latencies = [
        Bar(f"{label}, {share}", f"{name}_at_{RATE}_ack_ms_{share}", ours=name == "redis")
        for name, label in places
        for share in ("p50", "p99")
    ]
    peaks = [Bar(label, f"{name}_peak_bids_per_s", ours=name == "redis") for name, label in places]
    return [
        Chart(f"From a bid to its verdict at {RATE:,} bids/s", "ms", latencies),
        Chart("The peak", "bids per second", peaks),
    ]
