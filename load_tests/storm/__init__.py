"""Storms: thousands who come back at once and resume, and readers who do not read.

The engine on PostgreSQL, with bids going on all the time. Two thousand watchers are cut off
together and come back together, again and again; then they stay away for longer than events are
kept in memory, and resume from the log; each must have seen every event once and in order in the
end. Then half of the watchers read no more: the server's memory must stay bounded, they must be
closed, and the others must not notice.
"""

from pathlib import Path
from typing import Any, Final

from load_tests.machine import describe
from load_tests.report import Bar, Chart, Report
from load_tests.steps import Say
from load_tests.storm.bench import FULL, QUICK, Bench, Plan
from softclose.databases import prepare
from softclose.embedded_postgres import EmbeddedPostgres

SUMMARY: Final = "Thousands who reconnect at once, and readers who do not read."

# Each as a ratio that must reach 1.
CLOSED_S_LIMIT: Final = 10.0
OTHERS_P99_LIMIT: Final = 1.1
KIB_PER_STALLED_LIMIT: Final = 256.0


async def measure(folder: Path, say: Say, *, quick: bool) -> Report:
    """Run it all; ``folder`` is empty and goes away afterwards."""
    return await measure_plan(QUICK if quick else FULL, folder, say)


def steps(*, quick: bool) -> int:
    """How often ``measure`` will say something."""
    return (QUICK if quick else FULL).steps


async def measure_plan(plan: Plan, folder: Path, say: Say) -> Report:
    """``measure`` with any plan."""
    machine = describe(folder)
    postgres = EmbeddedPostgres(folder / "postgres", scratch=True)
    try:
        dsn = await postgres.start()
        await prepare(dsn)
        bench = Bench(plan, dsn, say)
        await bench.run()
    finally:
        await postgres.stop()
    return _report(plan, machine, bench)


def _report(plan: Plan, machine: dict[str, Any], bench: Bench) -> Report:
    figures, ranges = bench.series.medians(), bench.series.ranges()
    figures["watchers"] = plan.watchers
    ratios = {
        "stalled_closed_limit_vs_found": CLOSED_S_LIMIT / figures["stalled_closed_s"],
        "others_p99_limit_vs_found": OTHERS_P99_LIMIT / figures["others_p99_beside_stalled_ratio"],
        "stalled_kib_limit_vs_found": KIB_PER_STALLED_LIMIT / figures["kib_per_stalled"],
    }
    back = [
        Bar(label, f"{name}_ms_{share}", ours=True)
        for name, label in (("storm_back", "from memory"), ("long_away_back", "from the log"))
        for share in ("p50", "max")
    ]
    heard = [
        Bar("all read", "all_read_heard_ms_p99", ours=True),
        Bar("half do not", "beside_stalled_heard_ms_p99", ours=True),
    ]
    return Report(
        title="Storms of reconnects, and readers who do not read",
        machine=machine,
        figures=figures,
        ranges=ranges,
        ratios=ratios,
        targets=dict.fromkeys(ratios, 1.0),
        charts=[
            Chart("From being cut off to following again, p50 and last", "ms", back),
            Chart("From an event to those who read, p99", "ms", heard),
        ],
    )
